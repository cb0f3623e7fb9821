"""The verdict memory gives a dict's answers, whatever is learnt, erased or merged, and whatever crashes."""

import os
from collections.abc import Callable

import pytest

from tests.support.memory_lives import Life

ANSWERS = int(os.environ.get("NUMBERDROP_MEMORY_ANSWERS", "10000"))
SEED = int(os.environ.get("NUMBERDROP_MEMORY_SEED", "1"))


@pytest.mark.slow
@pytest.mark.timeout(0)
def test_its_answers_are_those_of_a_dict(record_property: Callable[[str, object], None]) -> None:
    compared, seed = 0, SEED
    while compared < ANSWERS:
        life = Life(seed).run()
        assert not life.problems
        compared, seed = compared + life.compared, seed + 1
    record_property("answers", compared)
    print(f"{compared:,} answers in {seed - SEED:,} lives")
