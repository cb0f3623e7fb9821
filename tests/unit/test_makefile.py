"""What `make install` would run, in a copy of the files that it reads."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.template import PROJECT

ENVIRONMENTS = ("installer", "dev", "cloud", "sam", "command")
FOLDER = "John's 100% #1 (copy)"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Return a folder in which everything is installed, as the Makefile sees it."""
    folder = tmp_path / FOLDER
    shutil.copytree(PROJECT / "requirements", folder / "requirements")
    for name in ("Makefile", "pyproject.toml"):
        shutil.copy(PROJECT / name, folder)
    for name in ENVIRONMENTS:
        (folder / ".venv" / name).mkdir(parents=True)
    for name in ENVIRONMENTS:
        (folder / ".venv" / name / ".done").touch()
    return folder


def make(folder: Path, *arguments: str) -> str:
    """Return what make prints when a person runs it: the tests themselves may be run by make."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    command = ["make", *arguments]
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, check=True, text=True)
    return done.stdout


def planned(folder: Path) -> str:
    """Return the commands that `make install` would run."""
    return make(folder, "--dry-run", "install")


@pytest.mark.parametrize("place", [None, "here"])
def test_what_is_installed_is_not_installed_again(copy: Path, place: str | None) -> None:
    if place:
        (copy / ".venv" / "place").write_text(f"{(copy / '.venv').resolve()}\n", encoding="utf-8")
    assert planned(copy) == "make: Nothing to be done for 'install'.\n"


def test_a_linked_environment_is_not_installed_again(copy: Path, tmp_path: Path) -> None:
    (copy / ".venv").rename(tmp_path / "shared")
    (copy / ".venv").symlink_to(tmp_path / "shared")
    (tmp_path / "shared" / "place").write_text(f"{(tmp_path / 'shared').resolve()}\n", encoding="utf-8")
    assert planned(copy) == "make: Nothing to be done for 'install'.\n"


def test_a_folder_that_was_moved_is_installed_again(copy: Path) -> None:
    (copy / ".venv" / "place").write_text("/where/it/was/.venv\n", encoding="utf-8")
    plan = planned(copy)
    for name in ("dev", "cloud", "sam"):
        assert f"Installing {name} ..." in plan
    assert "--editable ." in plan


def test_the_demo_opens_with_what_it_does(copy: Path) -> None:
    """Without `--silent`, make says first that there is nothing to install."""
    python = copy / ".venv" / "dev" / "bin" / "python"
    python.parent.mkdir()
    python.write_text("#!/bin/sh\necho This takes about a minute\n", encoding="utf-8")
    python.chmod(0o755)
    assert make(copy, "demo") == "This takes about a minute\n"
