"""The command `balance`: how much money is left at the vendor."""

import click

from numberdrop_cli.errors import RefusedError
from numberdrop_cli.parameters import Connect, json_option


@click.command()
@json_option
@click.pass_obj
def balance(connected: Connect, as_json: bool) -> None:
    """Show the balance of the account at the vendor.

    The vendor is asked, free of charge, if you may read the secret with its key. Otherwise the latest balance
    that the stack has seen is shown.
    """
    connection = connected()

    from numberdrop_cli.printing import print_json
    from numberdrop_cli.vendor_balance import latest_seen, read_balance

    asked = read_balance(connection)
    seen = latest_seen(connection) if asked.usd is None else None
    usd = asked.usd if seen is None else seen.usd
    if usd is None:
        raise RefusedError(f"{asked.problem} The stack has seen no balance in the last two weeks either.")
    if as_json:
        print_json(
            {
                "balance_usd": float(usd),
                "seen_at": seen.at.isoformat() if seen else None,
                "problem": asked.problem,
            }
        )
    elif seen:
        click.echo(f"{seen.usd:,.2f} USD, as seen after the file of {seen.at:%Y-%m-%d %H:%M} UTC")
        click.echo(asked.problem, err=True)
    else:
        click.echo(f"{usd:,.2f} USD")
