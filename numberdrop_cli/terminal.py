"""Find out whether a person reads the output and can answer a question."""

import sys


def is_terminal() -> bool:
    """Return whether the output is a terminal."""
    return sys.stdout.isatty()


def can_answer() -> bool:
    """Return whether a person can answer a question: input and output are a terminal."""
    return sys.stdin.isatty() and is_terminal()
