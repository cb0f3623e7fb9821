"""Build a release into `dist/`: a stack that can be deployed as it is, its bill of materials, and checksums.

The version is the one in `pyproject.toml`, and nowhere else: it is written into the template here. The layer
must be compiled for the Python of the functions, so that cold starts do not compile it.
"""

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from local.processes import PROJECT, TOOLS, LocalCloudError, environment, run
from local.sam import without_saved_options

DIST = PROJECT / "dist"
NAME = "numberdrop"
LAMBDA_PYTHON = "3.13"
"""The Python of the functions, as in the template."""

DOCUMENTS = ("LICENSE", "README.md", "CHANGELOG.md")
"""Files of the project that a release contains."""

METADATA = "  AWS::ServerlessRepo::Application:\n"
"""The part of the template that the AWS Serverless Application Repository reads."""

_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The time of all files in the archive, so that equal contents give equal archives."""


class ReleaseError(Exception):
    """The release cannot be built. The message says what to do."""


def project_version(pyproject: str) -> str:
    r"""Return the version that a ``pyproject.toml`` declares.

    >>> project_version('[project]\nversion = "1.2.0"\n')
    '1.2.0'
    """
    version: str = tomllib.loads(pyproject)["project"]["version"]
    return version


def check_tag(tag: str, version: str, changelog: str) -> None:
    r"""Check that a tag may be released.

    >>> check_tag("v1.2.0", "1.2.0", "## Unreleased\n\n## 1.2.0\n- Faster.\n")

    Raises:
        ReleaseError: the tag is not that of the version, or the changelog has no section of the version.
    """
    if tag != f"v{version}":
        raise ReleaseError(f"The tag is {tag}, but pyproject.toml has version {version}. Tag v{version}.")
    unreleased = re.search(r"^## Unreleased\n(.*?)(?=^## |\Z)", changelog, re.MULTILINE | re.DOTALL)
    if unreleased and unreleased[1].strip():
        raise ReleaseError(f"CHANGELOG.md has entries under Unreleased. Move them to a section {version}.")
    if not re.search(rf"^## {re.escape(version)}( |$)", changelog, re.MULTILINE):
        raise ReleaseError(f"CHANGELOG.md has no section {version}. Write one.")


def with_version(template: str, version: str) -> str:
    r"""Return a built template whose metadata names the version, and the files beside it.

    >>> print(with_version("  AWS::ServerlessRepo::Application:\n    LicenseUrl: ../LICENSE\n", "1.2.0"))
      AWS::ServerlessRepo::Application:
        SemanticVersion: 1.2.0
        LicenseUrl: LICENSE
    <BLANKLINE>

    Raises:
        ReleaseError: the template has no such metadata.
    """
    if template.count(METADATA) != 1:
        raise ReleaseError("The template has no metadata of an application. Add it to template.yaml.")
    named = template.replace(METADATA, f"{METADATA}    SemanticVersion: {version}\n")
    return re.sub(r"((?:LicenseUrl|ReadmeUrl): )(?:\S*/)?(\S+)", r"\1\2", named)


def not_compiled(layer: Path, python: str = LAMBDA_PYTHON) -> list[Path]:
    """Return the modules of our package in a built layer that have no bytecode for this Python."""
    tag = f"cpython-{python.replace('.', '')}"
    modules = (layer / "python" / NAME).rglob("*.py")
    return [path for path in modules if not (path.parent / "__pycache__" / f"{path.stem}.{tag}.pyc").exists()]


def pack(folder: Path, archive: Path) -> None:
    """Write all files of a folder into an archive, under the archive's name without its ending."""
    with ZipFile(archive, "w", ZIP_DEFLATED) as out:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            info = ZipInfo(f"{archive.stem}/{path.relative_to(folder).as_posix()}", _EPOCH)
            info.external_attr = 0o644 << 16
            out.writestr(info, path.read_bytes(), ZIP_DEFLATED)


def checksums(files: Iterable[Path]) -> str:
    """Return a line with the SHA-256 and the name of each file, as ``sha256sum --check`` reads it."""
    digests = ((hashlib.sha256(path.read_bytes()).hexdigest(), path.name) for path in sorted(files))
    return "".join(f"{digest}  {name}\n" for digest, name in digests)


