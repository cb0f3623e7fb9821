"""Where notices are shown: as bars on a terminal, or as one line each in a pipe."""

import json
from collections.abc import Callable
from typing import Protocol, Self

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn
from rich.text import Text

from numberdrop_cli.notices import JobProgress, Notice, in_progress
from numberdrop_cli.printing import safe_to_print

BytesCallback = Callable[[int], None]
"""Called with the number of bytes transferred since the last call, from several threads."""

BAR_ENDING_EVENTS = {"sent", "stopped", "saved", "not_saved"}
"""The events of notices that remove the file's bar."""


class View(Protocol):
    """Shows notices about several files, while its context is open."""

    def __enter__(self) -> Self:
        """Start to show notices."""

    def __exit__(self, *_: object) -> None:
        """Restore the terminal."""

    def show(self, notice: Notice, /) -> None:
        """Print a notice that stays."""

    def update(self, file: str, progress: JobProgress, /) -> None:
        """Show how far a file is. May be called often, even if nothing has changed."""

    def transfer(self, file: str, verb: str, size: int, /) -> BytesCallback:
        """Show the transfer of a file of ``size`` bytes. Return the function to call as bytes arrive."""


class PlainView:
    """Prints one line per notice, formatted by ``form``, and nothing for transfers."""

    def __init__(self, form: Callable[[Notice], str]) -> None:
        self._form = form
        self._last: dict[str, tuple[str, int | None]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def show(self, notice: Notice) -> None:
        """Print a line."""
        click.echo(self._form(notice))

    def update(self, file: str, progress: JobProgress) -> None:
        """Print a line if the state or the count has changed."""
        new = progress.state, progress.checked
        if self._last.get(file) != new:
            self._last[file] = new
            self.show(in_progress(file, progress))

    def transfer(self, _file: str, _verb: str, _size: int) -> BytesCallback:
        """Print nothing."""
        return lambda _: None


class BarView:
    """Shows a bar for each file in progress, below the notices."""

    def __init__(self, console: Console) -> None:
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=30),
            TextColumn("{task.fields[text]}", markup=False),
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
        """Print a line above the bars."""
        if notice.event in BAR_ENDING_EVENTS and notice.file in self._bars:
            self._progress.remove_task(self._bars.pop(notice.file))
            self._progress.refresh()
        self._progress.console.print(Text(as_text(notice)), soft_wrap=True)

    def update(self, file: str, progress: JobProgress) -> None:
        """Move the bar to the number checked, or let it pulse while that is unknown."""
        bar = self._bar(file, None if progress.checked is None else progress.submitted, progress.text)
        self._progress.update(bar, completed=progress.checked or 0, text=progress.text, refresh=True)

    def transfer(self, file: str, verb: str, size: int) -> BytesCallback:
        """Show a bar of bytes."""
        text = f"{verb} {_megabytes(size)}"
        bar = self._bar(file, size, text)
        self._progress.update(bar, completed=0, text=text)
        return lambda amount: self._progress.advance(bar, amount)

    def _bar(self, file: str, total: int | None, text: str) -> TaskID:
        """Return the file's bar, replaced by a new one if its total changes: rich cannot reset a total."""
        totals = {task.id: task.total for task in self._progress.tasks}
        if file not in self._bars or totals[self._bars[file]] != total:
            if file in self._bars:
                self._progress.remove_task(self._bars[file])
            self._bars[file] = self._progress.add_task(safe_to_print(file), total=total, text=text)
        return self._bars[file]


def view_for(*, as_json_lines: bool) -> View:
    """Return the view for ``--json``, for a terminal or for a pipe."""
    console = Console()
    if as_json_lines:
        return PlainView(as_json)
    return BarView(console) if console.is_terminal else PlainView(as_text)


def as_text(notice: Notice) -> str:
    """Return the lines that people read, each with the file's name."""
    name = safe_to_print(notice.file)
    return "\n".join(f"{name}: {line}" for line in notice.text.split("\n"))


def as_json(notice: Notice) -> str:
    """Return the line that programs read.

    >>> as_json(Notice("leads.txt", "saved", "saved a.csv", {"paths": ["a.csv"]}))
    '{"event": "saved", "file": "leads.txt", "paths": ["a.csv"]}'
    """
    return json.dumps({"event": notice.event, "file": safe_to_print(notice.file), **notice.facts})


def _megabytes(size: int) -> str:
    return f"{max(size / 1_000_000, 0.1):,.1f} MB"
