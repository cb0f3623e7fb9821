"""The money rules as data: exactly the steps of the table, and no other."""

import pytest

from numberdrop.jobs.transitions import TRANSITIONS, Guard, State, Transition

ALLOWED_STEPS = {
    (None, "claimed", "claim"),
    ("claimed", "claimed", "reclaim"),
    ("blocked", "claimed", "reclaim"),
    ("claimed", "claimed", "release"),
    ("claimed", "failed", "decline"),
    ("claimed", "submitting", "arm"),
    ("submitting", "submitted", "accept"),
    ("in_doubt", "submitted", "accept"),
    ("submitting", "claimed", "release"),
    ("submitting", "blocked", "block"),
    ("submitting", "failed", "reject"),
    ("submitting", "in_doubt", "doubt"),
    ("submitting", "in_doubt", "worker lost"),
    ("submitted", "completed", "complete"),
    ("submitted", "failed", "fail"),
    ("in_doubt", "submitted", "charged"),
    ("in_doubt", "claimed", "not charged"),
    ("in_doubt", "abandoned", "abandon"),
    ("blocked", "failed", "give up"),
    ("claimed", "failed", "give up"),
    ("failed", "submitted", "collect again"),
}
"""From one state to another, by one transition."""

DECIDED_BY_A_PERSON = {"charged", "not charged", "abandon", "give up", "collect again"}


def steps() -> set[tuple[str | None, str, str]]:
    return {
        (source, transition.target, transition.name)
        for transition in TRANSITIONS
        for source in (transition.sources or {None})
    }


def test_the_allowed_steps_are_exactly_those_of_the_table() -> None:
    assert steps() == ALLOWED_STEPS


def test_names_are_unique() -> None:
    assert len({transition.name for transition in TRANSITIONS}) == len(TRANSITIONS)


@pytest.mark.parametrize("state", [State.COMPLETED, State.ABANDONED])
def test_nothing_leads_out_of_a_terminal_state(state: State) -> None:
    assert not [transition.name for transition in TRANSITIONS if state in transition.sources]


def test_a_failed_job_is_only_taken_up_again_to_collect_what_was_paid_for() -> None:
    (way,) = (transition for transition in TRANSITIONS if State.FAILED in transition.sources)
    assert (way.name, way.target, way.guard) == ("collect again", State.SUBMITTED, Guard.READ)


def test_a_doubt_is_only_left_by_a_late_task_id_or_a_persons_word() -> None:
    ways = {transition.name for transition in TRANSITIONS if State.IN_DOUBT in transition.sources}
    assert ways == {"accept", "charged", "not charged", "abandon"}


def test_a_job_that_may_have_been_charged_is_only_sent_again_on_a_persons_word() -> None:
    unclear = {State.IN_DOUBT, State.SUBMITTED, State.COMPLETED, State.FAILED, State.ABANDONED}
    back = {t.name for t in TRANSITIONS if t.target is State.CLAIMED and t.sources & unclear}
    assert back == {"not charged"}


def test_doubt_comes_from_submitting_only() -> None:
    assert {source for source, target, _ in steps() if target == "in_doubt"} == {"submitting"}


def test_submitting_is_only_entered_from_claimed_by_whoever_holds_the_token() -> None:
    (arm,) = (transition for transition in TRANSITIONS if transition.target is State.SUBMITTING)
    assert (arm.sources, arm.guard) == (frozenset({State.CLAIMED}), Guard.TOKEN)


@pytest.mark.parametrize("transition", TRANSITIONS, ids=lambda transition: transition.name)
def test_each_step_is_guarded_by_what_makes_it_safe(transition: Transition) -> None:
    expected = {
        "claim": Guard.NEW,
        "reclaim": Guard.LEASE_OVER,
        "worker lost": Guard.LEASE_OVER,
        "complete": Guard.TASK,
        "fail": Guard.TASK,
        **dict.fromkeys(DECIDED_BY_A_PERSON, Guard.READ),
    }
    assert transition.guard is expected.get(transition.name, Guard.TOKEN)


def test_every_state_is_reached() -> None:
    assert {transition.target for transition in TRANSITIONS} == set(State)
