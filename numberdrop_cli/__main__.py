"""``python -m numberdrop_cli``: the command ``numberdrop`` before it is installed."""

from numberdrop_cli.main import main

main(prog_name="numberdrop")
