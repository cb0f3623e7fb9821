"""Sample files of numbers that belong to nobody.

They have the country code 1 and the right length, but no area code there starts with 0 (NANPA, "NPA Codes").
"""

from dataclasses import dataclass
from pathlib import Path
from random import Random

SPACE = 10**9
"""How many different numbers can be generated."""

NOT_NUMBERS = ("n/a", "12", "call back on Monday", "name@example.com")


@dataclass(frozen=True, slots=True)
class Sample:
    """What a sample file contains.

    Attributes:
        lines: number of lines; none is blank.
        distinct: number of different numbers, in any notation.
        rejected: number of lines that are not a number.
    """

    lines: int
    distinct: int
    rejected: int


def write_numbers(
    path: Path, lines: int, *, seed: int = 0, duplicates: float = 0.0, dirty: float = 0.0
) -> Sample:
    """Write a file with one number per line. The same arguments give the same file.

    Args:
        path: the file.
        lines: number of lines.
        seed: selects the numbers and the positions of dirty lines.
        duplicates: share of lines that repeat an earlier number.
        dirty: share of lines that are not clean. Half of them are numbers with spaces and dashes; the rest
            hold no number.
    """
    chance = Random(seed)  # noqa: S311 - benchmarks have no secrets
    # This is a permutation of all numbers: the factor and SPACE have no common divisor.
    factor, offset = 10 * chance.randrange(SPACE // 10) + 7, chance.randrange(SPACE)

    def number(index: int) -> str:
        return f"+10{(index * factor + offset) % SPACE:09d}"

    distinct = rejected = 0
    with path.open("w", encoding="ascii", newline="") as file:
        for _ in range(lines):
            kind = chance.random()
            if kind < duplicates and distinct:
                line = number(chance.randrange(distinct))
            elif kind < duplicates + dirty / 2:
                line = chance.choice(NOT_NUMBERS)
                rejected += 1
            else:
                line = number(distinct)
                distinct += 1
                if kind < duplicates + dirty:
                    line = f"00{line[1:4]} {line[4:7]}-{line[7:]}"
            file.write(f"{line}\n")
    return Sample(lines, distinct, rejected)
