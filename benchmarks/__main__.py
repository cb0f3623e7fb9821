"""Runs benchmarks: ``python -m benchmarks [SUBJECT ...]``, all of them when none is named.

A subject is a module of this package that has a function ``main()``, which takes nothing, measures and prints
its own tables. The first line of the module's docstring says what it is about. Being there is all it takes to
be found. ``measuring`` helps to time contenders side by side, and its ``FULL`` says whether the large sizes
were asked for (``SIZE=full`` in the environment).
"""

import ast
import sys
from importlib import import_module
from pathlib import Path

from rich.console import Console


def run() -> None:
    """Runs the subjects that the command line names."""
    found = _subjects()
    wanted = sys.argv[1:] or list(found)
    if unknown := [name for name in wanted if name not in found]:
        sys.exit(f"There is no {', '.join(unknown)}. There are: {', '.join(found)}.")
    console = Console(highlight=False)
    for name in wanted:
        console.print(f"\n[bold]{name}[/bold]: {found[name]}", soft_wrap=True)
        import_module(f"benchmarks.{name}").main()


def _subjects() -> dict[str, str]:
    """What each is about, by its name. Nothing is imported: not every module here works everywhere."""
    found = {}
    for path in sorted(Path(__file__).parent.glob("*.py")):
        module = ast.parse(path.read_text(encoding="utf-8"))
        if any(isinstance(part, ast.FunctionDef) and part.name == "main" for part in module.body):
            found[path.stem] = (ast.get_docstring(module) or "").partition("\n")[0]
    return found


if __name__ == "__main__":
    run()
