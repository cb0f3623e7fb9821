"""An in-memory Step Functions that runs the project's own state machine file."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from botocore.exceptions import ClientError

from tests.support.crash.virtual_clock import VirtualClock
from tests.support.expressions import evaluated
from tests.support.template import state_machine

RUNNING = "RUNNING"

Invoke = Callable[[str, dict[str, Any]], Any]
"""Runs the function of a placeholder with a payload; an exception fails the task."""


@dataclass
class Execution:
    """One execution.

    Attributes:
        state: the current state.
        variables: the variables assigned so far.
        attempts: the number of failed attempts of the current state.
        history: everything that Step Functions would store and show.
    """

    name: str
    input: dict[str, Any]
    state: str
    status: str = RUNNING
    variables: dict[str, Any] = field(default_factory=dict)
    attempts: int = 0
    history: list[str] = field(default_factory=list)


@dataclass
class Executions:
    """The state machine and its executions.

    Attributes:
        invoke: runs a function.
        on_end: called with the name and status of each execution that ends.
    """

    clock: VirtualClock
    invoke: Invoke
    on_end: Callable[[str, str], None]
    by_name: dict[str, Execution] = field(default_factory=dict)

    def start_execution(self, **request: str) -> None:
        name, payload = request["name"], json.loads(request["input"])
        existing = self.by_name.get(name)
        if existing and existing.status == RUNNING and existing.input == payload:
            return
        if existing:
            raise ClientError({"Error": {"Code": "ExecutionAlreadyExists", "Message": ""}}, "StartExecution")
        execution = self.by_name[name] = Execution(name, payload, _MACHINE["StartAt"])
        timeout = timedelta(seconds=_MACHINE["TimeoutSeconds"])
        self.clock.schedule(self.clock.now() + timeout, lambda: self._end(execution, "TIMED_OUT"))
        self._schedule_step(execution)

    def describe_execution(self, **request: str) -> dict[str, str]:
        execution = self.by_name.get(request["executionArn"].rpartition(":")[2])
        if execution is None:
            raise ClientError({"Error": {"Code": "ExecutionDoesNotExist", "Message": ""}}, "Describe")
        return {"status": execution.status}

    def stop(self, name: str) -> None:
        """Stop an execution, as a maintainer can."""
        if name in self.by_name:
            self._end(self.by_name[name], "ABORTED")

    def running(self) -> bool:
        return any(execution.status == RUNNING for execution in self.by_name.values())

    def _schedule_step(self, execution: Execution, after: timedelta = timedelta()) -> None:
        self.clock.schedule(self.clock.now() + after, lambda: self._step(execution))

    def _end(self, execution: Execution, status: str) -> None:
        if execution.status == RUNNING:
            execution.status = status
            self.on_end(execution.name, status)

    def _step(self, execution: Execution) -> None:
        if execution.status != RUNNING:
            return
        state = _MACHINE["States"][execution.state]
        match state["Type"]:
            case "Pass":
                self._enter_next(execution, state, {"input": execution.input})
            case "Wait":
                seconds = evaluated(state["Seconds"], execution.variables, {})
                self._enter_next(execution, state, {}, timedelta(seconds=seconds))
            case "Task":
                self._run_task(execution, state)
            case "Choice":
                matching = [c for c in state["Choices"] if evaluated(c["Condition"], execution.variables, {})]
                self._enter_next(execution, matching[0] if matching else {"Next": state["Default"]}, {})
            case "Succeed":
                self._end(execution, "SUCCEEDED")
            case "Fail":
                execution.history.append(json.dumps(evaluated(state["Cause"], execution.variables, {})))
                self._end(execution, "FAILED")

    def _run_task(self, execution: Execution, state: Mapping[str, Any]) -> None:
        context = {"Execution": {"Name": execution.name}}
        arguments = evaluated(state["Arguments"], execution.variables, {"context": context})
        execution.history.append(json.dumps(arguments))
        try:
            payload = self.invoke(arguments["FunctionName"], arguments["Payload"])
        except Exception as error:  # noqa: BLE001 - any exception of a function fails its task
            self._retry_or_catch(execution, state, error)
            return
        execution.history.append(json.dumps(payload))
        self._enter_next(execution, state, {"result": {"Payload": payload}})

    def _retry_or_catch(self, execution: Execution, state: Mapping[str, Any], error: Exception) -> None:
        """Retry as late as the jitter allows, or enter the state of the catcher."""
        execution.history.append(f"{type(error).__name__}: {error}")
        *_, retry = state["Retry"]
        if execution.attempts < retry["MaxAttempts"]:
            delay = retry["IntervalSeconds"] * retry["BackoffRate"] ** execution.attempts
            execution.attempts += 1
            self._schedule_step(execution, timedelta(seconds=min(delay, retry["MaxDelaySeconds"])))
        else:
            (catch,) = state["Catch"]
            self._enter_next(execution, catch, {"errorOutput": {"Error": type(error).__name__}})

    def _enter_next(
        self,
        execution: Execution,
        step: Mapping[str, Any],
        states: Mapping[str, Any],
        after: timedelta = timedelta(),
    ) -> None:
        assigned = evaluated(step.get("Assign", {}), execution.variables, states)
        execution.variables |= assigned
        execution.state, execution.attempts = step["Next"], 0
        execution.history.append(json.dumps([execution.state, assigned]))
        self._schedule_step(execution, after)


_MACHINE = state_machine()
