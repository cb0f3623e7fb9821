"""Where notice goes: bars on a terminal, or a line for each where people or programs read on."""

import json
from collections.abc import Callable
from types import TracebackType
from typing import Protocol, Self

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn
from rich.text import Text

from numberdrop_cli.notices import JobProgress, Notice, in_progress
from numberdrop_cli.printing import safe_to_print

Transferred = Callable[[int], None]
"""Is told of bytes as they go, by several threads."""

BAR_ENDING_EVENTS = {"sent", "stopped", "saved", "not_saved"}
"""The notice that what a file's bar showed has come to an end."""


class View(Protocol):
    """Tells about several files at once, for as long as its context lasts."""

    def __enter__(self) -> Self:
        """Begins to show."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leaves the screen as a person can go on with it."""

    def show(self, notice: Notice, /) -> None:
        """Says something for good."""

    def update(self, file: str, progress: JobProgress, /) -> None:
        """Shows how far a file is; called often, without anything new too."""

    def transfer(self, file: str, verb: str, size: int, /) -> Transferred:
        """Shows a file's bytes on their way."""


class PlainView:
    """A line for whatever is new, made by ``form``; bytes on their way are none."""

    def __init__(self, form: Callable[[Notice], str]) -> None:
        self._form = form
        self._last: dict[str, tuple[str, int | None]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def show(self, notice: Notice) -> None:
        """Writes a line."""
        click.echo(self._form(notice))

    def update(self, file: str, progress: JobProgress) -> None:
        """Writes a line if the state or the count is new."""
        new = progress.state, progress.checked
        if self._last.get(file) != new:
            self._last[file] = new
            self.show(in_progress(file, progress))

    def transfer(self, _file: str, _verb: str, _size: int) -> Transferred:
        """Writes nothing."""
        return lambda _: None


class BarView:
    """A bar for each file on its way, below what is said for good."""

    def __init__(self, console: Console) -> None:
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=30),
            TextColumn("{task.fields[words]}", markup=False),
            console=console,
            transient=True,
        )
        self._bars: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def show(self, notice: Notice) -> None:
        """Writes a line above the bars."""
        if notice.event in BAR_ENDING_EVENTS and notice.file in self._bars:
            self._progress.remove_task(self._bars.pop(notice.file))
            self._progress.refresh()
        self._progress.console.print(Text(as_text(notice)), soft_wrap=True)

    def update(self, file: str, progress: JobProgress) -> None:
        """Shows numbers; the bar only moves to and fro while they are not known."""
        bar = self._bar(file, None if progress.checked is None else progress.submitted, progress.text)
        self._progress.update(bar, completed=progress.checked or 0, words=progress.text, refresh=True)

    def transfer(self, file: str, verb: str, size: int) -> Transferred:
        """Shows bytes."""
        words = f"{verb} {_megabytes(size)}"
        bar = self._bar(file, size, words)
        self._progress.update(bar, completed=0, words=words)
        return lambda amount: self._progress.advance(bar, amount)

    def _bar(self, file: str, total: int | None, words: str) -> TaskID:
        """The file's bar of a total; another total takes another bar, as none can be made unknown again."""
        drawn = {task.id: task.total for task in self._progress.tasks}
        if file not in self._bars or drawn[self._bars[file]] != total:
            if file in self._bars:
                self._progress.remove_task(self._bars[file])
            self._bars[file] = self._progress.add_task(safe_to_print(file), total=total, words=words)
        return self._bars[file]


def view_for(*, as_json_lines: bool) -> View:
    """The view that fits the output."""
    console = Console()
    if as_json_lines:
        return PlainView(as_json)
    return BarView(console) if console.is_terminal else PlainView(as_text)


def as_text(notice: Notice) -> str:
    """The notice as people read it."""
    return f"{safe_to_print(notice.file)}: {notice.text}"


def as_json(notice: Notice) -> str:
    """The notice as programs read it, on one line."""
    return json.dumps({"event": notice.event, "file": safe_to_print(notice.file), **notice.facts})


def _megabytes(size: int) -> str:
    return f"{max(size / 1_000_000, 0.1):,.1f} MB"
