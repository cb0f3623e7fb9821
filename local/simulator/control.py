"""Steering a simulator from another process: JSON under one path, and the client for it."""

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import requests

from local.simulator.answers import Answer, error_answer, json_answer
from local.simulator.model import Charge, Download, Settings, Submission

if TYPE_CHECKING:
    from local.simulator.api import Request
    from local.simulator.server import Simulator

CONTROL_PATH = "/_simulator/"
_DONE: dict[str, object] = {}
_SECONDS_TO_ANSWER = 30


class ControlApi:
    """The server's side: ``/_simulator/<what>`` by method, with JSON both ways."""

    def __init__(self, simulator: "Simulator") -> None:
        self._simulator = simulator
        self._readers: Mapping[str, Callable[[], object]] = {
            "charges": lambda: [asdict(charge) for charge in simulator.charges],
            "submissions": lambda: [asdict(submission) for submission in simulator.submissions],
            "downloads": lambda: [asdict(download) for download in simulator.downloads],
            "calls": lambda: simulator.calls,
            "calls_by_second": lambda: simulator.traffic.by_second,
            "balance": lambda: simulator.balance,
            "peak_submissions": lambda: simulator.peak_submissions,
            "settings": lambda: asdict(simulator.settings),
        }

    def answer(self, method: str, request: "Request") -> Answer:
        """Do what is asked; 404 for an unknown path, 400 for arguments that do not fit."""
        given = b"".join(request.body)
        try:
            arguments = json.loads(given or b"{}")
            content = self._do(method, request.path.removeprefix(CONTROL_PATH), arguments)
        except (TypeError, ValueError) as error:
            return error_answer(400, "bad_request", str(error))
        if content is None:
            return error_answer(404, "not_found", "There is nothing to control here.")
        return json_answer(200, content)

    def _do(self, method: str, what: str, arguments: Mapping[str, Any]) -> object:
        if method == "GET":
            read = self._readers.get(what)
            return read() if read else None
        simulator = self._simulator
        match method, what:
            case "POST", "moods":
                simulator.misbehave(**arguments)
            case "DELETE", "moods":
                simulator.behave()
            case "POST", "finish":
                simulator.finish_all()
            case "POST", "clock":
                simulator.advance(**arguments)
            case "POST", "balance":
                simulator.top_up(**arguments)
            case "DELETE", "links":
                simulator.revoke_links()
            case "PATCH", "settings":
                simulator.change_settings(**arguments)
            case _:
                return None
        return _DONE


class SimulatorControl:
    """A simulator in another process, by its URL; the names mean what they mean there.

    Raises:
        ValueError: from any method, the simulator did not take the arguments.
    """

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        self._session = requests.Session()
        self._session.trust_env = False  # a proxy from the environment has no way to our loopback

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._session.close()

    @property
    def charges(self) -> list[Charge]:
        """What was charged so far, oldest first."""
        return [Charge(**row) for row in self._call("GET", "charges")]

    @property
    def submissions(self) -> list[Submission]:
        """The accepted submissions, oldest first."""
        return [Submission(**row) for row in self._call("GET", "submissions")]

    @property
    def downloads(self) -> list[Download]:
        """The requests for exports, refused ones included."""
        return [Download(**row) for row in self._call("GET", "downloads")]

    @property
    def calls(self) -> Counter[str]:
        """How many requests arrived, by operation."""
        return Counter(self._call("GET", "calls"))

    @property
    def calls_by_second(self) -> Mapping[str, Sequence[int]]:
        """How many requests arrived in each second from the first to the last, by operation."""
        calls: dict[str, list[int]] = self._call("GET", "calls_by_second")
        return calls

    @property
    def balance(self) -> float:
        """What the account holds, in USD."""
        return float(self._call("GET", "balance"))

    @property
    def peak_submissions(self) -> int:
        """The most submissions that were ever under way at the same moment."""
        return int(self._call("GET", "peak_submissions"))

    @property
    def settings(self) -> Settings:
        """The settings in force."""
        return Settings(**self._call("GET", "settings"))

    def change_settings(self, **changes: object) -> None:
        """Other settings from now on."""
        self._call("PATCH", "settings", changes)

    def misbehave(self, operation: str, mood: str, times: int | None = 1, **parameters: object) -> None:
        """Strike the next ``times`` requests of an operation with a mood, or all when None."""
        wish = {"operation": operation, "mood": mood, "times": times}
        self._call("POST", "moods", wish | parameters)

    def behave(self) -> None:
        """Drop every mood that is still booked."""
        self._call("DELETE", "moods")

    def finish_all(self) -> None:
        """Every task that exists is exported from now on."""
        self._call("POST", "finish")

    def advance(self, seconds: float) -> None:
        """Let time pass without waiting for it."""
        self._call("POST", "clock", {"seconds": seconds})

    def top_up(self, usd: float) -> None:
        """Put money into the account, or take it out when negative."""
        self._call("POST", "balance", {"usd": usd})

    def revoke_links(self) -> None:
        """No link issued so far works any longer."""
        self._call("DELETE", "links")

    def _call(self, method: str, what: str, arguments: Mapping[str, object] | None = None) -> Any:
        reply = self._session.request(
            method, self.url + CONTROL_PATH + what, json=arguments, timeout=_SECONDS_TO_ANSWER
        )
        if reply.status_code == 400:
            raise ValueError(reply.json()["message"])
        reply.raise_for_status()
        return reply.json()
