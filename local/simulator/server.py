"""The simulator as a server: sockets, threads, and the faults that break connections."""

import logging
import socket
import threading
import time
from collections.abc import Callable
from contextlib import nullcontext
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import TCPServer, ThreadingMixIn
from tempfile import TemporaryDirectory
from typing import Any, Self

from local.simulator.answers import Answer, Delivery, error_answer, reset, send
from local.simulator.api import Request, VendorApi, operation_of, split_target
from local.simulator.bodies import Body
from local.simulator.clock import Clock
from local.simulator.controls import Controls
from local.simulator.exports import Exports
from local.simulator.faults import NO_FAULT, FaultQueue, Operation, Stage
from local.simulator.links import Links
from local.simulator.model import Settings, Vendor
from local.simulator.remote import CONTROL_PATH, ControlApi
from local.simulator.traffic import Traffic

logger = logging.getLogger(__name__)

LOOPBACK = "127.0.0.1"
SECONDS_TO_CLOSE = 5.0

_STAGES_WITHOUT_BODY = {Stage.BEFORE_HEADERS, Stage.AFTER_HEADERS, Stage.MID_BODY}


class Simulator(Controls):
    """A simulated vendor on loopback, which runs as long as the ``with`` block.

    Args:
        port: the port to listen on; 0 takes any free port.
        balance: the account's initial balance in USD.
        clock: seconds from a monotonic source.
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
        own_clock = Clock(clock)
        super().__init__(
            vendor=Vendor(settings=Settings(**settings), balance=balance, clock=own_clock),
            faults=FaultQueue(),
            links=Links(own_clock),
            traffic=Traffic(),
            clock=own_clock,
        )
        self.closing = threading.Event()
        self._server = _Server(port, self)
        self._folder = TemporaryDirectory(prefix="simulator-", ignore_cleanup_errors=True)
        self.url = f"http://{LOOPBACK}:{self._server.server_address[1]}"
        self.control_api = ControlApi(self)
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

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        self._server.shutdown()
        self._thread.join()
        self._server.cut_connections()
        self._server.server_close()
        self._exports.close()
        self._folder.cleanup()


class _Server(ThreadingMixIn, TCPServer):
    """Answers each connection in a thread, and keeps the connections so that it can cut them."""

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
        """Close every connection, including those that hang, and wait for their threads."""
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
    """The fault of this request closes its connection."""


class _Handler(BaseHTTPRequestHandler):
    """Serves one connection: takes the fault of each request, gets the answer, and sends it."""

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
        """Take the request's fault as soon as its first line is known."""
        method, _, target = self.raw_requestline.decode("latin-1").partition(" ")
        path, self.query = split_target(target.partition(" ")[0].strip())
        self.operation = operation_of(method, path)
        self.fault = NO_FAULT
        if self.operation:
            self.server.simulator.traffic.count(self.operation)
            self.fault = self.server.simulator.faults.next_for(self.operation)
        if self.fault.stage is Stage.BEFORE_HEADERS:
            self._drop()
        return super().parse_request()

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
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
            return self.server.simulator.control_api.answer(self.command, request)
        request.body.drain()
        return error_answer(404, "not_found", "There is no such endpoint.")

    def _answer(self, operation: Operation, request: Request) -> Answer:
        if self.fault.stage is Stage.MID_BODY:
            request.body.read_part()
        if self.fault.stage in _STAGES_WITHOUT_BODY:
            return self.fault.change(Answer(200))
        correct = Answer(200)
        if self.fault.charges:
            correct = self.server.simulator.api.answer(operation, request, self.fault.shape())
        request.body.drain()
        return self.fault.change(correct)

    def _send(self, answer: Answer) -> None:
        if answer.delivery is Delivery.CONNECTION_RESET:
            self._drop()
        if answer.delivery is Delivery.NEVER_SENT:
            self.rfile.read(1)  # returns when the client gives up or the simulator closes
            raise _ConnectionDroppedError
        send(answer, self.wfile, closing=self.server.simulator.closing)
        self.close_connection = self.close_connection or not answer.keeps_connection

    def _drop(self) -> None:
        """Close the connection with a TCP reset; a shutdown before the close would prevent the reset."""
        reset(self.connection)
        for end in (self.wfile, self.rfile, self.connection):
            end.close()
        raise _ConnectionDroppedError

    def log_message(self, *_: Any) -> None:
        """Log nothing, because request lines contain user ids and signatures."""
