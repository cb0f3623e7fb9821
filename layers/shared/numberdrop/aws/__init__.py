"""Adapters, one for each AWS service. Knows no steps."""
