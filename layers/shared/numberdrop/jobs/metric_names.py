"""Names of metrics that other code than their publisher reads."""

NAMESPACE = "numberdrop"

BALANCE = "BalanceUsd"
"""The balance of the vendor's account."""
