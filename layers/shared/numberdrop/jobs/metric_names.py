"""Names of the metrics that others than their publisher read."""

NAMESPACE = "numberdrop"

BALANCE = "BalanceUsd"
"""The balance of the vendor's account."""
