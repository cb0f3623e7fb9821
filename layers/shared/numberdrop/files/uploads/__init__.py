"""Reading what a user dropped."""
