"""What was recalled for a job before it was sent, as collect reads it."""

from bisect import bisect_left

from numberdrop.memory.hashing import EntryHasher, KeysOf, unchanged
from numberdrop.memory.reading import RunReader


class RecalledAnswers:
    """The stamps of a job's remembered entries, by entry: 10 bytes for each.

    Args:
        reader: the run, read whole.
        hasher: hashes entries as they were hashed when the run was written.
        keys_of: returns the keys by which entries are compared.
    """

    def __init__(self, reader: RunReader, hasher: EntryHasher, keys_of: KeysOf = unchanged) -> None:
        self._shift = reader.run.shift
        pages = reader.pages(0, (1 << reader.run.bits) - 1)
        self._pages = [pages.page(number) for number in range(1 << reader.run.bits)]
        self._hasher = hasher
        self._keys_of = keys_of

    def stamps(self, entries: list[str]) -> list[int]:
        """Return the stamp of each entry, and 0 for an entry that was not recalled.

        Args:
            entries: entries of the upload in any order, with repeats.
        """
        return list(map(self._stamp, self._hasher.hashes(self._keys_of(entries))))

    def _stamp(self, entry_hash: int) -> int:
        hashes, stamps = self._pages[entry_hash >> self._shift]
        position = bisect_left(hashes, entry_hash)
        if position < len(hashes) and hashes[position] == entry_hash:
            return stamps[position]
        return 0
