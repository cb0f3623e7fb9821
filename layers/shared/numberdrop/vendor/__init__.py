"""The HTTP client of the vendor, ekycpro. It imports no steps and nothing of AWS."""
