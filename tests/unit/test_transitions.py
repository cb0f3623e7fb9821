"""The table of transitions has exactly the allowed ones."""

import pytest

from numberdrop.jobs.transitions import FOLLOWED, TRANSITIONS, Guard, State, Transition, failure_of

ALLOWED = {
    (None, "claimed", "claim"),
    ("claimed", "claimed", "reclaim"),
    ("blocked", "claimed", "reclaim"),
    ("claimed", "claimed", "release"),
    ("claimed", "failed", "decline"),
    ("claimed", "submitting", "arm"),
    ("claimed", "answered", "answer"),
    ("submitting", "submitted", "accept"),
    ("in_doubt", "submitted", "accept"),
    ("submitting", "claimed", "release"),
    ("submitting", "blocked", "block"),
    ("claimed", "blocked", "block"),
    ("submitting", "failed", "reject"),
    ("submitting", "in_doubt", "doubt"),
    ("submitting", "in_doubt", "worker lost"),
    ("submitted", "completed", "complete"),
    ("submitted", "failed", "fail"),
    ("answered", "completed", "complete answered"),
    ("answered", "failed", "fail answered"),
    ("claimed", "in_doubt", "forgotten"),
    ("submitting", "in_doubt", "forgotten"),
    ("blocked", "in_doubt", "forgotten"),
    ("in_doubt", "in_doubt", "forgotten"),
    ("in_doubt", "submitted", "charged"),
    ("in_doubt", "claimed", "not charged"),
    ("in_doubt", "abandoned", "abandon"),
    ("blocked", "failed", "give up"),
    ("claimed", "failed", "give up"),
    ("failed", "submitted", "collect again"),
}
"""Source state, target state and name of each transition."""

DECIDED_BY_PEOPLE = {"forgotten", "charged", "not charged", "abandon", "give up", "collect again"}


def actual() -> set[tuple[str | None, str, str]]:
    return {
        (source, transition.target, transition.name)
        for transition in TRANSITIONS
        for source in (transition.sources or {None})
    }


def test_the_transitions_are_exactly_the_allowed_ones() -> None:
    assert actual() == ALLOWED


def test_transition_names_are_unique() -> None:
    assert len({transition.name for transition in TRANSITIONS}) == len(TRANSITIONS)


@pytest.mark.parametrize("state", [State.COMPLETED, State.ABANDONED])
def test_no_transition_leaves_a_terminal_state(state: State) -> None:
    assert not [transition.name for transition in TRANSITIONS if state in transition.sources]


def test_a_failed_job_can_only_be_collected_again() -> None:
    (only,) = (transition for transition in TRANSITIONS if State.FAILED in transition.sources)
    assert (only.name, only.target, only.guard) == ("collect again", State.SUBMITTED, Guard.READ)


def test_only_a_late_task_id_or_a_person_resolves_a_doubt() -> None:
    names = {transition.name for transition in TRANSITIONS if State.IN_DOUBT in transition.sources}
    assert names == {"accept", "forgotten", "charged", "not charged", "abandon"}


def test_only_a_person_can_resend_a_possibly_charged_file() -> None:
    possibly_charged = {State.IN_DOUBT, State.SUBMITTED, State.COMPLETED, State.FAILED, State.ABANDONED}
    resending = {t.name for t in TRANSITIONS if t.target is State.CLAIMED and t.sources & possibly_charged}
    assert resending == {"not charged"}


def test_only_submitting_leads_to_doubt_by_itself() -> None:
    doubts = {(source, name) for source, target, name in actual() if target == "in_doubt"}
    assert {source for source, name in doubts if name not in DECIDED_BY_PEOPLE} == {"submitting"}


def test_no_transition_between_answered_and_a_charge() -> None:
    """An answered job was never sent, and never will be."""
    before = {source for t in TRANSITIONS if t.target is State.ANSWERED for source in t.sources}
    after = {t.target for t in TRANSITIONS if State.ANSWERED in t.sources}
    assert (before, after) == ({State.CLAIMED}, {State.COMPLETED, State.FAILED})


@pytest.mark.parametrize("state", sorted(FOLLOWED))
def test_every_followed_job_can_fail(state: State) -> None:
    assert state in failure_of(state).sources


def test_only_the_token_holder_arms_a_claimed_job() -> None:
    (arm,) = (transition for transition in TRANSITIONS if transition.target is State.SUBMITTING)
    assert (arm.sources, arm.guard) == (frozenset({State.CLAIMED}), Guard.TOKEN)


@pytest.mark.parametrize("transition", TRANSITIONS, ids=lambda transition: transition.name)
def test_each_transition_has_its_guard(transition: Transition) -> None:
    expected = {
        "claim": Guard.NEW,
        "reclaim": Guard.LEASE_OVER,
        "worker lost": Guard.LEASE_OVER,
        "complete": Guard.TASK,
        "fail": Guard.TASK,
        **dict.fromkeys(DECIDED_BY_PEOPLE, Guard.READ),
    }
    assert transition.guard is expected.get(transition.name, Guard.TOKEN)


def test_every_state_can_be_reached() -> None:
    assert {transition.target for transition in TRANSITIONS} == set(State)
