"""A release is built and uploaded as for publication; the local cloud has the bucket."""

import json
import re
from pathlib import Path

import pytest
import yaml

from local.cloud import LocalCloud
from local.processes import PROJECT
from local.release import checksums, release
from local.sam import OUR_PYTHON
from tests.support.template import CloudFormationLoader

BUCKET = "numberdrop-releases"


@pytest.fixture(scope="module")
def dist(cloud: LocalCloud, tmp_path_factory: pytest.TempPathFactory) -> Path:
    cloud.aws.client("s3").create_bucket(Bucket=BUCKET)
    folder = tmp_path_factory.mktemp("release") / "dist"
    with pytest.MonkeyPatch.context() as patch:
        # The layer is compiled for the Python that this machine has.
        for name, value in {**cloud.aws.shell_settings, "LAMBDA_PYTHON": OUR_PYTHON}.items():
            patch.setenv(name, value)
        release("1.2.3", folder, BUCKET)
    return folder


def test_a_release_has_checksums_of_all_its_files(dist: Path) -> None:
    names = {"numberdrop-1.2.3.zip", "numberdrop-1.2.3.cdx.json", "packaged.yaml"}
    assert {path.name for path in dist.iterdir()} == names | {"SHA256SUMS"}
    assert (dist / "SHA256SUMS").read_text() == checksums(dist / name for name in names)


def test_the_bill_of_materials_lists_what_is_in_the_layer(dist: Path) -> None:
    bill = json.loads((dist / "numberdrop-1.2.3.cdx.json").read_text("utf-8"))
    pinned = (PROJECT / "layers/shared/requirements.txt").read_text("utf-8")
    packages = set(re.findall(r"^([a-z0-9-]+)==(\S+)", pinned, re.MULTILINE))
    assert bill["bomFormat"] == "CycloneDX"
    assert {(part["name"], part["version"]) for part in bill["components"]} == packages
    assert bill["metadata"]["component"]["name"] == "numberdrop"


def test_the_packaged_template_can_be_published(cloud: LocalCloud, dist: Path) -> None:
    """`sam publish` needs these; the local cloud does not have the application repository itself."""
    template = yaml.load((dist / "packaged.yaml").read_text("utf-8"), CloudFormationLoader)
    metadata = template["Metadata"]["AWS::ServerlessRepo::Application"]
    assert metadata["SemanticVersion"] == "1.2.3"
    code = [
        resource["Properties"].get("CodeUri") or resource["Properties"]["ContentUri"]
        for resource in template["Resources"].values()
        if resource["Type"] in {"AWS::Serverless::Function", "AWS::Serverless::LayerVersion"}
    ]
    uploaded = {*code, metadata["LicenseUrl"], metadata["ReadmeUrl"]}
    listed = cloud.aws.client("s3").list_objects_v2(Bucket=BUCKET)["Contents"]
    assert uploaded <= {f"s3://{BUCKET}/{item['Key']}" for item in listed}
