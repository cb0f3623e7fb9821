"""The page about costs shows what the operations and the prices give."""

from benchmarks import cost, waiting_ways
from benchmarks.cost import page
from tests.support.template import PROJECT, resources, template


def test_the_page_has_the_tables_that_the_counted_operations_give() -> None:
    shown = (PROJECT / "docs" / "cost.md").read_text("utf-8")

    for table in page().split("\n\n"):
        assert table.strip() in shown


def test_the_memory_and_the_ceiling_are_those_of_the_template() -> None:
    functions = resources("AWS::Serverless::Function")

    assert functions["CheckStatusFunction"]["MemorySize"] / 1024 == waiting_ways.MEMORY_GB
    assert template()["Globals"]["Function"]["MemorySize"] / 1024 == cost.FUNCTION_GB
    assert template()["Parameters"]["MaxWaitSeconds"]["Default"] == cost.MAX_WAIT_SECONDS


def test_files_are_kept_as_long_as_the_template_says() -> None:
    days = template()["Parameters"]["RetentionDays"]["Default"]
    (rule,) = resources("AWS::S3::Bucket")["ResultsBucket"]["LifecycleConfiguration"]["Rules"]

    assert days + rule["NoncurrentVersionExpiration"]["NoncurrentDays"] == cost.DAYS_KEPT
