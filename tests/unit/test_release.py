"""A release has one version, compiled modules, and archives that do not depend on when they are built."""

import re
from pathlib import Path
from zipfile import ZipFile

import pytest

from local.release import (
    LAMBDA_PYTHON,
    ReleaseError,
    check_tag,
    checksums,
    not_compiled,
    pack,
    project_version,
    with_version,
)
from tests.support.template import PROJECT, template

CHANGELOG = "# Changelog\n\n## Unreleased\n\n## 1.2.0 (2026-03-04)\n\n- Faster.\n"


def test_the_version_is_in_one_place() -> None:
    version = project_version((PROJECT / "pyproject.toml").read_text("utf-8"))
    assert re.fullmatch(r"\d+\.\d+\.\d+", version)
    assert "SemanticVersion" not in template()["Metadata"]["AWS::ServerlessRepo::Application"]


def test_the_layer_is_compiled_for_the_python_of_the_functions() -> None:
    assert template()["Globals"]["Function"]["Runtime"] == f"python{LAMBDA_PYTHON}"


def test_the_metadata_fit_the_application_repository() -> None:
    """SAM developer guide, "AWS SAM template Metadata section properties"."""
    metadata = template()["Metadata"]["AWS::ServerlessRepo::Application"]
    assert re.fullmatch(r"[a-zA-Z0-9-]{1,140}", metadata["Name"])
    assert 1 <= len(metadata["Description"]) <= 256
    assert re.fullmatch(r"[a-z0-9](([a-z0-9]|-(?!-))*[a-z0-9])?", metadata["Author"])
    assert len(metadata["Labels"]) <= 10
    assert all(re.fullmatch(r"[a-zA-Z0-9+\-_:/@]{1,127}", label) for label in metadata["Labels"])
    assert all((PROJECT / metadata[name]).is_file() for name in ("LicenseUrl", "ReadmeUrl"))


def test_a_tag_of_the_version_may_be_released() -> None:
    check_tag("v1.2.0", "1.2.0", CHANGELOG)


@pytest.mark.parametrize(
    ("tag", "changelog", "message"),
    [
        ("v1.2.1", CHANGELOG, "Tag v1.2.0"),
        ("1.2.0", CHANGELOG, "Tag v1.2.0"),
        ("v1.2.0", CHANGELOG.replace("Unreleased\n", "Unreleased\n- More.\n"), "Move them"),
        ("v1.2.0", CHANGELOG.replace("1.2.0", "1.2.01"), "has no section 1.2.0"),
    ],
)
def test_a_wrong_tag_or_changelog_stops_the_release(tag: str, changelog: str, message: str) -> None:
    with pytest.raises(ReleaseError, match=message):
        check_tag(tag, "1.2.0", changelog)


def test_a_template_without_metadata_stops_the_release() -> None:
    with pytest.raises(ReleaseError, match="no metadata"):
        with_version("Resources: {}\n", "1.2.0")


def test_a_layer_that_is_not_compiled_is_found(tmp_path: Path) -> None:
    package = tmp_path / "python" / "numberdrop"
    (package / "__pycache__").mkdir(parents=True)
    for name in ("one", "other"):
        (package / f"{name}.py").touch()
    (package / "__pycache__" / "one.cpython-313.pyc").touch()
    assert not_compiled(tmp_path, "3.13") == [package / "other.py"]


def test_equal_contents_give_equal_archives(tmp_path: Path) -> None:
    archives = []
    for name in ("first", "second"):
        folder = tmp_path / name / "built"
        (folder / "layer").mkdir(parents=True)
        (folder / "layer" / "a.py").write_text("a", encoding="utf-8")
        (folder / "template.yaml").write_text("b", encoding="utf-8")
        archives.append(tmp_path / name / "numberdrop-1.2.0.zip")
        pack(folder, archives[-1])
    assert archives[0].read_bytes() == archives[1].read_bytes()
    with ZipFile(archives[0]) as packed:
        assert packed.namelist() == ["numberdrop-1.2.0/layer/a.py", "numberdrop-1.2.0/template.yaml"]


def test_checksums_are_lines_for_sha256sum(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"")
    assert checksums(tmp_path.iterdir()) == (
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  a\n"
    )
