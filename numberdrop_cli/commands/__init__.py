"""One module for each command of `numberdrop`."""
