"""End a command in an orderly way when it is asked to stop."""

import signal
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

STOPPING = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
"""Ctrl-C, a request to end, and a closed terminal, which Windows does not have."""


class StoppedError(BaseException):
    """The command was asked to stop. It is not an ``Exception``, so that no code handles it as an error.

    Attributes:
        status: the exit status, 128 and the signal's number, as shells have it.
    """

    def __init__(self, number: int) -> None:
        super().__init__(f"signal {number}")
        self.status = 128 + number


@contextmanager
def stopped_by_signals() -> Iterator[None]:
    """Raise ``StoppedError`` in the context at the first signal to stop; ignore all further ones.

    So a second signal does not interrupt the clean-up of the context.
    """

    def stop(number: int) -> None:
        raise StoppedError(number)

    with at_first_signal(stop):
        yield


@contextmanager
def interrupted_by_signals() -> Iterator[None]:
    """Let SIGTERM and SIGHUP end a command as Ctrl-C does: with a clean-up, and a message about what goes on.

    Raises:
        KeyboardInterrupt: one of these signals arrived.
    """

    def interrupt(_: int) -> None:
        raise KeyboardInterrupt

    with at_first_signal(interrupt, (number for number in STOPPING if number != signal.SIGINT)):
        yield


@contextmanager
def at_first_signal(
    act: Callable[[int], None], numbers: Iterable[signal.Signals] = STOPPING
) -> Iterator[None]:
    """Call ``act`` with the number of the first of these signals, and ignore all further ones.

    A signal that is ignored already stays ignored: `nohup` starts a command like this, and shells start their
    background jobs so. The handlers from before are back when the context ends.
    """
    heard = [number for number in numbers if signal.getsignal(number) is not signal.SIG_IGN]

    def handle(number: int, _: object) -> None:
        for each in heard:
            signal.signal(each, signal.SIG_IGN)
        act(number)

    before = {number: signal.signal(number, handle) for number in heard}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
