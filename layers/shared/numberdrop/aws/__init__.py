"""Adapters, one module per AWS service. They import no steps."""
