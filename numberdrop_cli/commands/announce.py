"""The command `announce`: announce uploads whose events were lost."""

from typing import TYPE_CHECKING

import click

from numberdrop.jobs.upload import Upload, message_for
from numberdrop_cli.confirming import confirm, print_heading
from numberdrop_cli.errors import unknown_outcome
from numberdrop_cli.parameters import Connect, Single, UploadKey, Words, yes_option
from numberdrop_cli.printing import safe_to_print, short_id

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numberdrop.aws.listing import ListedUpload
    from numberdrop_cli.connection import Connection

PLAN = """\
The upload queue gets a message that announces the file. The file WILL be sent to the vendor, and the vendor
may charge for it. If the lost event arrives after all, it is about the same job: nothing is sent twice."""

PLAN_WITHOUT_VERSION = """\
The upload queue gets a message that announces the file. The file WILL be sent to the vendor, and the vendor
may charge for it. The object has no version, so if its event arrives after all, THAT IS ANOTHER JOB, and the
file is paid for twice. First check that the event is not in the upload queue or the dead-letter queue."""

PLAN_FOR_MISSING = """\
The upload queue gets messages that announce these {count} file(s). The files WILL be sent to the vendor, and
the vendor may charge for each of them, replaced and deleted ones included. If a lost event arrives after all,
or a dead letter is redriven, it is about the same job: nothing is sent twice. To announce only some of the
files, name each by its KEY and --version-id."""

NOTHING_MISSING = """\
Every file of the last two weeks has a job. Files without a version, files older than the ledger, and files
younger than a day were not checked."""

EPILOG = """\
\b
Examples:
  numberdrop announce band/spring/leads.txt
  numberdrop announce band/spring/leads.txt --version-id 3HL4kqtJvjVBH40Nrjfkd
  numberdrop announce --missing
"""


@click.command(epilog=EPILOG)
@click.argument("key", required=False, type=UploadKey())
@click.option(
    "--version-id", cls=Single, metavar="ID", type=Words(), help="With KEY: the version. Default: the latest."
)
@click.option("--missing", is_flag=True, help="Instead of KEY: every file that the daily audit would report.")
@yes_option
@click.pass_obj
def announce(
    connected: Connect, key: str | None, version_id: str | None, *, missing: bool, yes: bool
) -> None:
    """Announce files in the upload bucket that have no job.

    KEY is the file's key in the bucket. The file is then sent, which costs money, but never twice: if the
    lost event arrives after all, it is about the same job. In a bucket without versions, that event would
    start another job.
    """
    if (key is None) != missing or (version_id and missing):
        raise click.UsageError("Give either KEY [--version-id ID] or --missing.")
    connection = connected()
    if key:
        _announce(connection.unannounced.find(key, version_id), connection, yes=yes)
    else:
        _announce_all(connection.unannounced.missing(), connection, yes=yes)


def _announce(upload: Upload, connection: "Connection", *, yes: bool) -> None:
    print_heading(upload, connection)
    version = f"Version {upload.version_id}" if upload.version_id else "No version"
    plan = PLAN if upload.version_id else PLAN_WITHOUT_VERSION
    click.echo(f"{version}, {upload.size:,} bytes.\n{plan}")
    confirm(yes=yes)
    connection.queue.send_again(message_for(upload), after_seconds=0)
    with unknown_outcome(lambda: "The file was announced."):
        click.echo(f"Announced. Once it is picked up, follow it: numberdrop watch {short_id(upload.job_id)}")


def _announce_all(missing: "Sequence[ListedUpload]", connection: "Connection", *, yes: bool) -> None:
    if not missing:
        click.echo(NOTHING_MISSING)
        return
    click.echo(f"On {connection.stack.place}:")
    for listed in missing:
        outdated = "" if listed.is_latest else "  (replaced or deleted since)"
        written, size = f"{listed.written_at:%Y-%m-%d %H:%M}", f"{listed.upload.size:,} bytes"
        job, key = short_id(listed.upload.job_id), safe_to_print(listed.upload.key)
        click.echo(f"  {job}  {written}  {size:>17}  {key}{outdated}")
    click.echo(PLAN_FOR_MISSING.format(count=len(missing)))
    confirm(yes=yes)
    announced = 0
    with unknown_outcome(lambda: announced * f"Announced {announced} of {len(missing)} file(s)."):
        for listed in missing:
            connection.queue.send_again(message_for(listed.upload), after_seconds=0)
            announced += 1
        click.echo(f"Announced {announced} file(s).")
