"""HTTP sessions with a deadline that a slow server cannot extend.

The ``timeout`` of ``requests`` limits each wait for the socket, so a server that sends one byte per second
can keep a caller busy for hours. Here a timer shuts the sockets down at the deadline, and whoever is waiting
for one gets an ordinary connection error.
"""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Timer
from time import monotonic
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection

CONNECT_SECONDS = 10
"""Time-out in seconds for connecting, TLS included."""

ConnectionObserver = Callable[[socket.socket], None]


@contextmanager
def session_with_deadline(
    seconds: float, *, on_connect: ConnectionObserver = lambda _: None, proxy: str = ""
) -> Iterator[requests.Session]:
    """Open a new session whose connections are shut down after ``seconds``.

    Every call uses a new session on purpose: a pooled connection that the server has dropped in the meantime
    would fail after sending has begun. The session never retries, and it ignores proxies and netrc from the
    environment, so that only the caller decides where a request goes.

    >>> with session_with_deadline(5) as session:
    ...     session.trust_env
    False

    Args:
        seconds: how long the session may live.
        on_connect: called with each socket after it is connected and before anything is sent; it may raise.
            With a proxy, that is after the connection to the host was made through it.
        proxy: the URL of a proxy for https, or empty for none. It sees the host's name and nothing else.
    """
    opened: list[socket.socket] = []
    end = monotonic() + seconds

    def observe(connected: socket.socket) -> None:
        opened.append(connected)
        if monotonic() >= end:  # the timer may already have fired
            _cut([connected])
        on_connect(connected)

    timer = Timer(max(seconds, 0), _cut, [opened])
    timer.daemon = True
    with requests.Session() as session:
        session.trust_env = False
        session.proxies = {"https": proxy} if proxy else {}
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
            # Not SSLSocket.shutdown, which would drop the TLS state while another thread reads.
            socket.socket.shutdown(opened, socket.SHUT_RDWR)


class _ObservedAdapter(HTTPAdapter):
    """Calls an observer with each new connection."""

    def __init__(self, observe: ConnectionObserver) -> None:
        self._observe = observe
        super().__init__(max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self._observe_connections_of(self.poolmanager)

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **kwargs)
        self._observe_connections_of(manager)
        return manager

    def _observe_connections_of(self, manager: PoolManager) -> None:
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

        manager.pool_classes_by_scheme = {"http": PlainPool, "https": TLSPool}
