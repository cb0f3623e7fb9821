"""A simulator's controls over HTTP: the server's side, and a client with the same properties and methods."""

import inspect
import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict, is_dataclass
from typing import Any, Self

import requests

from local.simulator.answers import Answer, error_answer, json_answer
from local.simulator.api import Request
from local.simulator.controls import Controls
from local.simulator.model import Charge, Download, Settings, Submission

CONTROL_PATH = "/_simulator/"
TIMEOUT_SECONDS = 30

READINGS: Mapping[str, Callable[[Any], object]] = {
    "charges": lambda rows: [Charge(**row) for row in rows],
    "submissions": lambda rows: [Submission(**row) for row in rows],
    "downloads": lambda rows: [Download(**row) for row in rows],
    "calls": Counter,
    "calls_by_second": dict,
    "balance": float,
    "peak_submissions": int,
    "settings": lambda fields: Settings(**fields),
}
"""The properties of ``Controls``, each with the function that decodes its JSON."""

ACTIONS = (
    "advance",
    "change_settings",
    "clear_faults",
    "finish_all",
    "inject_fault",
    "revoke_links",
    "top_up",
)
"""The methods of ``Controls``."""


class ControlApi:
    """Serves ``GET /_simulator/<reading>`` and ``POST /_simulator/<action>``, with JSON both ways."""

    def __init__(self, controls: Controls) -> None:
        self._controls = controls

    def answer(self, method: str, request: Request) -> Answer:
        """Answer a control request: 404 for an unknown path, 400 for arguments that do not fit."""
        body = b"".join(request.body)
        name = request.path.removeprefix(CONTROL_PATH)
        if method == "GET" and name in READINGS:
            return json_answer(200, _as_json(getattr(self._controls, name)))
        if method == "POST" and name in ACTIONS:
            try:
                getattr(self._controls, name)(**json.loads(body or b"{}"))
            except (TypeError, ValueError) as error:
                return error_answer(400, "bad_request", str(error))
            return json_answer(200, {})
        return error_answer(404, "not_found", "There is no such reading or action.")


class RemoteSimulator(Controls):
    """The controls of a simulator in another process, by its URL.

    Every action raises ``ValueError`` if the simulator refuses its arguments.

    >>> from local.simulator import RemoteSimulator, Simulator
    >>> with Simulator() as simulator, RemoteSimulator(simulator.url) as remote:
    ...     remote.inject_fault("submit", "http_error", status=500)
    ...     remote.charges
    []
    """

    def __init__(self, url: str) -> None:
        # Without super().__init__(): its parts are in the other process, and every control is replaced below.
        self.url = url.rstrip("/")
        self._session = requests.Session()
        self._session.trust_env = False  # a proxy from the environment cannot reach our loopback

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._session.close()

    def call(self, method: str, name: str, arguments: Mapping[str, object] | None = None) -> Any:
        """Send one control request; return its decoded JSON.

        Raises:
            ValueError: the simulator refused the arguments.
        """
        reply = self._session.request(
            method, self.url + CONTROL_PATH + name, json=arguments, timeout=TIMEOUT_SECONDS
        )
        if reply.status_code == 400:
            raise ValueError(reply.json()["message"])
        reply.raise_for_status()
        return reply.json()


def _remote_reading(name: str) -> property:
    decode = READINGS[name]
    return property(
        lambda remote: decode(remote.call("GET", name)), doc=inspect.getdoc(getattr(Controls, name))
    )


def _remote_action(name: str) -> Callable[..., None]:
    action = getattr(Controls, name)
    signature = inspect.signature(action)

    def send(remote: RemoteSimulator, *args: object, **kwargs: object) -> None:
        given = signature.bind(remote, *args, **kwargs)
        given.apply_defaults()
        _, *arguments = given.arguments.items()
        flat: dict[str, object] = {}
        for argument, value in arguments:
            variable = signature.parameters[argument].kind is inspect.Parameter.VAR_KEYWORD
            flat |= value if variable else {argument: value}
        remote.call("POST", name, flat)

    send.__doc__ = inspect.getdoc(action)
    return send


for _name in READINGS:
    setattr(RemoteSimulator, _name, _remote_reading(_name))
for _name in ACTIONS:
    setattr(RemoteSimulator, _name, _remote_action(_name))


def _as_json(value: object) -> object:
    if isinstance(value, list):
        return [_as_json(item) for item in value]
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    return value
