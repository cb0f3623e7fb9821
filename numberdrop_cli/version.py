"""The version of the command, which pyproject.toml holds."""

import tomllib
from importlib import metadata
from pathlib import Path

NAME = "numberdrop"

PARENT = Path(__file__).resolve().parent.parent
"""The folder that holds the package. In a checkout, pyproject.toml is there too."""


def version(folder: Path = PARENT) -> str:
    """Return the version of the checkout that the command runs from, else of the installed package.

    An editable installation keeps the version that it was made with, so the checkout comes first.
    """
    try:
        project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    except (FileNotFoundError, NotADirectoryError):
        return metadata.version(NAME)
    return str(project["version"])
