"""``make cloud``: run numberdrop on a local cloud until Ctrl-C."""

import os
import sys
import threading
from collections.abc import Mapping, Sequence
from shlex import quote

from local.cloud import CloudOptions, LocalCloud, local_cloud
from local.processes import LocalCloudError, ended_by_signals, ignore_settings, proxy_exceptions

OPTIONS = CloudOptions(simulator=("--duration", "30"))

ALWAYS_UNSET = ("AWS_PROFILE", "AWS_SESSION_TOKEN")
"""Variables that make the usual programs use another account, if a shell has them."""


def main() -> int:
    """Run a local cloud until interrupted; return the exit status."""
    shell = dict(os.environ)
    ignore_settings()
    print("Starting a local cloud and deploying the template with the SAM CLI ...", flush=True)
    try:
        with ended_by_signals(), local_cloud(OPTIONS) as cloud:
            print(_welcome(cloud, shell), flush=True)
            threading.Event().wait()
    except KeyboardInterrupt:
        print("Stopped. Everything is removed.")
    except LocalCloudError as error:
        print(f"The local cloud failed: {error}", file=sys.stderr)
        return 1
    return 0


def shell_commands(settings: Mapping[str, str], shell: Mapping[str, str]) -> Sequence[str]:
    """Return the lines that point a shell at the local cloud, whatever else its environment says.

    >>> shell_commands({"AWS_REGION": "us-east-1"}, {"AWS_ROLE_ARN": "arn", "HTTPS_PROXY": "http://proxy"})
    ['unset AWS_PROFILE AWS_ROLE_ARN AWS_SESSION_TOKEN', 'export AWS_REGION=us-east-1', \
'export NO_PROXY=127.0.0.1,localhost no_proxy=127.0.0.1,localhost']

    Args:
        settings: the variables to set.
        shell: the environment of the shell that runs ``make cloud``; the other shell probably has the same.
    """
    others = {name for name in shell if name.startswith("AWS_")} - set(settings)
    lines = [f"unset {' '.join(sorted({*ALWAYS_UNSET, *others}))}"]
    lines += [f"export {name}={quote(value)}" for name, value in settings.items()]
    if any(name.lower() in {"http_proxy", "https_proxy", "all_proxy"} for name in shell):
        hosts = quote(proxy_exceptions(shell))
        lines.append(f"export NO_PROXY={hosts} no_proxy={hosts}")
    return lines


def _welcome(cloud: LocalCloud, shell: Mapping[str, str]) -> str:
    settings = "\n".join(f"  {line}" for line in shell_commands(cloud.aws.shell_settings, shell))
    outputs = "\n".join(f"  {name:<20} {value}" for name, value in sorted(cloud.outputs.items()))
    uploads, results = cloud.outputs["UploadBucketName"], cloud.outputs["ResultsBucketName"]
    return f"""\
numberdrop is up.

The stack's outputs:
{outputs}

Set these variables in another shell:
{settings}

Then drop a file, wait a minute, and list its results, with version 2 of the AWS CLI:
  aws s3 cp local/samples/band.txt s3://{uploads}/band/my-first/band.txt
  aws s3 ls --recursive s3://{results}/

Without the AWS CLI, send it with the command:
  .venv/dev/bin/numberdrop send local/samples/band.txt --checker band --watch

The simulated vendor: {cloud.simulator}
The logs:             {cloud.folder}

Press Ctrl-C to stop and remove everything.
"""


if __name__ == "__main__":
    sys.exit(main())
