"""What the package logs, as CloudWatch would get it."""

import logging

LINES: list[str] = []
"""The lines since somebody last cleared it."""


class LineKeeper(logging.Handler):
    """Keeps what is logged, in the form in which another handler would have written it."""

    def __init__(self, instead_of: logging.Handler) -> None:
        super().__init__()
        self.setFormatter(instead_of.formatter)

    def emit(self, record: logging.LogRecord) -> None:
        LINES.append(self.format(record))