def build(folder: Path, *, lambda_python: str) -> None:
    """Build the stack into a folder with the SAM CLI.

    Raises:
        LocalCloudError: the build failed.
        ReleaseError: the layer is not compiled.
    """
    env = environment(
        {
            "LAMBDA_PYTHON": lambda_python,
            "PATH": os.pathsep.join([str(TOOLS / "installer" / "bin"), os.environ.get("PATH", os.defpath)]),
            "SAM_CLI_TELEMETRY": "0",
        }
    )
    with TemporaryDirectory() as logs:
        command = [str(TOOLS / "sam" / "bin" / "sam"), "build", *without_saved_options(Path(logs))]
        template = ["--template", str(PROJECT / "template.yaml")]
        run([*command, *template, "--build-dir", str(folder)], env, Path(logs) / "build.log")
    if not_compiled(folder / "SharedLayer", lambda_python):
        raise ReleaseError(f"The layer is not compiled. Install python{lambda_python}, and run this again.")


def write_bill_of_materials(out: Path) -> None:
    """List the packages in the layer with their hashes, as CycloneDX.

    botocore is not among them: it comes with the Lambda runtime.
    """
    subprocess.run(
        [
            str(TOOLS / "release" / "bin" / "cyclonedx-py"),
            "requirements",
            "--pyproject",
            str(PROJECT / "pyproject.toml"),
            "--mc-type",
            "application",
            "--output-reproducible",
            "--output-file",
            str(out),
            str(PROJECT / "layers" / "shared" / "requirements.txt"),
        ],
        check=True,
        # Warns that the requirements do not say which package needs which.
        stderr=subprocess.DEVNULL,
    )


def package(built: Path, out: Path, bucket: str, env: Mapping[str, str]) -> None:
    """Upload a built stack to a bucket, and write the template that refers to it, for `sam publish`."""
    command = [str(TOOLS / "sam" / "bin" / "sam"), "package", "--template-file", str(built / "template.yaml")]
    subprocess.run(
        [*command, "--s3-bucket", bucket, "--s3-prefix", NAME, "--output-template-file", str(out)],
        check=True,
        env={**env, "SAM_CLI_TELEMETRY": "0"},
        stdout=subprocess.DEVNULL,
    )


def main(arguments: list[str] | None = None) -> None:
    """Build the release, and print what it consists of."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tag", help="check that this tag may be released")
    parser.add_argument("--bucket", help="also upload the stack to this bucket, for `sam publish`")
    parser.add_argument("--dist", type=Path, default=DIST, help="the folder for the files")
    options = parser.parse_args(arguments)
    version = project_version((PROJECT / "pyproject.toml").read_text("utf-8"))
    if options.tag:
        check_tag(options.tag, version, (PROJECT / "CHANGELOG.md").read_text("utf-8"))
    release(version, options.dist, options.bucket)


def release(version: str, dist: Path, bucket: str | None = None) -> None:
    """Build a release of this version into a folder. Older content of the folder is removed."""
    shutil.rmtree(dist, ignore_errors=True)
    dist.mkdir(parents=True)
    with TemporaryDirectory() as folder:
        built = Path(folder) / "built"
        build(built, lambda_python=os.environ.get("LAMBDA_PYTHON", LAMBDA_PYTHON))
        template = built / "template.yaml"
        template.write_text(with_version(template.read_text("utf-8"), version), encoding="utf-8")
        for name in DOCUMENTS:
            shutil.copy(PROJECT / name, built)
        pack(built, dist / f"{NAME}-{version}.zip")
        if bucket:
            package(built, dist / "packaged.yaml", bucket, os.environ)
    write_bill_of_materials(dist / f"{NAME}-{version}.cdx.json")
    (dist / "SHA256SUMS").write_text(checksums(dist.iterdir()), encoding="utf-8")
    for path in sorted(dist.iterdir()):
        print(f"{path.stat().st_size:>12,}  {path.name}")


if __name__ == "__main__":
    try:
        main()
    except (ReleaseError, LocalCloudError) as error:
        sys.exit(str(error))
