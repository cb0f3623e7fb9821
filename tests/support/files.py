"""Files of fictional phone numbers, from ranges that are reserved for fiction."""

NUMBERS = tuple(f"+447700900{n:03d}" for n in range(100))


def file_of(*lines: str) -> bytes:
    """Return a file with these lines, or with a hundred numbers."""
    return "".join(f"{line}\n" for line in lines or NUMBERS).encode()
