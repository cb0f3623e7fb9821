"""Scenarios with the verdict memory."""

from datetime import timedelta

from tests.support.crash.maintainer import Maintainer
from tests.support.crash.world import World


def overlapping_uploads(world: World) -> None:
    world.remember()
    world.upload()
    world.run_until_idle()
    world.upload("band/second.txt", [*world.rows[0], "+447700901000", "+447700901001"])
    world.run_until_idle()
    world.upload("band/third.txt", world.rows[1])
    world.run_until_idle()


def an_upload_while_the_memory_changes(world: World) -> None:
    # A worker that loses its job while it stores what it recalled has an answer that no longer counts, and
    # lacks a new one. So it recalled as many answers as the worker that takes the job over.
    yes_or_no, new = ["+447700901000", "+447700901001"], ["+447700902000"]
    world.remember()
    world.upload("band/first.txt", yes_or_no)
    world.run_for(timedelta(days=1, hours=11, minutes=50))
    world.upload("band/second.txt", new)
    world.upload("band/third.txt", [*yes_or_no, *new, "+447700903000"])
    world.vendor.slow_from = world.clock.now() + timedelta(minutes=10)
    world.run_for(timedelta(hours=6))
    world.run_until_idle()


def an_upload_whose_remembered_answers_are_withheld(world: World) -> None:
    world.remember()
    world.upload()
    world.run_until_idle()
    world.upload("band/second.txt", [*world.rows[0], "+447700901000", "+447700901001"])
    world.buckets.withhold("recalled/")
    # Scheduled, so that it also comes in time while a late write lets an hour pass.
    world.clock.schedule(world.clock.now() + timedelta(minutes=10), lambda: world.buckets.withhold(None))
    world.run_until_idle()


def an_upload_collected_on_the_next_day(world: World) -> None:
    world.remember()
    world.run_for(timedelta(hours=11, minutes=59, seconds=50))
    world.upload()
    world.run_until_idle()
    world.upload("band/second.txt", world.rows[0])
    world.run_until_idle()


def an_answered_upload_that_is_announced_again(world: World) -> None:
    world.remember()
    world.upload()
    world.run_until_idle()
    answered = world.upload("band/second.txt", world.rows[0])
    world.announce(answered)
    world.run_for(timedelta(seconds=12))
    world.announce(answered)
    world.run_until_idle()


def an_answered_upload_without_its_message(world: World) -> None:
    world.remember()
    world.upload()
    world.run_until_idle()
    world.upload("band/second.txt", world.rows[0])
    world.run_for(timedelta(seconds=1))
    Maintainer(world).purge_queue()
    world.run_until_idle()


def a_remembered_upload_in_an_outage(world: World) -> None:
    world.remember()
    world.upload()
    world.run_until_idle()
    world.vendor.is_down = True
    world.upload("band/second.txt")
    world.run_for(timedelta(minutes=1))
    world.upload("band/third.txt", world.rows[0])
    world.upload("band/fourth.txt")
    world.run_for(timedelta(minutes=12))
    world.vendor.is_down = False
    world.run_until_idle()


MEMORY_SCENARIOS = (
    overlapping_uploads,
    an_upload_while_the_memory_changes,
    an_upload_whose_remembered_answers_are_withheld,
    an_upload_collected_on_the_next_day,
    an_answered_upload_that_is_announced_again,
    an_answered_upload_without_its_message,
    a_remembered_upload_in_an_outage,
)
