"""Random lives find mistakes in the verdict memory: each mutant makes one, and a life must expose it."""

import pytest

from tests.support.memory_mutants import MUTANTS, Mutant

LIVES = 60


@pytest.mark.slow
@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_every_mutant_is_killed(mutant: Mutant) -> None:
    lives = (mutant.live(seed) for seed in range(1, LIVES + 1))
    first = next((problem for life in lives for problem in life.problems), None)
    print(f"{mutant.name}: {first}")
    assert first, "no life exposes the mistake"
