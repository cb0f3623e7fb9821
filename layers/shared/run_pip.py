"""Run pip with the settings that say where packages are, and with no others.

People export settings of pip, or keep them in a `pip.conf`. A mirror, a proxy or a certificate is needed to
install anything; `user`, `prefix`, `target` and `constraint` break the build of the layer. pip can only
ignore all of them (`--isolated`), so this passes on the useful ones. The first `python3` runs it, even if
that is Python 3.8, so it uses the standard library only.
"""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

KEPT = frozenset({
    "cache-dir",
    "cert",
    "client-cert",
    "disable-pip-version-check",
    "extra-index-url",
    "find-links",
    "index-url",
    "keyring-provider",
    "no-cache-dir",
    "no-color",
    "no-index",
    "no-input",
    "progress-bar",
    "proxy",
    "resume-retries",
    "retries",
    "root-user-action",
    "timeout",
    "trusted-host",
    "use-deprecated",
    "use-feature",
})  # fmt: skip
"""The settings that pip gets: how to reach packages, and how to print (pip's manual, "Configuration")."""

OTHER_NAMES = {"pypi-url": "index-url", "default-timeout": "timeout"}
"""Other names of kept settings."""

SECTIONS = ("global", "install", ":env:")
"""The sections that `pip install` reads; a later one has priority."""

SETTING = re.compile(r"^([a-z:]+)\.([a-z0-9-]+)=(.+)$")
"""A line of `pip config list`."""

INDEXES_OF_UV = {
    "index-url": ("UV_DEFAULT_INDEX", "UV_INDEX_URL"),
    "extra-index-url": ("UV_INDEX", "UV_EXTRA_INDEX_URL"),
    "find-links": ("UV_FIND_LINKS",),
}
"""The variables that name a mirror for uv, by setting of pip. The first variable that is set counts."""

NO_PIP = """\
Neither python3 nor the project has pip, and uv is not installed. Do one of these, then build again:
  - run 'make install' in the project's folder
  - run 'python3 -m ensurepip', or install your system's package python3-pip
  - deactivate the active environment, if it was made without pip
"""


def main(arguments: list[str]) -> int:
    """Run pip with arguments; return its exit status."""
    command = find_pip()
    if command is None:
        sys.stderr.write(NO_PIP)
        return 1
    without_others = only_kept(os.environ)
    listed = subprocess.run(
        # A setting can make pip quieter, and then it would list nothing.
        [*command, "config", "list", "-vvv"],
        env=without_others,
        stdout=subprocess.PIPE,
        check=False,
        text=True,
    )
    if listed.returncode != 0:
        return listed.returncode
    environment = with_settings(without_others, listed.stdout)
    return subprocess.run([*command, *arguments], env=environment, check=False).returncode


def find_pip() -> list[str] | None:
    """Return the command that runs pip, or None.

    An environment that uv makes has no pip. Then `make install` may have put one into the project; else uv
    can fetch it.
    """
    if find_spec("pip"):
        return [sys.executable, "-m", "pip"]
    # The SAM CLI builds in a copy of this folder. The Makefile says where it is itself.
    makefile = Path(os.environ.get("LAYER_MAKEFILE", "").strip() or __file__)
    installed = makefile.resolve().parent.parent.parent / ".venv" / "installer" / "bin" / "python"
    if installed.exists():
        return [str(installed), "-m", "pip"]
    uv = shutil.which("uv")
    return [uv, "tool", "run", "pip"] if uv else None


def only_kept(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables without those of pip that are not kept."""
    return {
        name: value
        for name, value in environment.items()
        if not name.startswith("PIP_") or name == "PIP_CONFIG_FILE" or _key(name) in KEPT
    }


def with_settings(environment: Mapping[str, str], listed: str) -> dict[str, str]:
    """Return the variables for `pip install`.

    Args:
        environment: the variables, without settings that are not kept.
        listed: what `pip config list` printed. It includes the settings in the variables.
    """
    settings = _indexes_of_uv(environment)
    # Like pip, this takes an empty value for none.
    lines = [match.groups() for match in map(SETTING.match, listed.splitlines()) if match]
    for section in SECTIONS:
        settings.update(
            (_usual(key), str(ast.literal_eval(value)))
            for found, key, value in lines
            if found == section and _usual(key) in KEPT and ast.literal_eval(value)
        )
    others = {name: value for name, value in environment.items() if not name.startswith("PIP_")}
    return {
        **others,
        **{_variable(key): value for key, value in settings.items()},
        "PIP_CONFIG_FILE": os.devnull,  # pip then reads no file at all
    }


def _indexes_of_uv(environment: Mapping[str, str]) -> dict[str, str]:
    found = {}
    for key, names in INDEXES_OF_UV.items():
        for name in reversed(names):
            if environment.get(name):
                addresses = environment[name].replace(",", " ").split()
                # uv lets people write `name=address`.
                found[key] = " ".join(re.sub(r"^[\w.-]+=", "", address) for address in addresses)
    return found


def _usual(key: str) -> str:
    return OTHER_NAMES.get(key, key)


def _key(variable: str) -> str:
    return _usual(variable[len("PIP_") :].lower().replace("_", "-"))


def _variable(key: str) -> str:
    return "PIP_" + key.upper().replace("-", "_")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
