"""The stack that the SAM CLI deploys from this folder, as its configuration file says."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numberdrop_cli.errors import RefusedError

FILE_NAMES = ("samconfig.toml", "samconfig.yaml", "samconfig.yml")
"""The SAM CLI reads the first of these that exists, unless --config-file names another."""

DEFAULT_ENVIRONMENT = "default"

COMMANDS = ("deploy", "global")
"""The tables that may hold a value, the first wins: the command's own, then that of all commands."""

NAMES = ("stack_name", "region", "profile")

FIX_IT = "Correct it, or name another file with --config-file."


@dataclass(frozen=True, slots=True)
class SavedPlace:
    """Where ``sam deploy`` deploys to. A value that is None is not saved."""

    stack_name: str | None = None
    region: str | None = None
    profile: str | None = None


def saved_place(
    folder: Path = Path(), *, config_file: str | None = None, environment: str | None = None
) -> SavedPlace:
    """Return what the SAM CLI would read, in its order.

    ``sam deploy --guided`` saves its answers in the table of ``deploy`` (AWS SAM developer guide, "AWS SAM
    CLI configuration file").

    >>> saved_place(Path("/no/such/folder"))
    SavedPlace(stack_name=None, region=None, profile=None)

    Args:
        folder: by default the working folder. Its path is not needed: it may have been deleted.
        config_file: a file to read instead of those in ``FILE_NAMES``.
        environment: the environment to read instead of ``default``.

    Raises:
        RefusedError: the file or the environment was named but does not exist, the file cannot be read, or a
            value is not a text.
    """
    found = _document(folder, config_file)
    if found is None:
        if environment:
            raise RefusedError(f"There is no environment {environment!r}: this folder has no samconfig.toml.")
        return SavedPlace()
    name, document = found
    if environment and environment not in document:
        raise RefusedError(f"{name} has no environment {environment!r}. Choose another --config-env.")
    tables = [_table(document, environment or DEFAULT_ENVIRONMENT, command) for command in reversed(COMMANDS)]
    values = {key: value for table in tables for key, value in table.items() if key in NAMES}
    for key, value in values.items():
        if not isinstance(value, str) or not value:
            raise RefusedError(f"The {key} in {name} is not a text. {FIX_IT}")
    return SavedPlace(**values)


def _document(folder: Path, config_file: str | None) -> tuple[str, Mapping[str, Any]] | None:
    """Return the name of the configuration file and what it says, or None if there is none."""
    for name in [config_file] if config_file else FILE_NAMES:
        try:
            text = (folder / name).read_text(encoding="utf-8-sig")
        except FileNotFoundError:
            continue
        except OSError as error:
            raise RefusedError(f"{name} cannot be read ({error.strerror}). {FIX_IT}") from None
        except ValueError:
            raise RefusedError(f"{name} is not valid UTF-8. {FIX_IT}") from None
        return name, _parsed(name, text)
    if config_file:
        raise RefusedError(f"There is no file {config_file}. Choose another --config-file.")
    return None


def _parsed(name: str, text: str) -> Mapping[str, Any]:
    kind = "YAML" if name.endswith((".yaml", ".yml")) else "TOML"
    try:
        document = _from_yaml(text) if kind == "YAML" else tomllib.loads(text)
    except (ValueError, RecursionError):
        raise RefusedError(f"{name} is not valid {kind}. {FIX_IT}") from None
    return document if isinstance(document, dict) else {}


def _from_yaml(text: str) -> Any:
    """Return a YAML document with all its values as text. YAML 1.1 would read a stack called `on` as true."""
    import yaml

    class Loader(yaml.SafeLoader):
        yaml_implicit_resolvers = {"<": yaml.SafeLoader.yaml_implicit_resolvers["<"]}  # noqa: RUF012

    try:
        return yaml.load(text, Loader)  # noqa: S506 - it extends the safe loader
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from None


def _table(document: Mapping[str, Any], *path: str) -> Mapping[str, Any]:
    """Return ``<environment>.<command>.parameters``, or an empty table if it is missing."""
    table: Any = document
    for name in (*path, "parameters"):
        table = table.get(name) if isinstance(table, dict) else None
    return table if isinstance(table, dict) else {}
