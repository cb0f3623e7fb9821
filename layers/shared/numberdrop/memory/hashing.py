"""Keyed hashes of entries. Without the key, nobody can find a number by hashing every number there is."""

from array import array
from collections.abc import Callable
from hashlib import blake2b

HASH_BYTES = 8
"""Among N x M pairs of different numbers, N x M / 2^64 are expected to have the same hash: 5e-5 for ten
million entries against a hundred million remembered ones."""

KeysOf = Callable[[list[str]], list[str]]
"""Returns the keys by which entries are compared."""


def unchanged(texts: list[str]) -> list[str]:
    """Return the entries unchanged, for entries that are equal only if they are written alike."""
    return texts


class EntryHasher:
    """Hashes entries under a secret key.

    >>> hasher = EntryHasher(b"secret")
    >>> hasher.hashes(["+41790000001"]) == hasher.hashes(["+41790000001"])
    True

    Args:
        key: 1 to 64 bytes.
    """

    def __init__(self, key: bytes) -> None:
        if not key:
            raise ValueError("The key of the verdict memory is empty.")
        self._empty = blake2b(key=key, digest_size=HASH_BYTES)

    def hashes(self, entries: list[str]) -> "array[int]":
        """Return the hash of each entry, in their order."""
        copy = self._empty.copy
        digests = []
        for entry in entries:
            digest = copy()
            digest.update(entry.encode())
            digests.append(digest.digest())
        return array("Q", b"".join(digests))


def slices_of(hashes: "array[int]") -> bytes:
    """Return the slice of each hash: its leading byte."""
    return hashes.tobytes()[HASH_BYTES - 1 :: HASH_BYTES]
