"""Reads uploads."""
