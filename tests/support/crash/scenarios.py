"""The base scenarios: what people, the vendor and AWS do while nothing, or something, crashes."""

from collections.abc import Callable, Mapping
from datetime import timedelta

from tests.support.crash.person import Person
from tests.support.crash.vendor import Answer
from tests.support.crash.world import World

Scenario = Callable[[World], None]


def one_upload(world: World) -> None:
    world.upload()
    world.run_until_quiet()


def the_same_event_again_and_again(world: World) -> None:
    upload = world.upload()
    world.announce(upload)
    world.run_for(timedelta(seconds=12))
    world.announce(upload)
    world.run_until_quiet()
    world.run_for(timedelta(days=3))
    world.announce(upload)
    world.run_until_quiet()


def an_event_that_comes_again_when_the_worker_should_be_gone(world: World) -> None:
    upload = world.upload()
    world.run_for(timedelta(minutes=16))
    world.announce(upload)
    world.run_until_quiet()


def two_versions_the_later_announced_first(world: World) -> None:
    first, second = world.upload(announced=False), world.upload(announced=False)
    world.announce(second)
    world.announce(first)
    world.run_until_quiet()


def an_event_without_its_version(world: World) -> None:
    world.upload(versioned=False)
    world.run_until_quiet()


def an_upload_that_cannot_be_sent(world: World) -> None:
    world.upload("no-such-checker/leads.txt")
    world.run_until_quiet()


def a_rejected_file(world: World) -> None:
    world.vendor.answers.append(Answer.REJECT)
    world.upload()
    world.run_until_quiet()


def a_busy_vendor(world: World) -> None:
    world.vendor.answers.extend([Answer.BUSY, Answer.SERVER_ERROR])
    world.upload()
    world.run_until_quiet()


def a_vendor_whose_server_always_fails(world: World) -> None:
    world.vendor.answers.extend([Answer.SERVER_ERROR] * 3)
    world.upload()
    world.run_until_quiet()


def an_empty_account(world: World) -> None:
    world.vendor.has_money = False
    world.upload("band/first.txt")
    world.upload("band/second.txt")
    world.run_for(timedelta(minutes=7))
    Person(world).top_up()
    world.run_until_quiet()


def an_account_that_stays_empty(world: World) -> None:
    world.vendor.has_money = False
    world.upload("band/first.txt")
    world.upload("band/second.txt")
    world.run_until_quiet()


def a_file_that_is_too_dear_and_given_up(world: World) -> None:
    world.vendor.has_money = False
    world.upload("band/dear.txt")
    Person(world).give_up_what_is_not_taken()
    world.vendor.has_money = True
    world.upload("band/cheap.txt")
    world.run_until_quiet()


def an_upload_that_is_given_up_while_the_vendor_is_busy(world: World) -> None:
    world.vendor.answers.extend([Answer.BUSY] * 100)
    world.upload()
    Person(world).give_up_what_is_not_taken()
    world.run_until_quiet()


def an_upload_that_was_claimed_before_the_line_stopped_for_long(world: World) -> None:
    world.vendor.answers.append(Answer.BUSY)
    world.upload("band/first.txt")
    world.run_for(timedelta(seconds=5))
    world.vendor.has_money = False
    world.upload("band/second.txt")
    world.run_for(timedelta(minutes=70))
    Person(world).top_up()
    world.run_until_quiet()


def a_key_that_is_refused(world: World) -> None:
    world.vendor.key = "needle-of-a-newer-key"
    world.upload()
    world.run_for(timedelta(minutes=5))
    Person(world).put_in_the_valid_key()
    world.run_until_quiet()


def a_key_that_was_rotated(world: World) -> None:
    world.upload("band/first.txt")
    world.run_until_quiet()
    world.vendor.key = "needle-of-a-newer-key"
    Person(world).put_in_the_valid_key()
    world.upload("band/second.txt")
    world.run_until_quiet()


def a_task_that_fails(world: World) -> None:
    world.vendor.fails = True
    world.upload()
    world.run_until_quiet()


def a_task_that_never_finishes_and_is_collected_later(world: World) -> None:
    world.vendor.dawdles = True
    world.upload()
    world.run_until_quiet()
    world.vendor.dawdles = False
    Person(world).collect_again()
    world.run_until_quiet()


def a_stopped_execution(world: World) -> None:
    world.upload()
    world.run_for(timedelta(seconds=12))
    Person(world).stop_executions()
    world.run_until_quiet()
    Person(world).collect_again()
    world.run_until_quiet()


def a_doubt_about_a_charge(world: World) -> None:
    world.vendor.answers.append(Answer.LOSE_THE_ANSWER)
    world.upload()
    world.run_until_quiet()
    Person(world).say_what_the_vendor_says()
    world.run_until_quiet()


def a_doubt_about_nothing(world: World) -> None:
    world.vendor.answers.append(Answer.RESET)
    world.upload()
    world.run_until_quiet()
    Person(world).say_what_the_vendor_says()
    world.run_until_quiet()


def a_doubt_that_a_person_gets_wrong(world: World) -> None:
    world.vendor.answers.append(Answer.LOSE_THE_ANSWER)
    world.upload()
    world.run_until_quiet()
    Person(world).say_not_charged()
    world.run_until_quiet()


def a_doubt_that_comes_again(world: World) -> None:
    world.vendor.answers.extend([Answer.RESET, Answer.LOSE_THE_ANSWER])
    world.upload()
    world.run_until_quiet()
    Person(world).say_what_the_vendor_says()
    world.run_until_quiet()


def a_task_that_fails_again(world: World) -> None:
    world.vendor.fails = True
    world.upload()
    world.run_until_quiet()
    Person(world).collect_again()
    world.run_until_quiet()


def a_doubt_given_up(world: World) -> None:
    world.vendor.answers.append(Answer.LOSE_THE_ANSWER)
    world.upload()
    world.run_until_quiet()
    Person(world).give_up()
    world.run_until_quiet()


def messages_that_are_lost(world: World) -> None:
    world.upload()
    world.run_for(timedelta(seconds=1))
    Person(world).lose_messages()
    world.run_until_quiet()


SCENARIOS: Mapping[str, Scenario] = {
    scenario.__name__: scenario
    for scenario in (
        one_upload,
        the_same_event_again_and_again,
        an_event_that_comes_again_when_the_worker_should_be_gone,
        two_versions_the_later_announced_first,
        an_event_without_its_version,
        an_upload_that_cannot_be_sent,
        a_rejected_file,
        a_busy_vendor,
        a_vendor_whose_server_always_fails,
        an_empty_account,
        an_account_that_stays_empty,
        a_file_that_is_too_dear_and_given_up,
        an_upload_that_is_given_up_while_the_vendor_is_busy,
        an_upload_that_was_claimed_before_the_line_stopped_for_long,
        a_key_that_is_refused,
        a_key_that_was_rotated,
        a_task_that_fails,
        a_task_that_fails_again,
        a_task_that_never_finishes_and_is_collected_later,
        a_stopped_execution,
        a_doubt_about_a_charge,
        a_doubt_about_nothing,
        a_doubt_that_a_person_gets_wrong,
        a_doubt_that_comes_again,
        a_doubt_given_up,
        messages_that_are_lost,
    )
}
