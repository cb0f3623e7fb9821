"""The operator's command line: looking at jobs, and deciding what only a person may decide."""
