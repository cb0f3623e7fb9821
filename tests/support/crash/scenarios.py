"""The scenarios: what people, the vendor and AWS do. Schedules add crashes to them."""

from collections.abc import Callable, Mapping
from datetime import timedelta

from tests.support.crash.maintainer import Maintainer
from tests.support.crash.memory_scenarios import MEMORY_SCENARIOS
from tests.support.crash.vendor import Answer
from tests.support.crash.world import World

Scenario = Callable[[World], None]


def one_upload(world: World) -> None:
    world.upload()
    world.run_until_idle()


def a_repeated_event(world: World) -> None:
    upload = world.upload()
    world.announce(upload)
    world.run_for(timedelta(seconds=12))
    world.announce(upload)
    world.run_until_idle()
    world.run_for(timedelta(days=3))
    world.announce(upload)
    world.run_until_idle()


def an_event_repeated_after_the_lease(world: World) -> None:
    upload = world.upload()
    world.run_for(timedelta(minutes=16))
    world.announce(upload)
    world.run_until_idle()


def two_versions_announced_in_reverse_order(world: World) -> None:
    first, second = world.upload(announced=False), world.upload(announced=False)
    world.announce(second)
    world.announce(first)
    world.run_until_idle()


def an_event_without_version_id(world: World) -> None:
    world.upload(versioned=False)
    world.run_until_idle()


def an_invalid_upload(world: World) -> None:
    world.upload("no-such-checker/leads.txt")
    world.run_until_idle()


def an_upload_above_the_ceiling(world: World) -> None:
    # The price of this checker is unknown, and the stack has a ceiling.
    world.upload("Twitter/leads.txt")
    world.upload("band/leads.txt")
    world.run_until_idle()


def a_rejected_file(world: World) -> None:
    world.vendor.answers.append(Answer.REJECT)
    world.upload()
    world.run_until_idle()


def a_busy_vendor(world: World) -> None:
    world.vendor.answers.extend([Answer.BUSY, Answer.SERVER_ERROR])
    world.upload()
    world.run_until_idle()


def repeated_server_errors(world: World) -> None:
    world.vendor.answers.extend([Answer.SERVER_ERROR] * 3)
    world.upload()
    world.run_until_idle()


def an_empty_account(world: World) -> None:
    world.vendor.has_money = False
    world.upload("band/first.txt")
    world.upload("band/second.txt")
    world.run_for(timedelta(minutes=7))
    Maintainer(world).top_up()
    world.run_until_idle()


def an_account_that_stays_empty(world: World) -> None:
    world.vendor.has_money = False
    world.upload("band/first.txt")
    world.upload("band/second.txt")
    world.run_until_idle()


def an_abandoned_unaffordable_upload(world: World) -> None:
    world.vendor.has_money = False
    world.upload("band/expensive.txt")
    Maintainer(world).abandon_unsent_jobs()
    world.vendor.has_money = True
    world.upload("band/cheap.txt")
    world.run_until_idle()


def an_upload_abandoned_while_the_vendor_is_busy(world: World) -> None:
    world.vendor.answers.extend([Answer.BUSY] * 100)
    world.upload()
    Maintainer(world).abandon_unsent_jobs()
    world.run_until_idle()


def an_upload_claimed_before_a_long_open_breaker(world: World) -> None:
    world.vendor.answers.append(Answer.BUSY)
    world.upload("band/first.txt")
    world.run_for(timedelta(seconds=5))
    world.vendor.has_money = False
    world.upload("band/second.txt")
    world.run_for(timedelta(minutes=70))
    Maintainer(world).top_up()
    world.run_until_idle()


def a_refused_key_for_hours(world: World) -> None:
    world.vendor.key = "canary-newer-key"
    world.upload()
    world.run_for(timedelta(hours=3))
    Maintainer(world).store_valid_key()
    world.run_until_idle()


def a_checker_beyond_the_plan(world: World) -> None:
    world.vendor.refused_checkers.add("phoneCheck")
    for key in ("phoneCheck/first.txt", "band/second.txt", "phoneCheck/third.txt"):
        world.upload(key)
    world.run_for(timedelta(minutes=20))
    world.upload("band/fourth.txt")
    world.run_for(timedelta(minutes=20))
    world.vendor.refused_checkers.clear()
    world.run_until_idle()


def a_checker_that_stays_refused(world: World) -> None:
    world.vendor.refused_checkers.add("phoneCheck")
    for key in ("phoneCheck/first.txt", "band/second.txt", "phoneCheck/third.txt"):
        world.upload(key)
    world.run_until_idle()
    world.upload("band/fourth.txt")
    world.run_until_idle()


def an_outage(world: World) -> None:
    world.vendor.is_down = True
    for number in range(3):
        world.upload(f"band/{number}.txt")
    world.run_for(timedelta(minutes=12))
    world.upload("band/later.txt")
    world.vendor.is_down = False
    world.run_until_idle()


