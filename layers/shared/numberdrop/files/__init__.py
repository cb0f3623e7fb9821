"""Reads uploads and exports and writes results. Works on files only: no AWS, no vendor."""
