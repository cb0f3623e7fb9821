"""The circuit breaker while it is open: who may send the next file, and when.

The breaker opens for one of two kinds of reasons:

- A refusal: the vendor refuses a file because of the API key (401, 403) or the balance (402). That is free,
  so at each pause one other file may be sent to find out whether the refusal concerns that file only.
- An outage: a submission ended in doubt. The next one could end in doubt too, so a free call is made at each
  pause. Once the vendor answers it in its own words, one file may be sent.

Either way, one upload at a time has the turn to send its file (half-open). If the vendor accepts that file,
the breaker closes. This module has no side effects; ``aws/circuit_breaker.py`` stores what it returns.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Self

from numberdrop.jobs.job import decoded_fields, to_item
from numberdrop.jobs.upload import Upload

FIRST_PAUSE = timedelta(minutes=1)
"""The pause until the first probe. Each probe that fails doubles it."""

MESSAGE_PAUSE = timedelta(minutes=3)
"""How often a waiting upload asks for a turn."""

FIRST_PAUSE_AFTER_DOUBT, LONGEST_PAUSE_AFTER_DOUBT = timedelta(minutes=15), timedelta(hours=6)
"""The pauses after a submission that ended in doubt although the free call had succeeded. Each such doubt is
work for a person."""

IDLE_AFTER = timedelta(minutes=15)
"""If nobody takes a turn for this long, no upload is waiting."""

_LONG_AGO = datetime.min.replace(tzinfo=UTC)


class Cause(StrEnum):
    """Why the breaker is open."""

    KEY = "key"
    BALANCE = "balance"
    OUTAGE = "outage"


LONGEST_PAUSE = {
    # No vendor page says that a 403 is free, so files are rarely sent again after one.
    Cause.KEY: timedelta(minutes=30),
    Cause.BALANCE: timedelta(minutes=5),
    Cause.OUTAGE: timedelta(minutes=5),
}
"""The longest pause between two probes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenBreaker:
    """The state of an open circuit breaker.

    Older versions stored only ``holder``, for a refusal; the defaults describe such an item.

    >>> from numberdrop.jobs.upload import Upload
    >>> noon, minute = datetime(2026, 3, 4, 12, tzinfo=UTC), timedelta(minutes=1)
    >>> first = Upload("uploads", "band/a.txt", "v1", "etag", 1200, "0A")
    >>> other = Upload("uploads", "phoneCheck/b.txt", "v2", "etag", 900, "0B")
    >>> breaker = OpenBreaker.opened(first, Cause.KEY, noon)
    >>> breaker.due_for(other) - noon, breaker.due_for(first) - noon
    (datetime.timedelta(seconds=60), datetime.timedelta(seconds=240))

    Attributes:
        holder: the id of the job whose submission opened the breaker.
        cause: why it is open.
        since: when it opened.
        due_at: when the next upload may have the turn.
        failures: the number of probes that failed since it opened or since the last doubt.
        doubts: the number of probes that ended in doubt.
        prober: the id of the job that has the turn, or None.
        turn_until: when the prober is presumed dead, unless its job is being sent.
        last_prober: the id of the job that had the turn before; others go first.
        refused_checkers: the checkers, as the uploads' keys name them, of files that were refused.
        smallest_refused: the size in bytes of the smallest of these files.
        key_version: the version of the secret whose key was refused.
        last_write: a unique name of the latest write, by which a writer recognises its own.
    """

    holder: str
    cause: Cause = Cause.BALANCE
    since: datetime | None = None
    due_at: datetime | None = None
    failures: int = 0
    doubts: int = 0
    prober: str | None = None
    turn_until: datetime | None = None
    last_prober: str | None = None
    refused_checkers: frozenset[str] = frozenset()
    smallest_refused: int | None = None
    key_version: str | None = None
    last_write: str | None = None

    @classmethod
    def opened(cls, upload: Upload, cause: Cause, now: datetime, *, key_version: str | None = None) -> Self:
        """Return the state after the submission of an upload has opened the breaker."""
        opened = cls(holder=upload.job_id, cause=cause, since=now, due_at=now + FIRST_PAUSE)
        return opened if cause is Cause.OUTAGE else opened._with_refused(upload, key_version)

    @classmethod
    def from_item(cls, item: Mapping[str, Any]) -> Self:
        """Return the state that an item of the jobs table describes, as plain values by attribute name."""
        return cls(**decoded_fields(cls, item))

    def as_item(self) -> dict[str, Any]:
        """Return the attributes that are set, as plain values. DynamoDB stores no empty sets."""
        set_fields = {name: getattr(self, name) for name in self.__slots__}
        return to_item(
            {name: value for name, value in set_fields.items() if value not in (None, frozenset())}
        )

    def due_for(self, upload: Upload) -> datetime:
        """Return when an upload may have the turn.

        Uploads that are likely to be refused too let the others go first: every waiting upload asks at least
        once per ``MESSAGE_PAUSE``.
        """
        due = self.due_at or _LONG_AGO
        return due if self.due_at is None or self._is_promising(upload) else due + MESSAGE_PAUSE

    def _is_promising(self, upload: Upload) -> bool:
        if upload.job_id in {self.holder, self.last_prober}:
            return False
        if self.cause is Cause.OUTAGE or _checker(upload) not in self.refused_checkers:
            return True
        return self.cause is Cause.BALANCE and upload.size < (self.smallest_refused or 0)

    def is_idle(self, now: datetime) -> bool:
        """Return whether no upload waits for the end of an outage. The next upload is the probe then."""
        latest = max(self.due_at or _LONG_AGO, self.turn_until or _LONG_AGO)
        return self.cause is Cause.OUTAGE and latest + IDLE_AFTER < now

    def with_turn(self, upload: Upload, until: datetime) -> Self:
        """Give an upload the turn (half-open)."""
        return replace(self, prober=upload.job_id, turn_until=until)

    def passed_on(self, now: datetime) -> Self:
        """End a turn in which nothing was learned; the next upload may have it at once."""
        return replace(self._without_turn(), due_at=now)

    def after_failure(self, now: datetime) -> Self:
        """Wait longer: the free call failed, or the vendor neither accepted nor refused the file."""
        pause = growing(FIRST_PAUSE, self.failures + 1, longest=LONGEST_PAUSE[self.cause])
        return replace(self._without_turn(), failures=self.failures + 1, due_at=now + pause)

    def after_refusal(self, upload: Upload, now: datetime, *, key_version: str | None = None) -> Self:
        """Wait longer: the vendor refused the prober's file too."""
        return self.after_failure(now)._with_refused(upload, key_version)

    def after_doubt(self, upload: Upload, now: datetime) -> Self:
        """Wait much longer: the prober's submission ended in doubt."""
        pause = growing(FIRST_PAUSE_AFTER_DOUBT, self.doubts, longest=LONGEST_PAUSE_AFTER_DOUBT)
        return replace(
            self._without_turn(),
            holder=upload.job_id,
            cause=Cause.OUTAGE,
            failures=0,
            doubts=self.doubts + 1,
            due_at=now + pause,
        )

    def _without_turn(self) -> Self:
        return replace(self, prober=None, turn_until=None, last_prober=self.prober or self.last_prober)

    def _with_refused(self, upload: Upload, key_version: str | None) -> Self:
        return replace(
            self,
            refused_checkers=self.refused_checkers | {_checker(upload)},
            smallest_refused=min(upload.size, self.smallest_refused or upload.size),
            key_version=key_version,
        )


def _checker(upload: Upload) -> str:
    """Return the first part of the key, which names the checker (uploads that name none are never sent)."""
    return upload.key.partition("/")[0].casefold()


def growing(first: timedelta, doublings: int, *, longest: timedelta) -> timedelta:
    """Return a pause that doubles each time, up to the longest."""
    return min(first * float(2 ** min(doublings, 20)), longest)
