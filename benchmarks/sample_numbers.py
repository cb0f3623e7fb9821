"""Files of numbers that belong to nobody.

Country code 999 is assigned to no country (ITU, "List of ITU-T Recommendation E.164 assigned country codes").
"""

from dataclasses import dataclass
from pathlib import Path
from random import Random

SPACE = 10**9
"""How many different numbers there are."""

NO_NUMBERS = ("n/a", "12", "call back on Monday", "name@example.com")


@dataclass(frozen=True, slots=True)
class Sample:
    """What a file holds.

    Attributes:
        lines: all lines; none is blank.
        distinct: different numbers, however they are written.
        rejected: lines that are no number.
    """

    lines: int
    distinct: int
    rejected: int


def write_numbers(
    path: Path, lines: int, *, seed: int = 0, duplicates: float = 0.0, dirty: float = 0.0
) -> Sample:
    """Writes a file of numbers, one a line; the same arguments give the same file.

    Args:
        path: the file.
        lines: how many.
        seed: decides which numbers, and where the odd lines are.
        duplicates: share of lines that repeat an earlier number.
        dirty: share of lines as people write them: half are numbers with spaces and dashes, half are none.
    """
    chance = Random(seed)  # noqa: S311 - benchmarks have no secrets
    # A permutation of all numbers, as the factor shares no divisor with their count.
    factor, offset = 10 * chance.randrange(SPACE // 10) + 7, chance.randrange(SPACE)

    def number(place: int) -> str:
        return f"+999{(place * factor + offset) % SPACE:09d}"

    distinct = rejected = 0
    with path.open("w", encoding="ascii", newline="") as file:
        for _ in range(lines):
            kind = chance.random()
            if kind < duplicates and distinct:
                line = number(chance.randrange(distinct))
            elif kind < duplicates + dirty / 2:
                line = chance.choice(NO_NUMBERS)
                rejected += 1
            else:
                line = number(distinct)
                distinct += 1
                if kind < duplicates + dirty:
                    line = f"00{line[1:4]} {line[4:7]}-{line[7:]}"
            file.write(f"{line}\n")
    return Sample(lines, distinct, rejected)
