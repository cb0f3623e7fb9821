"""Run the command without installing it: `python -m numberdrop_cli`."""

from numberdrop_cli.main import main

main(prog_name="numberdrop")
