"""Run benchmarks: ``python -m benchmarks [SUBJECT ...]``, or all of them.

A subject is any module of this package with a function ``main()``, which takes no arguments, measures, and
prints its own tables. The first line of the module's docstring is its title. ``measuring`` times contenders,
and its ``FULL`` is true if the large sizes were requested (``SIZE=full`` in the environment).
"""

import ast
import sys
from importlib import import_module
from pathlib import Path

from rich.console import Console


def run() -> None:
    """Run the subjects that the command line names."""
    found = _subjects()
    wanted = sys.argv[1:] or list(found)
    if unknown := [name for name in wanted if name not in found]:
        sys.exit(f"There is no {', '.join(unknown)}. There are: {', '.join(found)}.")
    console = Console(highlight=False)
    for name in wanted:
        console.print(f"\n[bold]{name}[/bold]: {found[name]}", soft_wrap=True)
        import_module(f"benchmarks.{name}").main()


def _subjects() -> dict[str, str]:
    """Return the title of each subject by name, without imports: some modules need libraries of their own."""
    found = {}
    for path in sorted(Path(__file__).parent.glob("*.py")):
        module = ast.parse(path.read_text(encoding="utf-8"))
        if any(isinstance(node, ast.FunctionDef) and node.name == "main" for node in module.body):
            found[path.stem] = (ast.get_docstring(module) or "").partition("\n")[0]
    return found


if __name__ == "__main__":
    run()
