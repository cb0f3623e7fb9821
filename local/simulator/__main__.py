"""``python -m local.simulator``: run the simulated vendor for demos and manual tests."""

import argparse
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from local.simulator.model import Settings
from local.simulator.server import LOOPBACK, Simulator
from numberdrop_cli.signals import at_first_signal


def main(arguments: Sequence[str] | None = None) -> None:
    """Run until the first signal to stop."""
    options = _options(arguments)
    stop = threading.Event()
    try:
        vendor = Simulator(
            port=options.port,
            balance=options.balance,
            api_key=options.api_key,
            user_id=options.user_id,
            duration_seconds=options.duration,
            enforce_minimum=options.enforce_minimum,
        )
    except (OSError, OverflowError) as error:
        sys.exit(f"It cannot listen on {LOOPBACK}, port {options.port}: {error}. Choose another --port.")
    with at_first_signal(lambda _: stop.set()), vendor as simulator:
        sys.stdout.write(_welcome(simulator))
        sys.stdout.flush()
        if options.port_file:
            _publish(simulator.url, options.port_file)
        stop.wait()


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    defaults = Settings()
    parser = argparse.ArgumentParser(
        prog="python -m local.simulator",
        description=f"Simulate the vendor's API on {LOOPBACK}. Nothing leaves this machine.",
    )
    parser.add_argument("--port", type=int, default=0, help="port to listen on (default: any free port)")
    parser.add_argument("--port-file", type=Path, help="file to write the URL to, once listening")
    parser.add_argument("--api-key", default=defaults.api_key, help="default: %(default)s")
    parser.add_argument("--user-id", default=defaults.user_id, help="default: %(default)s")
    parser.add_argument("--balance", type=float, default=1000.0, help="USD, default: %(default)s")
    parser.add_argument(
        "--duration",
        type=float,
        default=defaults.duration_seconds,
        help="seconds that a task takes (default: %(default)s)",
    )
    parser.add_argument(
        "--enforce-minimum", action="store_true", help="refuse files below a checker's minimum"
    )
    return parser.parse_args(arguments)


def _welcome(simulator: Simulator) -> str:
    key = simulator.settings.api_key
    curl = f"curl --silent --header 'X-API-Key: {key}'"
    return f"""\
vendor simulator  {simulator.url}
API key           {key}
user id           {simulator.settings.user_id}

submit   {curl} --form file=@numbers.txt --form task_type=band {simulator.url}/v1/tasks
status   {curl} --form task_id=TASK_ID {simulator.url}/v1/gettasks
export   curl --output export.zip 'RESULT_URL'

Press Ctrl-C to stop.
"""


def _publish(url: str, port_file: Path) -> None:
    """Write the URL in one atomic step, so that no reader sees half of it."""
    draft = port_file.with_name(f"{port_file.name}.draft")
    draft.write_text(url, encoding="utf-8")
    draft.replace(port_file)


if __name__ == "__main__":
    main()
