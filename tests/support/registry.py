"""A package registry on loopback, and a project whose layer is built with a package of it."""

import hashlib
import http.server
import os
import shutil
import ssl
import subprocess
import threading
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from local.processes import PROJECT, TOOLS

PIPS_PYTHON = TOOLS / "installer" / "bin" / "python3"
"""A Python with pip."""

NAME = "wanted"
WHEEL = f"{NAME}-1.0-py3-none-any.whl"
METADATA = f"""\
Metadata-Version: 2.1
Name: {NAME}
Version: 1.0
Requires-Python: >=99
"""
"""No Python fulfils the requirement, just as Python 3.9 does not fulfil those of the real packages."""


@dataclass(frozen=True)
class Workplace:
    """A folder with a copy of what builds the layer, and one package to put into it.

    Attributes:
        folder: the project's folder.
        registry: the root folder of a web server that is a package registry.
    """

    folder: Path
    registry: Path

    @classmethod
    def below(cls, folder: Path) -> "Workplace":
        place = cls(folder / "project", folder / "registry")
        place.layer.mkdir(parents=True)
        for name in ("Makefile", "run_pip.py"):
            shutil.copy(PROJECT / "layers" / "shared" / name, place.layer)
        (place.layer / "numberdrop").mkdir()
        (place.layer / "numberdrop" / "__init__.py").touch()
        wheels = place.registry / "simple" / NAME
        wheels.mkdir(parents=True)
        with zipfile.ZipFile(wheels / WHEEL, "w") as wheel:
            information = f"{NAME}-1.0.dist-info"
            wheel.writestr(f"{NAME}.py", "")
            wheel.writestr(f"{information}/METADATA", METADATA)
            wheel.writestr(f"{information}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
            wheel.writestr(f"{information}/RECORD", "")
        digest = hashlib.sha256((wheels / WHEEL).read_bytes()).hexdigest()
        (wheels / "index.html").write_text(f'<a href="{WHEEL}#sha256={digest}">{WHEEL}</a>', encoding="utf-8")
        (place.layer / "requirements.txt").write_text(
            f"{NAME}==1.0 --hash=sha256:{digest}\n", encoding="utf-8"
        )
        return place

    @property
    def layer(self) -> Path:
        return self.folder / "layers" / "shared"

    @property
    def wheels(self) -> Path:
        return self.registry / "simple" / NAME

    def install_pip(self) -> None:
        """Create the environment with pip that `make install` makes."""
        write_script(self.folder / ".venv" / "installer" / "bin" / "python", f'exec "{PIPS_PYTHON}" "$@"')

    def build(
        self, settings: Mapping[str, str], *first_on_the_path: Path
    ) -> subprocess.CompletedProcess[str]:
        """Build the layer in a copy of its folder, as the SAM CLI does."""
        copy, home = self.folder.parent / "scratch", self.folder.parent / "home"
        shutil.copytree(self.layer, copy)
        home.mkdir(exist_ok=True)
        path = [*map(str, first_on_the_path or [PIPS_PYTHON.parent]), "/usr/bin", "/bin"]
        return subprocess.run(
            ["make", "--makefile", str(self.layer / "Makefile"), "build-SharedLayer"],
            cwd=copy,
            env={
                "PATH": os.pathsep.join(path),
                "HOME": str(home),
                "ARTIFACTS_DIR": str(self.artifacts),
                # Unless a test says otherwise, pip finds nothing, whatever this machine configures.
                "PIP_INDEX_URL": "http://127.0.0.1:9/simple",
                "PIP_EXTRA_INDEX_URL": "http://127.0.0.1:9/simple",
                "PIP_FIND_LINKS": str(home),
                "PIP_RETRIES": "0",
                **settings,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )

    @contextmanager
    def serving(self, *, tls: ssl.SSLContext | None = None) -> Iterator[str]:
        """Yield the address of the registry. It is a proxy too: it answers for whatever host is asked for."""
        handler = partial(_AnyHost, directory=str(self.registry))
        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
            if tls:
                server.socket = tls.wrap_socket(server.socket, server_side=True)
            threading.Thread(target=server.serve_forever, daemon=True).start()
            yield f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}"
            server.shutdown()

    @property
    def artifacts(self) -> Path:
        return self.folder.parent / "artifacts"

    @property
    def built(self) -> bool:
        """Whether the layer has the package and the project's code."""
        return all((self.artifacts / "python" / name).exists() for name in (f"{NAME}.py", "numberdrop"))


class _AnyHost(http.server.SimpleHTTPRequestHandler):
    def translate_path(self, path: str) -> str:
        return super().translate_path(urlsplit(path).path)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


def write_script(path: Path, line: str) -> None:
    """Write a program of one line for the shell."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{line}\n", encoding="utf-8")
    path.chmod(0o755)