def an_outage_that_outlasts_every_deadline(world: World) -> None:
    world.vendor.answers.append(Answer.BUSY)
    world.upload("band/claimed.txt")
    world.run_for(timedelta(seconds=5))
    world.vendor.is_down = True
    world.upload("band/first.txt")
    world.run_for(timedelta(minutes=100))
    world.vendor.is_down = False
    world.run_until_idle()


def an_outage_of_submissions_only(world: World) -> None:
    world.vendor.fails_posts = True
    for number in range(4):
        world.upload(f"band/{number}.txt")
    world.run_for(timedelta(minutes=12))
    world.vendor.fails_posts = False
    world.run_until_idle()


def an_outage_that_ends_with_a_refusal(world: World) -> None:
    world.vendor.is_down = True
    for number in range(3):
        world.upload(f"band/{number}.txt")
    world.run_for(timedelta(minutes=5))
    world.vendor.is_down, world.vendor.has_money = False, False
    world.run_for(timedelta(minutes=15))
    Maintainer(world).top_up()
    world.run_until_idle()


def an_outage_after_which_nobody_waits(world: World) -> None:
    world.vendor.answers.append(Answer.RESET)
    world.upload("band/first.txt")
    world.run_until_idle()
    world.run_for(timedelta(hours=1))
    world.upload("band/second.txt")
    world.run_until_idle()


def messages_lost_in_an_outage(world: World) -> None:
    world.vendor.answers.append(Answer.BUSY)
    world.upload("band/claimed.txt")
    world.run_for(timedelta(seconds=5))
    world.vendor.is_down = True
    world.upload("band/first.txt")
    world.run_for(timedelta(minutes=5))
    Maintainer(world).purge_queue()
    world.vendor.is_down = False
    world.run_until_idle()


def a_refused_key(world: World) -> None:
    world.vendor.key = "canary-newer-key"
    world.upload()
    world.run_for(timedelta(minutes=5))
    Maintainer(world).store_valid_key()
    world.run_until_idle()


def a_rotated_key(world: World) -> None:
    world.upload("band/first.txt")
    world.run_until_idle()
    world.vendor.key = "canary-newer-key"
    Maintainer(world).store_valid_key()
    world.upload("band/second.txt")
    world.run_until_idle()


def a_slow_task_that_makes_progress(world: World) -> None:
    world.vendor.is_slow = True
    world.upload()
    world.run_for(timedelta(hours=4))
    world.run_until_idle()


def a_failed_task(world: World) -> None:
    world.vendor.fails = True
    world.upload()
    world.run_until_idle()


def a_late_task_that_is_collected_again(world: World) -> None:
    world.vendor.never_finishes = True
    world.upload()
    world.run_until_idle()
    world.vendor.never_finishes = False
    Maintainer(world).collect_again()
    world.run_until_idle()


def a_stopped_execution(world: World) -> None:
    world.upload()
    world.run_for(timedelta(seconds=12))
    Maintainer(world).stop_executions()
    world.run_until_idle()
    Maintainer(world).collect_again()
    world.run_until_idle()


def a_doubt_that_was_charged(world: World) -> None:
    world.vendor.answers.append(Answer.LOSE_ANSWER)
    world.upload()
    world.run_until_idle()
    Maintainer(world).resolve_doubts()
    world.run_until_idle()


def a_doubt_that_was_not_charged(world: World) -> None:
    world.vendor.answers.append(Answer.RESET)
    world.upload()
    world.run_until_idle()
    Maintainer(world).resolve_doubts()
    world.run_until_idle()


def a_doubt_that_is_resolved_wrongly(world: World) -> None:
    world.vendor.answers.append(Answer.LOSE_ANSWER)
    world.upload()
    world.run_until_idle()
    Maintainer(world).mark_doubts_not_charged()
    world.run_until_idle()


def a_repeated_doubt(world: World) -> None:
    world.vendor.answers.extend([Answer.RESET, Answer.LOSE_ANSWER])
    world.upload()
    world.run_until_idle()
    Maintainer(world).resolve_doubts()
    world.run_until_idle()


def a_task_that_fails_twice(world: World) -> None:
    world.vendor.fails = True
    world.upload()
    world.run_until_idle()
    Maintainer(world).collect_again()
    world.run_until_idle()


def an_abandoned_doubt(world: World) -> None:
    world.vendor.answers.append(Answer.LOSE_ANSWER)
    world.upload()
    world.run_until_idle()
    Maintainer(world).abandon_doubts()
    world.run_until_idle()


def two_files_with_one_task_id(world: World) -> None:
    world.upload("band/first.txt")
    world.run_until_idle()
    Maintainer(world).resolve_doubts()
    world.run_until_idle()
    world.vendor.answers.append(Answer.REPEAT_TASK_ID)
    world.upload("band/second.txt")
    world.run_until_idle()
    Maintainer(world).resolve_doubts()
    world.run_until_idle()


