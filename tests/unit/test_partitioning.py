"""Partitioning by hash: all lines come back, in order."""

import tracemalloc
from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from numberdrop.files.formats import partitioning
from numberdrop.files.formats.archive import MIB
from numberdrop.files.formats.partitioning import PARTS, InOrder, Partition

keys = st.text(st.characters(exclude_characters="\n", exclude_categories=["Cs"]), max_size=5)


def parts_of(*blocks: list[str]) -> list[list[str]]:
    """Return the lines of each part that is not empty."""
    with Partition() as partition:
        for block in blocks:
            partition.add(block)
        return whole_parts(partition)


def whole_parts(partition: Partition) -> list[list[str]]:
    return [list(chain(*blocks)) for blocks in partition.parts().values()]


@pytest.mark.slow
@given(st.lists(st.lists(keys)))
def test_equal_lines_are_in_the_same_part(blocks: list[list[str]]) -> None:
    parts = parts_of(*blocks)

    assert len(parts) <= PARTS
    assert all(parts)
    assert sorted(chain(*parts)) == sorted(chain(*blocks))
    assert sum(len(set(part)) for part in parts) == len({*chain(*blocks)})


@pytest.mark.parametrize("lines", [10, 100_000])
def test_lines_of_a_part_keep_their_order(lines: int) -> None:
    numbers = [str(number) for number in range(lines)]

    assert all(
        part == sorted(part, key=int) for part in parts_of(numbers[: lines // 3], numbers[lines // 3 :])
    )


@pytest.mark.parametrize("lines", [10, 100_000])
def test_lines_of_one_key_stay_together(lines: int) -> None:
    names = [f"name {number}" for number in range(lines)]
    answers = [f"answer {number}" for number in range(lines)]

    with Partition() as partition:
        partition.add(names, names, answers)
        parts = whole_parts(partition)

    pairs = [pair for part in parts for pair in zip(part[::2], part[1::2], strict=True)]
    assert sorted(pairs) == sorted(zip(names, answers, strict=True))


@given(st.lists(st.lists(keys)))
def test_answers_return_in_the_order_of_the_keys(blocks: list[list[str]]) -> None:
    with Partition() as partition, Partition() as results:
        for block in blocks:
            partition.add(block)
        for part, keys_of_part in partition.parts().items():
            for lines in keys_of_part:
                results.extend(part, [f"about {key}" for key in lines])
        in_order = InOrder(results.streams())

        assert [in_order.answers(block) for block in blocks] == [
            [f"about {key}" for key in block] for block in blocks
        ]


def test_a_part_is_the_same_in_blocks_and_line_by_line() -> None:
    lines = [f"{number} " + "\u00e4" * (number * 37 % 5000) for number in range(3000)]

    with Partition() as partition:
        for start in range(0, 3000, 500):
            partition.extend(7, lines[start : start + 500])

        assert list(chain(*partition.parts()[7])) == lines
        assert list(partition.streams()[7]) == lines


def test_reading_long_parts_side_by_side_takes_little_memory() -> None:
    with Partition() as partition:
        for part in range(64):
            partition.extend(part, ["x" * 1000] * 500)
        streams = partition.streams()
        tracemalloc.start()
        for lines in zip(*streams.values(), strict=True):
            assert len(lines) == 64
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()

    assert peak < 3 * MIB


def test_parts_can_be_read_again_and_extended() -> None:
    with Partition() as partition:
        partition.add(["a"])
        assert list(chain(*whole_parts(partition))) == ["a"]
        partition.add(["a"])
        assert list(chain(*whole_parts(partition))) == ["a", "a"]


@pytest.mark.slow
def test_a_text_repeated_endlessly_takes_little_memory() -> None:
    with Partition() as partition:
        for _ in range(300):
            partition.add(["+41790000001"] * 1000, ["+41790000001"] * 1000, ["yes"] * 1000)
        tracemalloc.start()
        lines = sum(len(block) for part in partition.parts().values() for block in part)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()

    assert lines == 600_000
    assert peak < 20 * MIB


def test_the_lines_of_a_key_are_in_one_block(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(partitioning, "_BLOCK", 1)
    with Partition() as partition:
        for _ in range(3):
            partition.add(["a", "a"], ["number", "number"], ["yes", "yes"])
            partition.streams()  # writes the buffered lines

        assert [*chain(*partition.parts().values())] == [["number", "yes"] * 2] * 3


def test_a_part_without_lines_is_left_out() -> None:
    with Partition() as partition:
        partition.extend(7, [])

        assert not partition.parts()
        assert not partition.streams()


def test_columns_of_unequal_length_raise() -> None:
    with Partition() as partition, pytest.raises(ValueError, match="zip"):
        partition.add(["a", "b"], ["a"])
