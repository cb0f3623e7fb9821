"""The README and the other pages: their order, their links, and the commands that they show."""

import json
import re
from pathlib import Path
from urllib.parse import unquote

import pytest

from numberdrop_cli.main import main
from tests.support.template import PROJECT

SECTIONS = [
    "Who it is for, and what it costs",
    "Try it",
    "Deploy it",
    "Drop a file",
    "What comes back",
    "The promise",
    "Links",
]
MAX_README_LINES = 150
EXAMPLES = ["consumer", "dropper", "forwarder", "slack"]
README = (PROJECT / "README.md").read_text("utf-8")
FOLDERS = ["docs", "benchmarks", *(f"examples/{name}" for name in EXAMPLES), ".github"]
PAGES = sorted([*PROJECT.glob("*.md"), *(page for name in FOLDERS for page in (PROJECT / name).glob("*.md"))])


def name_of(page: Path) -> str:
    return str(page.relative_to(PROJECT))


def fenced_blocks(text: str) -> list[str]:
    return re.findall(r"^```\w*\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def without_blocks(text: str) -> str:
    return re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)


def anchors(page: Path) -> set[str]:
    """Return the anchors that GitHub gives to a page's headings."""
    headings = re.findall(r"^#+ (.+)$", without_blocks(page.read_text("utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def code_lines(page: Path) -> list[str]:
    """Return the lines of a page's blocks, without their prompts, and its inline code."""
    text = page.read_text("utf-8")
    blocks = [line.removeprefix("$ ") for block in fenced_blocks(text) for line in block.splitlines()]
    return blocks + re.findall(r"`([^`\n]+)`", without_blocks(text))


def links(page: Path) -> list[str]:
    """Return the targets of a page's links that lead to files of the project."""
    targets = re.findall(r"\]\(([^)\s]+)\)", without_blocks(page.read_text("utf-8")))
    return [target for target in targets if not re.match(r"[a-z]+:", target)]


def test_the_readme_has_its_sections_in_order_and_is_short() -> None:
    assert re.findall(r"^## (.+)$", README, re.MULTILINE) == SECTIONS
    assert len(README.splitlines()) <= MAX_README_LINES


def test_the_readme_begins_with_a_sentence_and_the_picture() -> None:
    title, sentence, picture = README.split("\n\n")[:3]
    assert title == "# numberdrop"
    assert "upload" in picture
    assert sentence.endswith(".")
    assert picture.startswith("```mermaid\n")


def test_the_readme_shows_four_rows_of_results() -> None:
    (rows,) = (block.splitlines() for block in fenced_blocks(README) if block.startswith("line,number"))
    assert rows[0].split(",")[:4] == ["line", "number", "status", "verdict"]
    assert len(rows) == 1 + 4


def test_the_readme_deploys_in_at_most_five_lines() -> None:
    section = README.split("\n## Deploy it\n")[1].split("\n## ")[0]
    (block,) = fenced_blocks(section)
    assert 1 <= len(block.splitlines()) <= 5


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_the_links_of_a_page_lead_somewhere(page: Path) -> None:
    for link in links(page):
        path, _, anchor = unquote(link).partition("#")
        target = page.parent / path if path else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_the_make_targets_of_a_page_exist(page: Path) -> None:
    makefile = (PROJECT / "Makefile").read_text("utf-8")
    targets = set(re.findall(r"^([a-z0-9]+):", makefile, re.MULTILINE))
    shown = {match[1] for line in code_lines(page) if (match := re.match(r"make ([a-z0-9]+)", line))}
    assert shown <= targets


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_the_commands_of_a_page_exist(page: Path) -> None:
    called = re.compile(r"(?:\.venv/dev/bin/)?numberdrop (?:--stack \S+ )?([a-z][a-z-]+)")
    shown = {match[1] for line in code_lines(page) if (match := called.match(line))}
    assert shown <= main.commands.keys()


@pytest.mark.parametrize("option", ["--charged", "--not-charged", "--abandon", "--task-id", "--evidence"])
def test_the_runbook_shows_every_option_of_resolve(option: str) -> None:
    options = {name for parameter in main.commands["resolve"].params for name in parameter.opts}
    assert option in options
    assert option in (PROJECT / "docs" / "runbook.md").read_text("utf-8")


@pytest.mark.parametrize(
    "quoted",
    [
        "the vendor made a task",
        "a job could not be reconciled",
        "The ledger holds the decision, but the next step failed",
    ],
)
def test_the_runbook_quotes_messages_as_they_are(quoted: str) -> None:
    code = [*PROJECT.glob("layers/shared/numberdrop/**/*.py"), *PROJECT.glob("numberdrop_cli/**/*.py")]
    assert f"`{quoted}`" in (PROJECT / "docs" / "runbook.md").read_text("utf-8")
    assert any(quoted in path.read_text("utf-8") for path in code)


def test_the_tests_that_the_threat_model_names_exist() -> None:
    page = (PROJECT / "docs" / "security.md").read_text("utf-8")
    existing = {path.name for path in (PROJECT / "tests").rglob("test_*.py")}
    named = re.findall(r"\b(test_\w+\.py)`", page)
    assert named
    assert set(named) <= existing


PACKAGE = PROJECT / "layers" / "shared" / "numberdrop"


def documented_rooms() -> dict[str, set[str]]:
    """Return what each room may import, as the table in CONTRIBUTING says."""
    page = (PROJECT / "CONTRIBUTING.md").read_text("utf-8")
    base: set[str] = set()
    rooms: dict[str, set[str]] = {}
    for line in page.split("| room |")[1].split("\n\n")[0].splitlines()[2:]:
        names, _, imports = line.strip("|").split(" | ")
        above = set(rooms) if "everything" in imports else base if "above" in imports else set()
        allowed = above | set(re.findall(r"`(\w+)`", imports))
        rooms |= dict.fromkeys(re.findall(r"`(\w+)`", names), allowed)
        base = base or set(rooms)
    return rooms


def test_contributing_lists_every_room_of_the_package() -> None:
    found = {
        path.stem for path in PACKAGE.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()
    }
    assert documented_rooms().keys() == found - {"__init__"}


@pytest.mark.parametrize("room", documented_rooms())
def test_a_room_imports_what_contributing_allows(room: str) -> None:
    modules = (
        [PACKAGE / f"{room}.py"] if (PACKAGE / f"{room}.py").exists() else (PACKAGE / room).rglob("*.py")
    )
    for module in modules:
        imported = re.findall(r"^ *from numberdrop\.(\w+)", module.read_text("utf-8"), re.MULTILINE)
        assert set(imported) <= documented_rooms()[room] | {room}, module.name


def test_the_runbook_lists_every_file_of_the_results() -> None:
    page = (PROJECT / "docs" / "runbook.md").read_text("utf-8")
    listing = page.split("$ aws s3 ls --recursive")[1].split("```", maxsplit=1)[0]
    assert re.findall(r"/([a-z]+\.\w+)$", listing, re.MULTILINE) == [
        "export.zip",
        "manifest.json",
        "no.txt",
        "report.html",
        "results.csv",
        "results.xlsx",
        "yes.txt",
    ]


def test_the_recorded_demo_shows_the_event_as_it_is_now() -> None:
    page = (PROJECT / "docs" / "deployment.md").read_text("utf-8")
    recorded = page.split("$ make demo")[1].split("```", maxsplit=1)[0]
    detail = json.loads(recorded[recorded.index("{") : recorded.rindex("}") + 1])
    sample = json.loads((PROJECT / "events/samples/1/completed.json").read_text("utf-8"))["detail"]
    for shown, expected in [
        (detail, sample),
        *((detail[part], sample[part]) for part in ("results", "counts")),
    ]:
        assert shown.keys() == expected.keys()
