"""docs/cost.md has the figures that benchmarks/cost.py computes."""

from benchmarks import cost, waiting_policies
from benchmarks.cost import page
from tests.support.template import PROJECT, resources, template


def test_the_cost_page_has_the_computed_tables() -> None:
    shown = (PROJECT / "docs" / "cost.md").read_text("utf-8")

    for table in page().split("\n\n"):
        assert table.strip() in shown


def test_memory_and_wait_match_the_template() -> None:
    functions = resources("AWS::Serverless::Function")

    assert functions["CheckStatusFunction"]["MemorySize"] / 1024 == waiting_policies.MEMORY_GB
    assert template()["Globals"]["Function"]["MemorySize"] / 1024 == cost.FUNCTION_GB
    assert template()["Parameters"]["MaxWaitSeconds"]["Default"] == cost.MAX_WAIT_SECONDS


def test_the_days_of_storage_match_the_template() -> None:
    days = template()["Parameters"]["RetentionDays"]["Default"]
    rule, _ = resources("AWS::S3::Bucket")["ResultsBucket"]["LifecycleConfiguration"]["Rules"]

    assert days + rule["NoncurrentVersionExpiration"]["NoncurrentDays"] == cost.DAYS_KEPT
