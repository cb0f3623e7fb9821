"""Build and deploy a template with the real SAM CLI, as users do."""

import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from local.aws import LocalAws
from local.processes import TOOLS, LocalCloudError, environment, run

OUR_PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
"""The Python that the local AWS runs functions with: all environments are made by the same Python."""


def deploy(
    aws: LocalAws, template: Path, *, stack: str, parameters: Mapping[str, str], folder: Path
) -> dict[str, str]:
    """Build and deploy a template; return the stack's outputs.

    Raises:
        LocalCloudError: the build or the deployment failed.
    """
    sam = _sam()
    env = environment(
        {
            **aws.shell_settings,
            "LAMBDA_PYTHON": OUR_PYTHON,
            # The layer is built with the first `python3`. That of an active environment may have no pip.
            "PATH": os.pathsep.join([str(TOOLS / "installer" / "bin"), os.environ.get("PATH", os.defpath)]),
            "SAM_CLI_TELEMETRY": "0",
            "TMPDIR": str(folder),
        }
    )
    built = folder / f"{stack}-build"
    unsaved = without_saved_options(folder)
    build = [
        "build",
        *unsaved,
        "--parallel",
        "--template",
        str(template),
        "--build-dir",
        str(built),
    ]
    run([sam, *build], env, folder / f"{stack}-build.log")
    options = ["--stack-name", stack, "--resolve-s3", "--capabilities", "CAPABILITY_IAM"]
    quiet = ["--no-confirm-changeset", "--no-progressbar"]
    overrides = [f"ParameterKey={name},ParameterValue={value}" for name, value in parameters.items()]
    run(
        [
            sam,
            "deploy",
            *unsaved,
            "--template",
            str(built / "template.yaml"),
            *options,
            *quiet,
            "--parameter-overrides",
            *overrides,
        ],
        env,
        folder / f"{stack}-deploy.log",
    )
    _set_concurrency_as_number(aws)
    described = aws.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
    return {output["OutputKey"]: output["OutputValue"] for output in described["Outputs"]}


def without_saved_options(folder: Path) -> list[str]:
    """Return options with which the SAM CLI reads no samconfig.toml, but an empty file in a folder.

    What people saved for their own deployments, such as ``use_container``, is not meant for this one.
    """
    empty = folder / "samconfig.toml"
    empty.write_text("version = 0.1\n", encoding="utf-8")
    return ["--config-file", str(empty)]


def _sam() -> str:
    installed = TOOLS / "sam" / "bin" / "sam"
    found = str(installed) if installed.exists() else shutil.which("sam")
    if not found:
        raise LocalCloudError("The SAM CLI is missing. Run 'make install' first.")
    return found


def _set_concurrency_as_number(aws: LocalAws) -> None:
    """Set the concurrency of each queue mapping to the template's value, as a number.

    A CloudFormation parameter is text. AWS converts it; MiniStack 1.5.33 keeps the text and then fails
    to compare it with a number.
    """
    functions = aws.client("lambda")
    for mapping in functions.list_event_source_mappings()["EventSourceMappings"]:
        concurrency = int(mapping["ScalingConfig"]["MaximumConcurrency"])
        functions.update_event_source_mapping(
            UUID=mapping["UUID"], ScalingConfig={"MaximumConcurrency": concurrency}
        )
