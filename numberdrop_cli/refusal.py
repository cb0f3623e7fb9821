"""The one error that a person at the keyboard can do something about."""


class RefusedError(Exception):
    """What was asked for cannot be done, and nothing was changed; the message says why and what to do."""
