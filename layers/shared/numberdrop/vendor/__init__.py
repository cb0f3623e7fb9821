"""The HTTP client of ekycpro. Knows no steps and no AWS."""
