"""The layer can be built whatever settings of pip and uv a machine has."""

import ssl
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import trustme

from local.processes import TOOLS
from tests.support.registry import PIPS_PYTHON, Workplace, write_script

PYTHON_WITHOUT_PIP = TOOLS / "dev" / "bin"
"""The folder of a Python as uv makes it."""

HARMFUL = {
    "user": "1",
    "require-virtualenv": "1",
    "prefix": "/nowhere",
    "root": "/nowhere",
    "target": "/nowhere",
    "constraint": "/nowhere/constraints.txt",
    "build-constraint": "/nowhere/constraints.txt",
    "requirement": "/nowhere/requirements.txt",
    "dry-run": "1",
    "no-binary": ":all:",
    "platform": "win32",
    "python": "/nowhere/python",
    "quiet": "3",
    "log": "/nowhere/pip.log",
}
"""Settings that break the build if pip gets them."""

QUIETLY_HARMFUL = {key: value for key, value in HARMFUL.items() if key not in {"python", "log"}}
"""Those that may be in a file: with the others, `pip config list` fails already."""


@pytest.fixture
def place(tmp_path: Path) -> Workplace:
    return Workplace.below(tmp_path)


@pytest.fixture
def registry(place: Workplace) -> Iterator[str]:
    with place.serving() as address:
        yield address


def variables(settings: Mapping[str, str]) -> dict[str, str]:
    return {"PIP_" + key.upper().replace("-", "_"): value for key, value in settings.items()}


def config_file(folder: Path, settings: Mapping[str, str], section: str = "global") -> dict[str, str]:
    file = folder / "pip.conf"
    file.write_text(
        "\n".join([f"[{section}]", *(f"{k} = {v}" for k, v in settings.items())]), encoding="utf-8"
    )
    return {"PIP_CONFIG_FILE": str(file)}


def test_exported_settings_of_pip_do_not_break_the_build(place: Workplace) -> None:
    done = place.build({**variables(HARMFUL), "PIP_FIND_LINKS": str(place.wheels), "PIP_NO_INDEX": "1"})

    assert place.built, done.stdout


@pytest.mark.parametrize("section", ["global", "install"])
def test_a_pip_conf_does_not_break_the_build(place: Workplace, tmp_path: Path, section: str) -> None:
    settings = config_file(tmp_path, QUIETLY_HARMFUL, section)

    done = place.build({**settings, "PIP_FIND_LINKS": str(place.wheels), "PIP_NO_INDEX": "1"})

    assert place.built, done.stdout


def test_the_build_fails_without_a_mirror(place: Workplace) -> None:
    done = place.build({})

    assert done.returncode != 0
    assert not place.built


@pytest.mark.parametrize("variable", ["PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_PYPI_URL"])
def test_a_mirror_that_pip_knows_is_used(place: Workplace, registry: str, variable: str) -> None:
    done = place.build({"PIP_INDEX_URL": "", variable: f"{registry}/simple"})

    assert place.built, done.stdout


@pytest.mark.parametrize("section", ["global", "install"])
def test_a_mirror_in_a_pip_conf_is_used(
    place: Workplace, registry: str, tmp_path: Path, section: str
) -> None:
    settings = config_file(tmp_path, {"index-url": f"{registry}/simple"}, section)

    done = place.build({"PIP_INDEX_URL": "", **settings})

    assert place.built, done.stdout


@pytest.mark.parametrize("variable", ["UV_DEFAULT_INDEX", "UV_INDEX_URL"])
def test_a_mirror_that_only_uv_knows_is_used(place: Workplace, registry: str, variable: str) -> None:
    done = place.build({"PIP_INDEX_URL": "", variable: f"company={registry}/simple"})

    assert place.built, done.stdout


def test_a_proxy_is_used(place: Workplace, registry: str) -> None:
    index = {"PIP_INDEX_URL": "http://packages.example/simple", "PIP_TRUSTED_HOST": "packages.example"}

    done = place.build({**index, "PIP_PROXY": registry})

    assert place.built, done.stdout


def test_a_certificate_is_used(place: Workplace, tmp_path: Path) -> None:
    authority, context = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")

    with place.serving(tls=context) as address:
        done = place.build({"PIP_INDEX_URL": f"{address}/simple", "PIP_CERT": str(tmp_path / "ca.pem")})

    assert place.built, done.stdout


def test_an_environment_without_pip_uses_that_of_the_project(place: Workplace, registry: str) -> None:
    place.install_pip()

    done = place.build({"PIP_INDEX_URL": f"{registry}/simple"}, PYTHON_WITHOUT_PIP)

    assert place.built, done.stdout


def test_an_environment_without_pip_uses_that_of_uv(place: Workplace, registry: str, tmp_path: Path) -> None:
    write_script(
        tmp_path / "bin" / "uv",
        f'[ "$1 $2 $3" = "tool run pip" ] && shift 3 && exec "{PIPS_PYTHON}" -m pip "$@"',
    )

    done = place.build(
        {"UV_DEFAULT_INDEX": f"{registry}/simple", "PIP_INDEX_URL": ""}, PYTHON_WITHOUT_PIP, tmp_path / "bin"
    )

    assert place.built, done.stdout


def test_a_build_without_any_pip_says_what_to_do(place: Workplace) -> None:
    done = place.build({}, PYTHON_WITHOUT_PIP)

    assert done.returncode != 0
    assert "make install" in done.stdout


@pytest.mark.parametrize("folder", ["it's a  folder", "a $HOME", "(100%) #1; x"])
def test_a_folder_with_an_odd_name_does_not_break_the_build(tmp_path: Path, folder: str) -> None:
    place = Workplace.below(tmp_path / folder)
    place.install_pip()

    with place.serving() as address:
        done = place.build({"PIP_INDEX_URL": f"{address}/simple"}, PYTHON_WITHOUT_PIP)

    assert place.built, done.stdout
