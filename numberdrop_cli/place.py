"""Find the stack that a command works on, from options, samconfig.toml and the environment."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from numberdrop_cli.samconfig import SavedPlace, saved_place

DEFAULT_STACK_NAME = "numberdrop"


@dataclass(frozen=True, slots=True)
class Place:
    """A stack, and the session that finds it.

    Attributes:
        stack_name: the stack's name.
        region: its region, or None for boto3's default.
        profile: the profile with the credentials, or None for boto3's default.
    """

    stack_name: str
    region: str | None
    profile: str | None


def chosen_place(
    *,
    stack: str | None = None,
    aws_region: str | None = None,
    profile: str | None = None,
    environment: str | None = None,
    config_file: str | None = None,
    settings: Mapping[str, str] = os.environ,
) -> Place:
    """Return the place to work on: options win over samconfig.toml, which wins over the environment.

    That is the SAM CLI's own order, so that both work on the same stack. A test compares the two. The SAM CLI
    has no environment variable for the name of the file or of its environment.

    >>> chosen_place(stack="checks", aws_region="eu-west-1", settings={"AWS_ENDPOINT_URL": "http://127.0.0.1:1"})
    Place(stack_name='checks', region='eu-west-1', profile=None)

    Args:
        stack: the option ``--stack``.
        aws_region: the option ``--aws-region``.
        profile: the option ``--profile``.
        environment: the option ``--config-env``.
        config_file: the option ``--config-file``.
        settings: the environment's variables. ``AWS_REGION`` is read here, because boto3 ignores it.

    Raises:
        RefusedError: samconfig.toml is needed and cannot be read.
    """
    # The local cloud has one stack, whatever the SAM CLI deployed to AWS from this folder.
    is_local = is_this_computer(settings.get("AWS_ENDPOINT_URL", ""))
    reads_file = environment or config_file or not is_local
    saved = saved_place(config_file=config_file, environment=environment) if reads_file else SavedPlace()
    return Place(
        stack_name=stack or saved.stack_name or DEFAULT_STACK_NAME,
        region=aws_region or saved.region or settings.get("AWS_REGION") or None,
        profile=profile or saved.profile,
    )


def is_this_computer(url: str) -> bool:
    """Return whether a URL leads to this computer."""
    try:
        host = urlsplit(url).hostname or ""
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
