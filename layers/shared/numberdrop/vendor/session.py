"""HTTP sessions that end by a deadline, whatever the server does.

The ``timeout`` of ``requests`` bounds each wait on the socket, so a server that drips one byte a second
holds a caller for hours. Here a timer shuts the sockets down when time is up; whoever waits on one then
gets the ordinary connection error.
"""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Timer
from time import monotonic
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

CONNECT_SECONDS = 10
"""How long a connection may take to be made, TLS included."""

ConnectionObserver = Callable[[socket.socket], None]


@contextmanager
def session_with_deadline(
    seconds: float, *, on_connect: ConnectionObserver = lambda _: None
) -> Iterator[requests.Session]:
    """A fresh session whose connections are cut after ``seconds``.

    It is new for each call on purpose: a pooled connection that the server has meanwhile dropped would
    fail after sending began. It never retries, and it reads neither proxies nor netrc from the
    environment: nothing but the caller decides where a request goes.

    Args:
        seconds: how long the session may live.
        on_connect: called with each socket once it is connected, before anything is sent; may raise.
    """
    opened: list[socket.socket] = []
    end = monotonic() + seconds

    def observe(connected: socket.socket) -> None:
        opened.append(connected)
        if monotonic() >= end:  # the timer has been and gone, or comes now
            _cut([connected])
        on_connect(connected)

    timer = Timer(max(seconds, 0), _cut, [opened])
    timer.daemon = True
    with requests.Session() as session:
        session.trust_env = False
        adapter = _ObservedAdapter(observe)
        session.mount("https://", adapter)
        session.mount("http://", adapter)
        timer.start()
        try:
            yield session
        finally:
            timer.cancel()


def _cut(sockets: list[socket.socket]) -> None:
    for opened in sockets:
        with suppress(OSError):
            # The plain shutdown: SSLSocket's own would pull the TLS state from under a reading thread.
            socket.socket.shutdown(opened, socket.SHUT_RDWR)


class _ObservedAdapter(HTTPAdapter):
    """Tells an observer of each connection."""

    def __init__(self, observe: ConnectionObserver) -> None:
        self._observe = observe
        super().__init__(max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        observe = self._observe

        class ObservedHTTPConnection(HTTPConnection):
            def connect(self) -> None:
                super().connect()
                observe(self.sock)

        class ObservedHTTPSConnection(HTTPSConnection):
            def connect(self) -> None:
                super().connect()
                observe(self.sock)

        class PlainPool(HTTPConnectionPool):
            ConnectionCls = ObservedHTTPConnection

        class TLSPool(HTTPSConnectionPool):
            ConnectionCls = ObservedHTTPSConnection

        self.poolmanager.pool_classes_by_scheme = {"http": PlainPool, "https": TLSPool}
