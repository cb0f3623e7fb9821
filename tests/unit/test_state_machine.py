"""Rules that the state machine's definition follows."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from numberdrop.jobs.decision import CHECK_THE_TASK, Decision, Next
from numberdrop.jobs.reasons import ReasonCode
from tests.support.template import resources, state_machine, template

STATES: dict[str, dict[str, Any]] = state_machine()["States"]
TASKS = {name: state for name, state in STATES.items() if state["Type"] == "Task"}
CHOICES = {name: state for name, state in STATES.items() if state["Type"] == "Choice"}
THE_FAILURE_PATH = "Record the failure"


def followers(state: dict[str, Any]) -> set[str]:
    branches = [state, *state.get("Choices", []), *state.get("Catch", [])]
    return {branch["Next"] for branch in branches if "Next" in branch} | {
        state[key] for key in ["Default"] if key in state
    }


def reachable(start: str, *, without: frozenset[str] = frozenset()) -> set[str]:
    """Return the states that can follow a state on paths that avoid some states."""
    visited: set[str] = set()
    ahead = followers(STATES[start]) - without
    while ahead:
        state = ahead.pop()
        visited.add(state)
        ahead |= followers(STATES[state]) - visited - without
    return visited


def next_states(choice: str) -> dict[str, str]:
    """Return the state that each answer leads to, by the word that is compared."""
    return {
        re.fullmatch(r"\{% \$next = '(\w+)' %\}", rule["Condition"])[1]: rule["Next"]  # type: ignore[index]
        for rule in CHOICES[choice]["Choices"]
    }


def expressions(value: Any) -> Iterator[str]:
    match value:
        case str() if value.startswith("{%"):
            yield value
        case dict():
            for inner in value.values():
                yield from expressions(inner)
        case list():
            for inner in value:
                yield from expressions(inner)


def test_every_state_uses_jsonata() -> None:
    assert state_machine()["QueryLanguage"] == "JSONata"
    jsonpath = {"InputPath", "OutputPath", "ResultPath", "ResultSelector", "Parameters"}
    for state in STATES.values():
        assert not jsonpath & state.keys()
        assert "QueryLanguage" not in state


def test_the_state_machine_has_a_useful_comment() -> None:
    assert "task" in state_machine()["Comment"]


def test_every_state_is_reachable_and_every_next_exists() -> None:
    start = state_machine()["StartAt"]
    assert reachable(start) | {start} == STATES.keys()


def test_the_state_that_checks_the_task_exists() -> None:
    assert CHECK_THE_TASK in TASKS
    assert "${CheckStatusFunctionArn}" in json.dumps(TASKS[CHECK_THE_TASK])


@pytest.mark.parametrize("name", STATES)
def test_state_names_are_sentences_and_choices_questions(name: str) -> None:
    assert re.fullmatch(r"[A-Z][a-z ]+\??", name)
    assert name.endswith("?") == (name in CHOICES)


@pytest.mark.parametrize("name", CHOICES)
def test_an_unexpected_answer_leads_to_failure(name: str) -> None:
    default = CHOICES[name]["Default"]
    assert "Completed" not in reachable(default)
    assert "Failed" in reachable(default)
    assert THE_FAILURE_PATH in reachable(default)


def mean_seconds(retry: dict[str, Any]) -> float:
    """Return how long a retrier retries on average, in seconds; full jitter halves each pause."""
    pauses = (retry["IntervalSeconds"] * retry["BackoffRate"] ** n for n in range(retry["MaxAttempts"]))
    return float(sum(min(pause, retry["MaxDelaySeconds"]) for pause in pauses)) / 2


@pytest.mark.parametrize("name", TASKS)
def test_every_task_is_retried_with_jitter_and_backoff(name: str) -> None:
    *_, any_error = TASKS[name]["Retry"]
    assert any_error["ErrorEquals"] == ["States.ALL"]
    for retry in TASKS[name]["Retry"]:
        assert retry["JitterStrategy"] == "FULL"
        assert retry["BackoffRate"] > 1
        assert 60 <= retry["MaxDelaySeconds"] <= 900


@pytest.mark.parametrize("name", TASKS)
def test_a_throttled_function_is_retried_often_for_hours(name: str) -> None:
    throttled, _ = TASKS[name]["Retry"]
    assert throttled["ErrorEquals"] == ["Lambda.TooManyRequestsException"]
    assert throttled["MaxDelaySeconds"] == 60
    assert mean_seconds(throttled) >= 4 * 3600


@pytest.mark.parametrize("name", ["Check the task", "Collect the results"])
def test_an_outage_of_hours_does_not_fail_a_paid_task(name: str) -> None:
    *_, any_error = TASKS[name]["Retry"]
    assert mean_seconds(any_error) >= 6 * 3600


def test_retries_leave_room_in_the_history() -> None:
    """A retry adds at most three events: scheduled, started, failed (Step Functions developer guide)."""
    for task in TASKS.values():
        assert 3 * sum(retry["MaxAttempts"] for retry in task["Retry"]) < 25_000 / 10


@pytest.mark.parametrize("name", TASKS)
def test_every_failed_task_takes_the_failure_path(name: str) -> None:
    (catch,) = TASKS[name]["Catch"]
    assert catch["ErrorEquals"] == ["States.ALL"]
    assert catch["Next"] == ("Failed" if name == THE_FAILURE_PATH else THE_FAILURE_PATH)
    assert catch["Assign"]["reason"]["code"] in set(ReasonCode)


@pytest.mark.parametrize("name", TASKS)
def test_every_task_times_out_after_its_function(name: str) -> None:
    arguments = TASKS[name]["Arguments"]
    substitution = re.fullmatch(r"\$\{(\w+)FunctionArn\}", arguments["FunctionName"])
    assert substitution
    function = resources("AWS::Serverless::Function")[f"{substitution[1]}Function"]
    assert function["Timeout"] < TASKS[name]["TimeoutSeconds"] <= function["Timeout"] + 60


@pytest.mark.parametrize("name", TASKS)
def test_no_task_runs_twice_without_a_wait_between(name: str) -> None:
    assert name not in reachable(name, without=frozenset({"Wait for the vendor"}))


def test_the_wait_is_as_long_as_decided() -> None:
    wait = STATES["Wait for the vendor"]
    assert (wait["Type"], wait["Seconds"]) == ("Wait", "{% $wait_seconds %}")


def test_the_choices_handle_every_possible_decision() -> None:
    assert next_states("Exported?").keys() == {Next.WAIT, Next.COLLECT, Next.FAIL}
    assert next_states("Collected?").keys() == {Next.WAIT, Next.DONE, Next.FAIL}


@pytest.mark.parametrize("choice", CHOICES)
def test_each_decision_leads_to_its_state(choice: str) -> None:
    expected = {
        "wait": "Wait for the vendor",
        "collect": "Collect the results",
        "fail": THE_FAILURE_PATH,
        "done": "Completed",
    }
    assert next_states(choice).items() <= expected.items()


def test_every_field_read_from_a_decision_exists() -> None:
    for name in ("Check the task", "Collect the results"):
        assigned = {**TASKS[name]["Assign"], **TASKS[name]["Output"]}
        for expression in assigned.values():
            value: Any = Decision(Next.WAIT).as_payload()
            for field in expression.removeprefix("{% $states.result.Payload.").removesuffix(" %}").split("."):
                assert field in value, expression
                value = value[field]


def test_every_variable_is_assigned_before_it_can_be_read() -> None:
    assigned = {name for state in STATES.values() for name in state.get("Assign", {})}
    caught = {name for task in TASKS.values() for name in task["Catch"][0]["Assign"]}
    for expression in expressions(STATES):
        read = set(re.findall(r"\$([a-z]\w*)\b(?!\()", expression))
        assert read - {"states"} <= assigned | caught


def test_a_failed_execution_has_the_reason_as_error_and_cause() -> None:
    ends = {name: state for name, state in STATES.items() if state["Type"] == "Fail"}
    assert ends == {
        "Failed": {"Type": "Fail", "Error": "{% $reason.code %}", "Cause": "{% $reason.message %}"}
    }


def test_only_a_collection_leads_to_success() -> None:
    predecessors = {name for name, state in STATES.items() if "Completed" in followers(state)}
    assert predecessors == {"Collected?"}


def test_no_link_key_or_number_is_kept_in_the_state_machine() -> None:
    forbidden = re.compile(r"result_url|api_?key|number|https?:", re.IGNORECASE)
    without_comments = json.dumps({name: {**state, "Comment": ""} for name, state in STATES.items()})
    assert not forbidden.search(without_comments)


def test_functions_receive_only_ids_counts_and_reasons() -> None:
    payloads = {name: set(task["Arguments"]["Payload"]) for name, task in TASKS.items()}
    assert payloads == {
        "Check the task": {"job_id", "seen", "retries"},
        "Collect the results": {"job_id", "seen"},
        "Record the failure": {"job_id", "execution", "reason"},
    }


def test_the_state_machine_outlives_the_longest_task() -> None:
    longest_hours = template()["Parameters"]["JobTimeoutHours"]["MaxValue"]
    assert state_machine()["TimeoutSeconds"] > longest_hours * 3600


def test_the_template_fills_every_placeholder() -> None:
    placeholders = set(re.findall(r"\$\{(\w+)\}", json.dumps(state_machine())))
    (machine,) = resources("AWS::Serverless::StateMachine").values()
    assert machine["DefinitionSubstitutions"].keys() == placeholders


def test_an_execution_starts_with_its_job_id() -> None:
    remember = STATES[state_machine()["StartAt"]]
    assert remember["Assign"].items() >= {"job_id": "{% $states.input.job_id %}", "seen": {}}.items()


def test_the_first_wait_is_ten_seconds_by_default() -> None:
    """An older version, or a person, may start an execution with nothing but the job's id."""
    remember = STATES[state_machine()["StartAt"]]
    wait = "$states.input.wait_seconds"
    assert remember["Assign"]["wait_seconds"] == f"{{% $exists({wait}) ? {wait} : 10 %}}"
