"""How far the audit has come: one item of the jobs table, so that a run continues where the last one stopped.

If the item is lost, the next run starts over, which costs time but no money.
"""

import json
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Self

from numberdrop.aws.ledger import NON_JOB_PREFIX, Ledger
from numberdrop.aws.listing import Position
from numberdrop.aws.serialisation import from_attributes, to_attributes
from numberdrop.jobs.job import decoded_fields, to_item

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

AUDIT_KEY = f"{NON_JOB_PREFIX}audit"
"""The key of the item in the jobs table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditProgress:
    """How far one audit of the whole bucket has come.

    Attributes:
        began_at: when this audit began.
        former_began_at: when the audit before it began, or None if it is the first.
        position: where the listing continues, as JSON; None if the audit is complete.
        compared: the number of versions that were looked up in the ledger so far.
        unannounced: the number of those that have no job.
    """

    began_at: datetime
    former_began_at: datetime | None = None
    position: str | None = None
    compared: int = 0
    unannounced: int = 0

    @classmethod
    def beginning(cls, now: datetime, former: "AuditProgress | None") -> Self:
        """Return the progress of an audit that begins now."""
        return cls(began_at=now, former_began_at=former.began_at if former else None).at(Position())

    def at(self, position: Position | None) -> Self:
        """Return this progress with another position.

        >>> from datetime import UTC
        >>> begun = AuditProgress.beginning(datetime(2026, 3, 4, tzinfo=UTC), None)
        >>> begun.at(Position(folder="band/")).start.folder, begun.at(None).is_complete
        ('band/', True)
        """
        return replace(self, position=json.dumps(asdict(position)) if position else None)

    @property
    def is_complete(self) -> bool:
        """Whether the whole bucket was compared."""
        return self.position is None

    @property
    def start(self) -> Position:
        """Return where the listing continues."""
        return Position(**json.loads(self.position or "{}"))


@dataclass(frozen=True)
class AuditProgressItem:
    """Reads and writes the progress."""

    client: "DynamoDBClient"
    table: str

    @classmethod
    def beside(cls, ledger: Ledger) -> Self:
        """Return the progress that is stored in the ledger's table."""
        return cls(ledger.client, ledger.table)

    def read(self) -> AuditProgress | None:
        """Return the progress of the latest audit, or None if there was none."""
        item = self.client.get_item(
            TableName=self.table, Key={"job_id": {"S": AUDIT_KEY}}, ConsistentRead=True
        ).get("Item")
        if not item:
            return None
        return AuditProgress(**decoded_fields(AuditProgress, from_attributes(item)))

    def write(self, progress: AuditProgress) -> None:
        """Store the progress."""
        fields: dict[str, Any] = {name: getattr(progress, name) for name in progress.__slots__}
        item = {"job_id": AUDIT_KEY, **to_item(fields)}
        self.client.put_item(TableName=self.table, Item=to_attributes(item))
