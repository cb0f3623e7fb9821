"""The simulator as a server: sockets, threads, and moods that break them."""

import logging
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import TCPServer, ThreadingMixIn
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any, Self

from local.simulator.answers import Answer, Fate, error_answer, reset, send
from local.simulator.api import Request, VendorApi, operation_of, split_target
from local.simulator.bodies import Body
from local.simulator.clock import Clock
from local.simulator.control import CONTROL_PATH, ControlApi
from local.simulator.exports import Exports
from local.simulator.links import Links
from local.simulator.model import Charge, Download, Settings, Submission, Vendor
from local.simulator.moods import CALM, Moment, MoodBoard, Operation, activate
from local.simulator.traffic import Traffic

logger = logging.getLogger(__name__)

LOOPBACK = "127.0.0.1"
SECONDS_TO_CLOSE = 5.0

_READS_NO_BODY = {Moment.BEFORE_HEADERS, Moment.AFTER_HEADERS, Moment.MID_BODY}


class Simulator:
    """A vendor of one's own, on loopback, for as long as the ``with`` block lasts.

    Args:
        port: where to listen; 0 takes any free port.
        balance: what the account holds at first, in USD.
        clock: seconds from a steady source.
        settings: fields of :class:`Settings`, such as ``duration_seconds=0``.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        balance: float = 1000.0,
        clock: Callable[[], float] = time.monotonic,
        **settings: Any,
    ) -> None:
        self._clock = Clock(clock)
        self.vendor = Vendor(settings=Settings(**settings), balance=balance, clock=self._clock)
        self.moods = MoodBoard()
        self.links = Links(self._clock)
        self.traffic = Traffic()
        self.closing = threading.Event()
        self._server = _Server(port, self)
        self._folder = TemporaryDirectory(prefix="simulator-", ignore_cleanup_errors=True)
        self.url = f"http://{LOOPBACK}:{self._server.server_address[1]}"
        self.control = ControlApi(self)
        self._exports = Exports(Path(self._folder.name))
        self.api = VendorApi(
            vendor=self.vendor,
            links=self.links,
            exports=self._exports,
            base_url=self.url,
            folder=Path(self._folder.name),
        )
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.closing.set()
        self._server.shutdown()
        self._thread.join()
        self._server.cut_connections()
        self._server.server_close()
        self._exports.close()
        self._folder.cleanup()

    @property
    def charges(self) -> list[Charge]:
        """What was charged so far, oldest first."""
        return list(self.vendor.charges)

    @property
    def submissions(self) -> list[Submission]:
        """The accepted submissions, oldest first."""
        return list(self.vendor.submissions)

    @property
    def downloads(self) -> list[Download]:
        """The requests for exports, refused ones included."""
        return list(self.vendor.downloads)

    @property
    def calls(self) -> Counter[str]:
        """How many requests arrived, by operation."""
        return self.traffic.totals

    @property
    def balance(self) -> float:
        """What the account holds, in USD."""
        return self.vendor.balance

    @property
    def peak_submissions(self) -> int:
        """The most submissions that were ever under way at the same moment."""
        return self.vendor.peak_submissions

    @property
    def settings(self) -> Settings:
        """The settings in force."""
        return self.vendor.settings

    def change_settings(self, **changes: Any) -> None:
        """Other settings from now on; tasks and links that exist keep their times.

        Raises:
            TypeError: there is no such setting.
        """
        self.vendor.settings = replace(self.vendor.settings, **changes)

    def misbehave(self, operation: str, mood: str, times: int | None = 1, **parameters: object) -> None:
        """Strike the next ``times`` requests of an operation with a mood, or all when None.

        Moods are queued: one that was asked for earlier strikes first.

        Raises:
            ValueError: there is no such operation, mood or parameter.
        """
        target = Operation(operation)
        self.moods.book(target, activate(target, mood, parameters), times)

    def behave(self) -> None:
        """Drop every mood that is still booked."""
        self.moods.clear()

    def finish_all(self) -> None:
        """Every task that exists is exported from now on."""
        self.vendor.finish_all()

    def advance(self, seconds: float) -> None:
        """Let time pass without waiting for it."""
        self._clock.advance(seconds)

    def top_up(self, usd: float) -> None:
        """Put money into the account, or take it out when negative."""
        self.vendor.top_up(usd)

    def revoke_links(self) -> None:
        """No link issued so far works any longer."""
        self.links.revoke_all()


class _Server(ThreadingMixIn, TCPServer):
    """Answers each connection in a thread, and remembers connections so as to cut them."""

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 256

    def __init__(self, port: int, simulator: Simulator) -> None:
        self.simulator = simulator
        self._connections: set[socket.socket] = set()
        self._changed = threading.Condition()
        super().__init__((LOOPBACK, port), _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._changed:
            self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        super().shutdown_request(request)
        with self._changed:
            self._connections.discard(request)
            self._changed.notify_all()

    def cut_connections(self) -> None:
        """End every conversation, also those that hang, and wait for their threads."""
        with self._changed:
            for connection in self._connections:
                _shut(connection)
            self._changed.wait_for(lambda: not self._connections, SECONDS_TO_CLOSE)


def _shut(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        logger.debug("A connection was already closed.")


class _ConnectionDroppedError(Exception):
    """The mood of this request ends its connection."""


class _Handler(BaseHTTPRequestHandler):
    """One connection: takes the mood of each request, lets it be answered, and sends."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server
    raw_requestline: bytes
    operation: Operation | None

    def handle(self) -> None:
        try:
            super().handle()
        except (_ConnectionDroppedError, ConnectionError):
            self.close_connection = True
        except Exception:
            logger.exception("The simulator could not serve a request.")

    def parse_request(self) -> bool:
        """Strike with the request's mood as soon as its first line is known."""
        method, _, target = self.raw_requestline.decode("latin-1").partition(" ")
        path, self.query = split_target(target.partition(" ")[0].strip())
        self.operation = operation_of(method, path)
        self.mood = CALM
        if self.operation:
            self.server.simulator.traffic.note(self.operation)
            self.mood = self.server.simulator.moods.take(self.operation)
        if self.mood.moment is Moment.BEFORE_HEADERS:
            self._drop()
        return super().parse_request()

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def do_PATCH(self) -> None:
        self._serve()

    def do_DELETE(self) -> None:
        self._serve()

    def _serve(self) -> None:
        path = split_target(self.path)[0]
        request = Request(path, self.query, self.headers, Body(self.rfile, self.headers))
        if self.operation is None:
            self._send(self._unrouted(request))
            return
        submitting = self.operation is Operation.SUBMIT
        vendor = self.server.simulator.vendor
        with vendor.submission_in_progress() if submitting else nullcontext():
            answer = self._answer(self.operation, request)
            if self.operation is Operation.DOWNLOAD:
                self.server.simulator.api.record_download(request, answer)
            self._send(answer)

    def _unrouted(self, request: Request) -> Answer:
        if request.path.startswith(CONTROL_PATH):
            return self.server.simulator.control.answer(self.command, request)
        request.body.drain()
        return error_answer(404, "not_found", "There is nothing here.")

    def _answer(self, operation: Operation, request: Request) -> Answer:
        if self.mood.moment is Moment.MID_BODY:
            request.body.read_part()
        if self.mood.moment in _READS_NO_BODY:
            return self.mood.change(Answer(200))
        right = Answer(200)
        if self.mood.charges:
            right = self.server.simulator.api.answer(operation, request, self.mood.shape())
        request.body.drain()
        return self.mood.change(right)

    def _send(self, answer: Answer) -> None:
        if answer.fate is Fate.CONNECTION_RESET:
            self._drop()
        if answer.fate is Fate.NEVER_SENT:
            self.rfile.read(1)  # returns once the client gives up, or the simulator closes
            raise _ConnectionDroppedError
        send(answer, self.wfile, closing=self.server.simulator.closing)
        self.close_connection = self.close_connection or not answer.keeps_connection

    def _drop(self) -> None:
        """Leave with a reset: only a close without a shutdown before it sends one."""
        reset(self.connection)
        for end in (self.wfile, self.rfile, self.connection):
            end.close()
        raise _ConnectionDroppedError

    def log_message(self, *_: Any) -> None:
        """Log nothing: request lines carry user ids and signatures."""
