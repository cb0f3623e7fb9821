"""Run the demo and the local cloud in odd environments: ``make laptops``, some ten minutes.

Each row of the matrix sets one odd thing that a laptop may have, in a copy of the project, and checks the
outcome. Only pip may need a network, to build the layer.
"""

import os
import shutil
import signal
import socket
import socketserver
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

PROJECT = Path(__file__).resolve().parent.parent
NOBODY_LISTENS = "http://127.0.0.1:9"
DONE = "Everything is cleaned up."
MAX_SECONDS = 300
IGNORED = shutil.ignore_patterns(".venv", ".git", ".aws-sam", "__pycache__", ".*_cache", ".hypothesis")


@dataclass(frozen=True)
class Place:
    """A copy of the project, and a folder for its temporary files."""

    copy: Path
    temporary: Path

    @classmethod
    def below(cls, folder: Path) -> "Place":
        place = cls(folder / "numberdrop", folder / "tmp")
        shutil.copytree(PROJECT, place.copy, ignore=IGNORED, symlinks=True)
        (place.copy / ".venv").symlink_to(PROJECT / ".venv")
        place.temporary.mkdir()
        return place

    def start(self, target: str, settings: Mapping[str, str]) -> subprocess.Popen[str]:
        return subprocess.Popen(
            ["make", target],
            cwd=self.copy,
            env={**os.environ, "TMPDIR": str(self.temporary), **settings},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def leftovers(self) -> list[str]:
        """Return the files in the temporary folder, and the processes that use it."""
        files = [path.name for path in self.temporary.iterdir()]
        return files + [process for process in _environments() if str(self.temporary) in process]


def _environments() -> list[str]:
    found = []
    for file in Path("/proc").glob("[0-9]*/environ"):
        try:
            found.append(file.read_text(encoding="utf-8", errors="replace"))
        except OSError:  # the process has ended, or belongs to another user
            continue
    return found


@dataclass(frozen=True)
class Odd:
    """A row of the matrix.

    Attributes:
        settings: environment variables.
        folder: the name of the folder with the copy and the temporary files.
        prepare: changes the copy.
        target: the target of make.
        signal_at: a signal, sent when a file that matches the pattern exists in the temporary folder.
        status: the exit status of the target, 0 or not.
        says: what it prints.
    """

    settings: Mapping[str, str] = field(default_factory=dict)
    folder: str = "folder"
    prepare: Callable[[Place], None] = lambda _: None
    target: str = "demo"
    signal_at: tuple[signal.Signals, str] | None = None
    succeeds: bool = True
    says: str = DONE


def break_the_build(place: Place) -> None:
    """Make the build fail with a log that looks like markup."""
    makefile = place.copy / "layers" / "shared" / "Makefile"
    text = makefile.read_text(encoding="utf-8")
    broken = text.replace(
        "build-SharedLayer:\n", "build-SharedLayer:\n\t@echo '[/no] [bold]such markup'; false\n"
    )
    makefile.write_text(broken, encoding="utf-8")


def save_other_options(place: Place) -> None:
    """Save options of another deployment, as `sam deploy --guided` and people do."""
    file = place.copy / "samconfig.toml"
    other = {
        "[default.build.parameters]": "use_container = true",
        "[default.deploy.parameters]": 'profile = "nobodys"\nregion = "eu-west-1"\ns3_bucket = "others"',
    }
    text = file.read_text(encoding="utf-8")
    for table, lines in other.items():
        text = text.replace(table, f"{table}\n{lines}")
    file.write_text(text, encoding="utf-8")


class ProxyForOthers(socketserver.ThreadingTCPServer):
    """A proxy that tunnels to other hosts, for pip, and refuses loopback, as a company's proxy does."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Tunnel)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def settings(self) -> Mapping[str, str]:
        names = ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy")
        return dict.fromkeys(names, f"http://127.0.0.1:{self.server_address[1]}")


class _Tunnel(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        method, target, _ = self.rfile.readline().decode("ascii").split(" ", 2)
        while self.rfile.readline().strip():
            pass
        host, _, port = target.rpartition(":")
        if method != "CONNECT" or host in {"127.0.0.1", "localhost"}:
            self.wfile.write(b"HTTP/1.1 403 Forbidden\r\n\r\n")
            return
        with socket.create_connection((host, int(port))) as remote:
            self.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
            upwards = threading.Thread(target=_copy, args=(self.connection, remote), daemon=True)
            upwards.start()
            _copy(remote, self.connection)


def _copy(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65_536):
            target.sendall(data)


MATRIX = {
    "nothing odd": Odd(),
    "spaces and more in the paths of the clone and of TMPDIR": Odd(folder="John's (100%) $HOME & #1; `x`"),
    "letters beyond ASCII in these paths": Odd(folder="ünïcödé"),
    "a proxy that refuses loopback": Odd(ProxyForOthers().settings),
    "AWS_PROFILE that names no profile": Odd({"AWS_PROFILE": "nobodys"}),
    "AWS_REGION, AWS_ENDPOINT_URL_S3 and AWS_SESSION_TOKEN of another account": Odd(
        {"AWS_REGION": "eu-west-1", "AWS_ENDPOINT_URL_S3": NOBODY_LISTENS, "AWS_SESSION_TOKEN": "other"}
    ),
    "AWS_CONFIG_FILE that is no configuration": Odd({"AWS_CONFIG_FILE": str(PROJECT / "README.md")}),
    "PYTHONSAFEPATH, PYTHONWARNINGS=error, PYTHONOPTIMIZE": Odd(
        {"PYTHONSAFEPATH": "1", "PYTHONWARNINGS": "error", "PYTHONOPTIMIZE": "2"}
    ),
    "samconfig.toml of another deployment, SAM_TEMPLATE_FILE": Odd(
        {"SAM_TEMPLATE_FILE": "/nowhere"}, prepare=save_other_options
    ),
    "HOME that cannot be written": Odd({"HOME": os.devnull}),
    ".venv/dev/bin first on the PATH": Odd(
        {"PATH": f"{PROJECT / '.venv' / 'dev' / 'bin'}{os.pathsep}{os.environ['PATH']}"}
    ),
    "settings of pip and uv that break installations": Odd(
        {
            **{f"PIP_{name}": "1" for name in ("USER", "REQUIRE_VIRTUALENV", "DRY_RUN")},
            **{f"PIP_{name}": "/nowhere" for name in ("PREFIX", "ROOT", "TARGET", "CONSTRAINT", "PYTHON")},
            "UV_CONSTRAINT": "/nowhere",
            "UV_EXCLUDE_NEWER": "2020-01-01",
        }
    ),
    "an output in CP-1252": Odd({"PYTHONIOENCODING": "cp1252", "LC_ALL": "C"}),
    "a build that fails with brackets in its log": Odd(
        prepare=break_the_build, succeeds=False, says="[/no] [bold]such markup"
    ),
    "Ctrl-C while building": Odd(
        signal_at=(signal.SIGINT, "numberdrop-*/numberdrop-build.log"), succeeds=False, says="Interrupted."
    ),
    "the terminal is closed while building": Odd(
        signal_at=(signal.SIGHUP, "numberdrop-*/numberdrop-build.log"), succeeds=False, says=""
    ),
    "Ctrl-C while functions run": Odd(
        signal_at=(signal.SIGINT, "numberdrop-*/unpacked-*"), succeeds=False, says="Interrupted."
    ),
    "a request to end while functions run": Odd(
        signal_at=(signal.SIGTERM, "numberdrop-*/unpacked-*"), succeeds=False, says=""
    ),
    "Ctrl-C before `make cloud` is up": Odd(
        target="cloud", signal_at=(signal.SIGINT, "numberdrop-*/ministack.log"), says="Stopped."
    ),
    "the terminal is closed while `make cloud` deploys": Odd(
        target="cloud",
        signal_at=(signal.SIGHUP, "numberdrop-*/numberdrop-deploy.log"),
        succeeds=False,
        says="",
    ),
}


def run(odd: Odd) -> str | None:
    """Return what differs from the expected outcome, or None."""
    with TemporaryDirectory(prefix="numberdrop-odd-") as name:
        place = Place.below(Path(name) / odd.folder)
        odd.prepare(place)
        process = place.start(odd.target, odd.settings)
        try:
            if odd.signal_at and not _send(process, place, *odd.signal_at):
                return f"it ended too early:\n{process.communicate()[0][-3000:]}"
            output, _ = process.communicate(timeout=MAX_SECONDS)
        except subprocess.TimeoutExpired:
            return f"it did not end within {MAX_SECONDS} s"
        finally:
            _kill(process)
        # make may end before the program that it started.
        end = time.monotonic() + 20
        while place.leftovers() and time.monotonic() < end:
            time.sleep(0.2)
        if place.leftovers():
            return f"it left behind: {place.leftovers()}"
    if odd.says not in output:
        return f"it does not say {odd.says!r}:\n{output[-3000:]}"
    if odd.signal_at is None and (process.returncode == 0) != odd.succeeds:
        return f"its exit status is {process.returncode}:\n{output[-3000:]}"
    return None


def _send(process: subprocess.Popen[str], place: Place, number: signal.Signals, pattern: str) -> bool:
    """Send a signal to the whole session, as a terminal does. Return whether it still ran then."""
    end = time.monotonic() + MAX_SECONDS
    while not list(place.temporary.glob(pattern)) and time.monotonic() < end and process.poll() is None:
        time.sleep(0.1)
    time.sleep(0.5)
    if process.poll() is not None:
        return False
    os.killpg(process.pid, number)
    return True


def _kill(process: subprocess.Popen[str]) -> None:
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def main() -> int:
    """Run the rows whose names contain the arguments, or all; return the exit status."""
    words = sys.argv[1:]
    # The rows send these signals, which a background job of a shell, or `nohup`, would ignore.
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    rows = {name: odd for name, odd in MATRIX.items() if not words or any(word in name for word in words)}
    failed = False
    for name, odd in rows.items():
        began = time.monotonic()
        difference = run(odd)
        failed = failed or difference is not None
        print(f"{'FAILED' if difference else 'ok':<7}{time.monotonic() - began:>5.0f} s  {name}", flush=True)
        if difference:
            print(f"        {difference}", flush=True)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
