"""Other engines read the state machine: a linter of the language, and an implementation of JSONata."""

import json
from collections.abc import Callable
from copy import deepcopy
from dataclasses import asdict
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonata.jexception import JException
from statelint.config import Config
from statelint.linter import Linter
from statelint.problem import ProblemType

from numberdrop.jobs.decision import Decision, Next, PollState
from numberdrop.jobs.reasons import Reason, ReasonCode
from tests.support.expressions import UndefinedError, evaluated
from tests.support.template import state_machine

MACHINE = state_machine()
STATES: dict[str, dict[str, Any]] = MACHINE["States"]
LONGEST_WAIT = 99_999_999
"""Seconds (AWS Step Functions developer guide, "Wait workflow state")."""

ACCEPTED = {
    # The guide of the Wait state allows an expression, and rates need no decimal point.
    'State Machine.States.Wait for the vendor.Seconds is "{% $wait_seconds %}" but should be an Integer',
}


# The language


def findings(machine: dict[str, Any]) -> set[str]:
    """Return what the linter says, apart from what we accept."""
    return set(Linter.validate(machine, Config({ProblemType.FLOAT}))) - ACCEPTED


def test_the_linter_of_the_language_finds_nothing() -> None:
    assert findings(MACHINE) == set()


HOLES: dict[str, Callable[[dict[str, Any]], object]] = {
    "a state that does not exist": lambda states: states["Exported?"].update(Default="Nowhere"),
    "a field of JSONPath": lambda states: states["Check the task"].update(ResultPath="$.x"),
    "a misspelt field of a retrier": lambda states: states["Check the task"]["Retry"][0].update(MaxTries=1),
    "a state that nothing leads to": lambda states: states.update(Lonely={"Type": "Succeed"}),
    "a rule without a next state": lambda states: states["Exported?"]["Choices"][0].pop("Next"),
    "a time-out in words": lambda states: states["Check the task"].update(TimeoutSeconds="150"),
}


@pytest.mark.parametrize("hole", HOLES)
def test_the_linter_finds(hole: str) -> None:
    machine = deepcopy(MACHINE)
    HOLES[hole](machine["States"])
    assert findings(machine)


# Expressions

REASONS = st.builds(Reason, st.sampled_from(ReasonCode), st.text(max_size=30))
TIMES = st.none() | st.just("2026-01-02T03:04:05+00:00")
SEEN = st.builds(
    PollState,
    unknown_since=TIMES,
    linkless=st.integers(0, 9),
    done=st.none() | st.integers(0, 10**9),
    done_since=TIMES,
    grown_at=TIMES,
    export_missing_since=TIMES,
    memory_unreadable_since=TIMES,
)
DECISIONS = st.builds(
    Decision,
    next=st.sampled_from(Next),
    wait_seconds=st.integers(0, 864_000),
    seen=SEEN,
    reason=st.none() | REASONS,
    total=st.none() | st.integers(0, 10**9),
    success=st.none() | st.integers(0, 10**9),
)
"""What the functions return; many of its fields may be null."""


def assigned(decision: Decision) -> dict[str, Any]:
    """Return the variables of an execution after a function's answer."""
    answer = json_of(decision.as_payload())
    names = ("next", "seen", "wait_seconds", "reason")
    return {"job_id": "f" * 64, **{name: answer[name] for name in names}}


def states_after(answer: Any) -> dict[str, Any]:
    return {
        "input": {"job_id": "f" * 64, "checker": "band", "wait_seconds": 10},
        "result": {"StatusCode": 200, "Payload": json_of(answer)},
        "errorOutput": {"Error": "States.Timeout", "Cause": ""},
        "context": {"Execution": {"Name": "f" * 64}},
    }


def json_of(value: Any) -> Any:
    return json.loads(json.dumps(value))


@pytest.mark.slow
@given(DECISIONS, REASONS)
def test_every_expression_has_a_value_of_its_type(decision: Decision, recorded: Reason) -> None:
    for name, state in STATES.items():
        variables = assigned(decision)
        if name in {"Record the failure", "Failed"}:
            variables["reason"] = json_of(asdict(recorded))
        answer = asdict(recorded) if name == "Record the failure" else decision.as_payload()

        values = evaluated(state, variables, states_after(answer))

        assert "{%" not in json.dumps({field: values[field] for field in values.keys() - {"Comment"}})
        match state["Type"]:
            case "Wait":
                assert type(values["Seconds"]) is int
                assert 0 <= values["Seconds"] <= LONGEST_WAIT
            case "Choice":
                assert {type(choice["Condition"]) for choice in values["Choices"]} == {bool}
            case "Fail":
                assert (values["Error"], values["Cause"]) == (recorded.code, recorded.message)


@pytest.mark.parametrize("start", [{"job_id": "f"}, {"job_id": "f", "checker": "band", "wait_seconds": 99}])
def test_an_execution_can_start_without_a_first_wait(start: dict[str, Any]) -> None:
    """Older versions, and people, may start executions with nothing but the job's id."""
    values = evaluated(STATES[MACHINE["StartAt"]], {}, {"input": start})

    assert values["Assign"]["wait_seconds"] == start.get("wait_seconds", 10)


@pytest.mark.parametrize("state", ["Check the task", "Collect the results"])
@pytest.mark.parametrize("field", ["next", "seen", "wait_seconds", "reason", "total", "success"])
def test_a_missing_field_of_an_answer_is_noticed(state: str, field: str) -> None:
    answer = {name: value for name, value in Decision(Next.WAIT).as_payload().items() if name != field}
    with pytest.raises(UndefinedError):
        evaluated(STATES[state], assigned(Decision(Next.WAIT)), states_after(answer))


@pytest.mark.parametrize("expression", ["{% $states.result.( %}", "{% $nothing.code %}", "{% 'a' + 1 %}"])
def test_an_expression_without_a_value_is_noticed(expression: str) -> None:
    with pytest.raises((UndefinedError, JException)):
        evaluated(expression, {}, states_after(None))