def a_table_restored_to_before_the_post(world: World) -> None:
    # The ledger forgets the charge of a job that it remembers as claimed.
    world.vendor.answers.append(Answer.BUSY)
    _restore_a_claim(world, after=timedelta(minutes=10))


def a_table_restored_to_before_the_upload(world: World) -> None:
    # The ledger forgets the job, whose event is then repeated.
    snapshot = world.table.snapshot()
    upload = world.upload()
    world.run_until_idle()
    world.table.restore(snapshot)
    world.announce(upload)
    world.run_until_idle()
    _settle_doubts(world)


def a_table_restored_to_before_a_remembered_upload(world: World) -> None:
    # The memory still knows what the forgotten submission bought.
    world.remember()
    a_table_restored_to_before_the_upload(world)


def a_table_restored_after_the_deadline(world: World) -> None:
    # The forgotten charge must not be denied when the job runs out of time.
    world.vendor.answers.append(Answer.BUSY)
    _restore_a_claim(world, after=timedelta(minutes=70))


def a_table_restored_to_before_a_rejection(world: World) -> None:
    # The results bucket still has the files of the failure that the ledger has forgotten.
    world.vendor.answers.extend([Answer.BUSY, Answer.REJECT])
    _restore_a_claim(world, after=timedelta(minutes=40))


def _restore_a_claim(world: World, *, after: timedelta) -> None:
    """Restore the table to the moment after the first attempt of an upload."""
    upload = world.upload()
    world.run_for(timedelta(seconds=5))
    snapshot = world.table.snapshot()
    world.run_for(after)
    world.table.restore(snapshot)
    world.vendor.answers.clear()
    world.announce(upload)
    world.run_until_idle()
    _settle_doubts(world)


def a_restored_table_that_is_compared(world: World) -> None:
    # A person compares the fences with the ledger before anything else happens.
    world.upload("band/first.txt")
    world.run_until_idle()
    world.vendor.answers.append(Answer.RESET)
    world.upload("band/second.txt")
    world.run_until_idle()
    snapshot = world.table.snapshot()
    Maintainer(world).resolve_doubts()
    third = world.upload("band/third.txt")
    world.run_until_idle()
    world.table.restore(snapshot)
    Maintainer(world).put_forgotten_submissions_in_doubt()
    world.announce(third)
    world.run_until_idle()
    _settle_doubts(world)


def a_refused_file_in_a_restored_table(world: World) -> None:
    # An attempt that cost nothing leaves no fence, so the file can be sent.
    snapshot = world.table.snapshot()
    world.vendor.answers.append(Answer.BUSY)
    upload = world.upload()
    world.run_for(timedelta(seconds=5))
    world.table.restore(snapshot)
    world.announce(upload)
    world.run_until_idle()
    _settle_doubts(world)


def _settle_doubts(world: World) -> None:
    Maintainer(world).resolve_doubts()
    world.run_until_idle()
    Maintainer(world).resolve_doubts()
    world.run_until_idle()


def lost_messages(world: World) -> None:
    world.upload()
    world.run_for(timedelta(seconds=1))
    Maintainer(world).purge_queue()
    world.run_until_idle()


SCENARIOS: Mapping[str, Scenario] = {
    scenario.__name__: scenario
    for scenario in (
        one_upload,
        a_repeated_event,
        an_event_repeated_after_the_lease,
        two_versions_announced_in_reverse_order,
        an_event_without_version_id,
        an_invalid_upload,
        an_upload_above_the_ceiling,
        a_rejected_file,
        a_busy_vendor,
        repeated_server_errors,
        an_empty_account,
        an_account_that_stays_empty,
        an_abandoned_unaffordable_upload,
        an_upload_abandoned_while_the_vendor_is_busy,
        an_upload_claimed_before_a_long_open_breaker,
        a_refused_key,
        a_refused_key_for_hours,
        a_checker_beyond_the_plan,
        a_checker_that_stays_refused,
        an_outage,
        an_outage_that_outlasts_every_deadline,
        an_outage_of_submissions_only,
        an_outage_that_ends_with_a_refusal,
        an_outage_after_which_nobody_waits,
        messages_lost_in_an_outage,
        a_rotated_key,
        a_slow_task_that_makes_progress,
        a_failed_task,
        a_task_that_fails_twice,
        a_late_task_that_is_collected_again,
        a_stopped_execution,
        a_doubt_that_was_charged,
        a_doubt_that_was_not_charged,
        a_doubt_that_is_resolved_wrongly,
        a_repeated_doubt,
        an_abandoned_doubt,
        two_files_with_one_task_id,
        a_table_restored_to_before_the_post,
        a_table_restored_to_before_the_upload,
        a_table_restored_after_the_deadline,
        a_table_restored_to_before_a_rejection,
        a_restored_table_that_is_compared,
        a_refused_file_in_a_restored_table,
        lost_messages,
        *MEMORY_SCENARIOS,
        a_table_restored_to_before_a_remembered_upload,
    )
}
