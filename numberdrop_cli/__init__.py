"""The command line: sending files, following jobs, and deciding what only a person may decide."""
