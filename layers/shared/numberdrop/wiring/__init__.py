"""The real thing behind each function: clients and settings put together, in a module for each function.

A function makes it once, at its first event, and keeps it. Nothing else in the package opens a client or
reads the environment. Each module imports what its function needs and no more, because imports are most of a
cold start.
"""
