"""The command `numberdrop`: send files, follow jobs, and make the decisions that need a person."""
