"""The usage examples in the package's docstrings work: they run as doctests, against moto instead of AWS."""

import doctest
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest
from moto import mock_aws

from tests.support.template import PROJECT

PACKAGE = PROJECT / "layers" / "shared" / "numberdrop"
COMMAND = PROJECT / "numberdrop_cli"


def modules_in(package: Path) -> list[str]:
    """Return the dotted names of a package's modules, except ``__main__``, which runs when imported."""
    paths = [path.relative_to(package.parent).with_suffix("") for path in package.rglob("*.py")]
    names = [".".join(path.parts).removesuffix(".__init__") for path in paths if path.name != "__main__"]
    return sorted(names)


MODULES = modules_in(PACKAGE)
ROOMS = sorted({name.split(".")[1] for name in MODULES if "." in name})


def examples_in(module: ModuleType) -> list[doctest.DocTest]:
    """Return the doctests of a module: one per docstring that has examples."""
    return [test for test in doctest.DocTestFinder().find(module) if test.examples]


@pytest.mark.parametrize("name", [*MODULES, *modules_in(COMMAND)])
def test_examples_in_docstrings_work(name: str) -> None:
    module = import_module(name)
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    report: list[str] = []

    # Keeping the session avoids reading the models of all services again for each module.
    with mock_aws(config={"core": {"reset_boto3_session": False}}):
        failures = [runner.run(test, out=report.append).failed for test in examples_in(module)]

    assert not any(failures), "".join(report)


@pytest.mark.parametrize("room", ROOMS)
def test_every_room_has_examples(room: str) -> None:
    names = [name for name in MODULES if name.split(".")[1:2] == [room]]

    assert any(examples_in(import_module(name)) for name in names)
