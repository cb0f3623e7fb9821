"""``python -m cli``: the command ``numberdrop`` before it is installed."""

from cli.main import main

main(prog_name="numberdrop")
