"""``make cloud``: run numberdrop on a local cloud until Ctrl-C."""

import signal
import sys
import threading

from local.cloud import CloudOptions, LocalCloud, local_cloud
from local.processes import LocalCloudError

OPTIONS = CloudOptions(simulator=("--duration", "30"))


def main() -> int:
    """Run a local cloud until interrupted; return the exit status."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    print("Starting a local cloud and deploying the template with the SAM CLI ...", flush=True)
    try:
        with local_cloud(OPTIONS) as cloud:
            print(_welcome(cloud), flush=True)
            stop.wait()
    except LocalCloudError as error:
        print(f"The local cloud failed: {error}", file=sys.stderr)
        return 1
    return 0


def _welcome(cloud: LocalCloud) -> str:
    settings = "\n".join(f"  export {name}={value}" for name, value in cloud.aws.shell_settings.items())
    outputs = "\n".join(f"  {name:<20} {value}" for name, value in sorted(cloud.outputs.items()))
    uploads, results = cloud.outputs["UploadBucketName"], cloud.outputs["ResultsBucketName"]
    return f"""\
numberdrop is up.

The stack's outputs:
{outputs}

Set these variables in another shell:
{settings}

Then drop a file, wait a minute, and list its results:
  aws s3 cp local/samples/band.txt s3://{uploads}/band/my-first/band.txt
  aws s3 ls --recursive s3://{results}/

The simulated vendor: {cloud.simulator}
The logs:             {cloud.folder}

Press Ctrl-C to stop and remove everything.
"""


if __name__ == "__main__":
    sys.exit(main())
