"""The command ``announce``: uploads whose events never came."""

from collections.abc import Sequence

import click

from numberdrop.aws.buckets import ListedUpload
from numberdrop.jobs.upload import Upload, message_for
from numberdrop_cli.confirming import confirm, print_heading
from numberdrop_cli.connection import Connection
from numberdrop_cli.parameters import Connect, UploadKey, yes_option
from numberdrop_cli.printing import safe_to_print, short_id

ANNOUNCE_PLAN = """\
The upload queue gets the message that should have announced the file: it WILL be sent to the vendor, and the
vendor may charge for it. Should its event come after all, that is the same job: nothing is sent twice."""

ANNOUNCE_WITHOUT_VERSION_PLAN = """\
The upload queue gets a message that announces the file: it WILL be sent to the vendor, and the vendor may
charge for it. The object has no version, so should its event come after all, THAT IS ANOTHER JOB, and the
file is paid for twice. See first that it does not wait in the upload queue or among the dead letters."""

EPILOG = """\
\b
Examples:
  numberdrop announce band/spring/leads.txt
  numberdrop announce band/spring/leads.txt --version-id 3HL4kqtJvjVBH40Nrjfkd
  numberdrop announce --missing
"""

ANNOUNCE_MISSING_PLAN = """\
The upload queue gets the messages that should have announced these {count} file(s): they WILL be sent to the
vendor, and the vendor may charge for each, replaced and deleted ones too. Should an event come after all, or
a dead letter be redriven, that is the same job: nothing is sent twice. To announce some of them only, name
each by its KEY and --version-id."""

NOTHING_MISSING = """\
Every file of the last two weeks has a job: those that have a version, came after the ledger was made, and are
older than a day."""


@click.command(epilog=EPILOG)
@click.argument("key", required=False, type=UploadKey())
@click.option("--version-id", metavar="ID", help="With KEY: the version; else the latest.")
@click.option("--missing", is_flag=True, help="Instead of KEY: all that the daily audit would report.")
@yes_option
@click.pass_obj
def announce(
    connected: Connect, key: str | None, version_id: str | None, *, missing: bool, yes: bool
) -> None:
    """Announce files in the upload bucket that have no job.

    KEY is a file's key in the bucket. It is then sent, which costs money, but never twice: should the lost
    event come after all, it is about the same job. Only in a bucket without versions it is about another.
    """
    if (key is None) != missing or (version_id and missing):
        raise click.UsageError("Say one of: KEY [--version-id ID], --missing.")
    connection = connected()
    if key:
        _announce(connection.unannounced.find(key, version_id), connection, yes=yes)
    else:
        _announce_all(connection.unannounced.missing(), connection, yes=yes)


def _announce(upload: Upload, connection: Connection, *, yes: bool) -> None:
    print_heading(upload, connection)
    version = f"Version {upload.version_id}" if upload.version_id else "No version"
    plan = ANNOUNCE_PLAN if upload.version_id else ANNOUNCE_WITHOUT_VERSION_PLAN
    click.echo(f"{version}, {upload.size:,} bytes.\n{plan}")
    confirm(yes=yes)
    connection.queue.send_again(message_for(upload), after_seconds=0)
    click.echo(f"Announced. To follow it, once it is picked up: numberdrop watch {short_id(upload.job_id)}")


def _announce_all(missing: Sequence[ListedUpload], connection: Connection, *, yes: bool) -> None:
    if not missing:
        click.echo(NOTHING_MISSING)
        return
    click.echo(f"On {connection.stack.place}:")
    for listed in missing:
        since = "" if listed.is_latest else "  (replaced or deleted since)"
        written, size = f"{listed.written_at:%Y-%m-%d %H:%M}", f"{listed.upload.size:,} bytes"
        job, key = short_id(listed.upload.job_id), safe_to_print(listed.upload.key)
        click.echo(f"  {job}  {written}  {size:>17}  {key}{since}")
    click.echo(ANNOUNCE_MISSING_PLAN.format(count=len(missing)))
    confirm(yes=yes)
    for listed in missing:
        connection.queue.send_again(message_for(listed.upload), after_seconds=0)
    click.echo(f"Announced {len(missing)} file(s).")
