"""The rules that the state machine keeps, read from its definition."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from numberdrop.jobs.decision import Decision, Next
from numberdrop.jobs.reasons import ReasonCode
from tests.support.template import resources, state_machine, template

STATES: dict[str, dict[str, Any]] = state_machine()["States"]
TASKS = {name: state for name, state in STATES.items() if state["Type"] == "Task"}
CHOICES = {name: state for name, state in STATES.items() if state["Type"] == "Choice"}
THE_FAILURE_PATH = "Record the failure"


def followers(state: dict[str, Any]) -> set[str]:
    ways = [state, *state.get("Choices", []), *state.get("Catch", [])]
    return {way["Next"] for way in ways if "Next" in way} | {
        state[key] for key in ["Default"] if key in state
    }


def reachable(start: str, *, without: frozenset[str] = frozenset()) -> set[str]:
    """The states that can follow a state, without passing through some of them."""
    seen: set[str] = set()
    ahead = followers(STATES[start]) - without
    while ahead:
        state = ahead.pop()
        seen.add(state)
        ahead |= followers(STATES[state]) - seen - without
    return seen


def branches(choice: str) -> dict[str, str]:
    """Where each answer leads, by the word that is compared."""
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


def test_the_whole_machine_speaks_jsonata() -> None:
    assert state_machine()["QueryLanguage"] == "JSONata"
    jsonpath = {"InputPath", "OutputPath", "ResultPath", "ResultSelector", "Parameters"}
    for state in STATES.values():
        assert not jsonpath & state.keys()
        assert "QueryLanguage" not in state


def test_the_machine_says_what_it_is_for() -> None:
    assert "task" in state_machine()["Comment"]


def test_every_state_is_reachable_and_every_next_exists() -> None:
    start = state_machine()["StartAt"]
    assert reachable(start) | {start} == STATES.keys()


@pytest.mark.parametrize("name", STATES)
def test_names_are_short_sentences_and_choices_are_questions(name: str) -> None:
    assert re.fullmatch(r"[A-Z][a-z ]+\??", name)
    assert name.endswith("?") == (name in CHOICES)


@pytest.mark.parametrize("name", CHOICES)
def test_an_answer_that_no_choice_expects_leads_to_failure(name: str) -> None:
    default = CHOICES[name]["Default"]
    assert "Completed" not in reachable(default)
    assert "Failed" in reachable(default)
    assert THE_FAILURE_PATH in reachable(default)


def mean_seconds(retry: dict[str, Any]) -> float:
    """How long a retrier goes on, on average: full jitter takes half of each pause."""
    pauses = (retry["IntervalSeconds"] * retry["BackoffRate"] ** n for n in range(retry["MaxAttempts"]))
    return float(sum(min(pause, retry["MaxDelaySeconds"]) for pause in pauses)) / 2


@pytest.mark.parametrize("name", TASKS)
def test_every_task_is_tried_again_with_jitter_and_growing_pauses(name: str) -> None:
    *_, whatever_failed = TASKS[name]["Retry"]
    assert whatever_failed["ErrorEquals"] == ["States.ALL"]
    for retry in TASKS[name]["Retry"]:
        assert retry["JitterStrategy"] == "FULL"
        assert retry["BackoffRate"] > 1
        assert 60 <= retry["MaxDelaySeconds"] <= 900


@pytest.mark.parametrize("name", TASKS)
def test_a_throttled_function_is_waited_for_for_hours_without_long_pauses(name: str) -> None:
    throttled, _ = TASKS[name]["Retry"]
    assert throttled["ErrorEquals"] == ["Lambda.TooManyRequestsException"]
    assert throttled["MaxDelaySeconds"] == 60
    assert mean_seconds(throttled) >= 4 * 3600


@pytest.mark.parametrize("name", ["Check the task", "Collect the results"])
def test_an_outage_of_hours_fails_no_task_that_is_paid_for(name: str) -> None:
    *_, whatever_failed = TASKS[name]["Retry"]
    assert mean_seconds(whatever_failed) >= 6 * 3600


def test_retries_leave_room_in_the_history() -> None:
    """Each adds three events at most: scheduled, started, failed (Step Functions developer guide)."""
    for task in TASKS.values():
        assert 3 * sum(retry["MaxAttempts"] for retry in task["Retry"]) < 25_000 / 10


@pytest.mark.parametrize("name", TASKS)
def test_every_task_that_fails_for_good_takes_the_one_failure_path(name: str) -> None:
    (catch,) = TASKS[name]["Catch"]
    assert catch["ErrorEquals"] == ["States.ALL"]
    assert catch["Next"] == ("Failed" if name == THE_FAILURE_PATH else THE_FAILURE_PATH)
    assert catch["Assign"]["reason"]["code"] in set(ReasonCode)


@pytest.mark.parametrize("name", TASKS)
def test_every_task_waits_a_little_longer_than_its_function_may_run(name: str) -> None:
    arguments = TASKS[name]["Arguments"]
    substitution = re.fullmatch(r"\$\{(\w+)FunctionArn\}", arguments["FunctionName"])
    assert substitution
    function = resources("AWS::Serverless::Function")[f"{substitution[1]}Function"]
    assert function["Timeout"] < TASKS[name]["TimeoutSeconds"] <= function["Timeout"] + 60


@pytest.mark.parametrize("name", TASKS)
def test_nothing_is_asked_of_the_vendor_twice_without_a_wait_between(name: str) -> None:
    assert name not in reachable(name, without=frozenset({"Wait for the vendor"}))


def test_the_wait_is_as_long_as_was_decided() -> None:
    wait = STATES["Wait for the vendor"]
    assert (wait["Type"], wait["Seconds"]) == ("Wait", "{% $wait_seconds %}")


def test_the_choices_know_every_decision_that_can_reach_them() -> None:
    assert branches("Exported?").keys() == {Next.WAIT, Next.COLLECT, Next.FAIL}
    assert branches("Collected?").keys() == {Next.WAIT, Next.DONE, Next.FAIL}


@pytest.mark.parametrize("choice", CHOICES)
def test_decisions_lead_where_their_words_say(choice: str) -> None:
    expected = {
        "wait": "Wait for the vendor",
        "collect": "Collect the results",
        "fail": THE_FAILURE_PATH,
        "done": "Completed",
    }
    assert branches(choice).items() <= expected.items()


def test_what_the_machine_reads_of_a_decision_is_what_a_decision_has() -> None:
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


def test_a_failure_is_told_by_its_error_and_cause() -> None:
    ends = {name: state for name, state in STATES.items() if state["Type"] == "Fail"}
    assert ends == {
        "Failed": {"Type": "Fail", "Error": "{% $reason.code %}", "Cause": "{% $reason.message %}"}
    }


def test_success_is_only_reached_through_a_collection() -> None:
    ways = {name for name, state in STATES.items() if "Completed" in followers(state)}
    assert ways == {"Collected?"}


def test_neither_links_nor_keys_nor_numbers_are_kept_in_the_machine() -> None:
    forbidden = re.compile(r"result_url|api_?key|number|https?:", re.IGNORECASE)
    without_comments = json.dumps({name: {**state, "Comment": ""} for name, state in STATES.items()})
    assert not forbidden.search(without_comments)


def test_functions_get_ids_counts_and_reasons_only() -> None:
    payloads = {name: set(task["Arguments"]["Payload"]) for name, task in TASKS.items()}
    assert payloads == {
        "Check the task": {"job_id", "seen"},
        "Collect the results": {"job_id"},
        "Record the failure": {"job_id", "execution", "reason"},
    }


def test_the_machine_outlives_the_longest_task() -> None:
    longest_hours = template()["Parameters"]["JobTimeoutHours"]["MaxValue"]
    assert state_machine()["TimeoutSeconds"] > longest_hours * 3600


def test_every_placeholder_is_filled_in_by_the_template() -> None:
    placeholders = set(re.findall(r"\$\{(\w+)\}", json.dumps(state_machine())))
    (machine,) = resources("AWS::Serverless::StateMachine").values()
    assert machine["DefinitionSubstitutions"].keys() == placeholders


def test_an_execution_begins_with_what_it_was_started_with() -> None:
    remember = STATES[state_machine()["StartAt"]]
    assert remember["Assign"].items() >= {"job_id": "{% $states.input.job_id %}", "seen": {}}.items()


def test_the_first_wait_is_that_of_the_input_or_ten_seconds() -> None:
    """An execution may be started by an older version, or by hand with nothing but the job's id."""
    remember = STATES[state_machine()["StartAt"]]
    given = "$states.input.wait_seconds"
    assert remember["Assign"]["wait_seconds"] == f"{{% $exists({given}) ? {given} : 10 %}}"
