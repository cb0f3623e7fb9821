"""Building and deploying the template with the real SAM CLI, as users do it."""

import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from local.aws import LocalAws
from local.processes import TOOLS, LocalCloudError, environment, run

OUR_PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
"""What the local AWS runs functions under, as all environments are made by one Python."""


def deploy(
    aws: LocalAws, template: Path, *, stack: str, parameters: Mapping[str, str], folder: Path
) -> dict[str, str]:
    """Builds and deploys a template; returns the stack's outputs.

    Raises:
        LocalCloudError: the build or the deployment failed.
    """
    sam = _sam()
    env = environment({**aws.shell_settings, "SAM_CLI_TELEMETRY": "0", "LAMBDA_PYTHON": OUR_PYTHON})
    built = folder / f"{stack}-build"
    build = f"build --template {template} --build-dir {built} --cache-dir {folder / 'cache'}"
    run([sam, *build.split()], env, folder / f"{stack}-build.log")
    options = (
        f"deploy --template {built / 'template.yaml'} --stack-name {stack} --resolve-s3 "
        "--capabilities CAPABILITY_IAM --no-confirm-changeset --no-progressbar --parameter-overrides"
    )
    overrides = [f"ParameterKey={name},ParameterValue={value}" for name, value in parameters.items()]
    run([sam, *options.split(), *overrides], env, folder / f"{stack}-deploy.log")
    _restate_concurrency(aws)
    described = aws.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
    return {output["OutputKey"]: output["OutputValue"] for output in described["Outputs"]}


def _sam() -> str:
    installed = TOOLS / "sam" / "bin" / "sam"
    found = str(installed) if installed.exists() else shutil.which("sam")
    if not found:
        raise LocalCloudError("The SAM CLI is missing. Run 'make install' first.")
    return found


def _restate_concurrency(aws: LocalAws) -> None:
    """Sets each queue mapping's concurrency to what the template says, as a number.

    A parameter of CloudFormation is text. AWS converts it; MiniStack 1.5.33 keeps the text and then cannot
    compare it with a number.
    """
    functions = aws.client("lambda")
    for mapping in functions.list_event_source_mappings()["EventSourceMappings"]:
        most = int(mapping["ScalingConfig"]["MaximumConcurrency"])
        functions.update_event_source_mapping(
            UUID=mapping["UUID"], ScalingConfig={"MaximumConcurrency": most}
        )
