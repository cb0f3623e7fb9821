"""The command `events`: follow the events of a stack as its jobs end."""

import json
from collections.abc import Mapping, Sequence
from time import sleep
from typing import TYPE_CHECKING, Any

import click

from numberdrop_cli.errors import RefusedError
from numberdrop_cli.parameters import Connect

if TYPE_CHECKING:
    from numberdrop_cli.connection import Connection
    from numberdrop_cli.event_tap import EventTap

WAIT_SECONDS = 10
"""How long a request waits for events: less than the read time-out of the clients."""

PAUSE_SECONDS = 3
"""How long to wait before the next request if the connection is broken."""

EPILOG = """\
\b
Examples:
  numberdrop events
  numberdrop events --json | jq 'select(."detail-type" == "Number Check Failed")'
"""


@click.command(epilog=EPILOG)
@click.option("--json", "as_json_lines", is_flag=True, help="Print each event as one line of JSON.")
@click.pass_obj
def events(connected: Connect, *, as_json_lines: bool) -> None:
    """Follow jobs as they end or need a person, until Ctrl-C.

    The events come through a temporary queue and a rule on the stack's event bus, which are removed at the
    end. Earlier events are not shown, and those of the first seconds may be missed.
    """
    connection = connected()

    from numberdrop_cli.event_tap import LeftBehindError
    from numberdrop_cli.signals import StoppedError, stopped_by_signals

    try:
        with stopped_by_signals():
            _follow(connection, as_json_lines=as_json_lines)
    except StoppedError as stopped:
        click.echo("Stopped. The queue and the rule were removed.", err=True)
        click.get_current_context().exit(stopped.status)
    except LeftBehindError as error:
        raise RefusedError(str(error)) from None


def _follow(connection: "Connection", *, as_json_lines: bool) -> None:
    from numberdrop.jobs.events import SOURCE
    from numberdrop_cli.event_tap import event_tap

    stack = connection.stack
    # Several stacks may share the bus.
    pattern = {"source": [SOURCE], "detail": {"upload": {"bucket": [stack.upload_bucket]}}}
    seen: set[str] = set()
    clients = connection.client("events"), connection.client("sqs")
    with event_tap(*clients, stack.event_bus, pattern) as tap:
        click.echo(f"Following {stack.place}. Ctrl-C ends this.", err=True)
        while True:
            for event in _next_events(tap):
                if event["id"] not in seen:  # a queue may deliver a message twice
                    seen.add(event["id"])
                    click.echo(_as_json(event) if as_json_lines else _as_text(event))


def _next_events(tap: "EventTap") -> "Sequence[Mapping[str, Any]]":
    """Return the next events, none if the connection is broken: the queue keeps them meanwhile."""
    from botocore.exceptions import BotoCoreError, ClientError

    from numberdrop_cli.aws_errors import is_temporary

    try:
        return tap.receive(wait_seconds=WAIT_SECONDS)
    except (ClientError, BotoCoreError) as error:
        if not is_temporary(error):
            raise
        sleep(PAUSE_SECONDS)
        return []


def _as_json(event: Mapping[str, Any]) -> str:
    """Return the event as a line, without what may be a number in the names of files."""
    from numberdrop_cli.printing import masked_key, printable, safe_to_print

    detail: dict[str, Any] = dict(event["detail"])
    detail["upload"] = detail["upload"] | {"key": safe_to_print(detail["upload"]["key"])}
    if results := detail.get("results"):
        keys = {name: key for name, key in results.items() if name.endswith("_key") and key}
        detail["results"] = results | {
            name: printable(masked_key(key, detail["job_id"])) for name, key in keys.items()
        }
    return json.dumps({**event, "detail": detail})


def _as_text(event: Mapping[str, Any]) -> str:
    """Return what happened to a job in one line.

    >>> upload = {"key": "band/leads.txt"}
    >>> counts = {"resolved": 99, "unresolved": 1, "verdicts": {"yes": 60, "no": 39}}
    >>> detail = {"job_id": "4062224fd4df3280", "upload": upload, "counts": counts}
    >>> _as_text({"time": "2026-03-04T12:30:01Z", "detail-type": "Number Check Completed", "detail": detail})
    '12:30:01  4062224fd4df  band/leads.txt: completed; 99 resolved, 1 unresolved; no 39, yes 60'
    """
    from numberdrop_cli.printing import safe_to_print, short_id

    detail = event["detail"]
    what = event["detail-type"].removeprefix("Number Check ").lower()
    reason, counts = detail.get("reason"), detail["counts"]
    if reason:
        outcome = f"{what}. {reason['code']}: {safe_to_print(reason['message'])}"
    elif counts["resolved"] is not None:
        verdicts = ", ".join(f"{name} {count:,}" for name, count in sorted(counts["verdicts"].items()))
        resolved = f"{counts['resolved']:,} resolved, {counts['unresolved'] or 0:,} unresolved"
        outcome = f"{what}; {resolved}{f'; {safe_to_print(verdicts)}' if verdicts else ''}"
    else:
        outcome = what
    time, key = event["time"][11:19], safe_to_print(detail["upload"]["key"])
    return f"{time}  {short_id(detail['job_id'])}  {key}: {outcome}"
