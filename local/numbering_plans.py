"""Make the tables of numbering plans from the pinned version of libphonenumber: ``make plans``."""

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, REGION_CODE_FOR_NON_GEO_ENTITY, PhoneMetadata

TABLES = Path(__file__).parents[1] / "layers/shared/numberdrop/files/uploads/numbering_plans.json"

_LENGTHS = range(7, 16)
"""The digits of a number with its country code: at most 15 (ITU-T E.164), and at least 7, because uploads
reject shorter ones."""

_Tree = dict[str, Any]
"""Patterns of national numbers by the digits of their calling codes, one level for each digit."""


def tables() -> str:
    """Return the text of the file.

    It holds for each calling code its main region and the lengths, prefixes and pattern of its numbers, and
    under ``usual`` a regular expression of the numbers that libphonenumber surely leaves unchanged.
    """
    plans = {str(code): _plan(code) for code in COUNTRY_CODE_TO_REGION_CODE}
    tree: _Tree = {}
    for code, plan in plans.items():
        node = tree
        for digit in code:
            node = node.setdefault(digit, {})
        node[""] = _usual_numbers(code, plan)
    lines = ",\n".join(f"{json.dumps(code)}: {json.dumps(plan)}" for code, plan in plans.items())
    return f'{{"usual": {json.dumps(_expression(tree))},\n"plans": {{\n{lines}\n}}}}\n'


def _plan(code: int) -> dict[str, Any]:
    main_region = COUNTRY_CODE_TO_REGION_CODE[code][0]
    metadata: Any = (
        PhoneMetadata.metadata_for_nongeo_region(code)
        if main_region == REGION_CODE_FOR_NON_GEO_ENTITY
        else PhoneMetadata.metadata_for_region(main_region)
    )
    general = metadata.general_desc
    return {
        "region": main_region,
        "lengths": sorted(general.possible_length),
        "local_lengths": sorted(general.possible_length_local_only),
        "numbers": general.national_number_pattern,
        "trunk_prefix": metadata.national_prefix_for_parsing,
        "replacement": metadata.national_prefix_transform_rule,
    }


def _usual_numbers(code: str, plan: Mapping[str, Any]) -> str:
    """Return a pattern of national numbers from which no trunk prefix is removed."""
    lengths_after: defaultdict[str, list[int]] = defaultdict(list)
    for length in plan["lengths"]:
        if len(code) + length in _LENGTHS:
            lengths_after[_no_trunk_prefix(code, plan, length)].append(length)
    return _either(
        f"{condition}[0-9]{{{low}}}" if low == high else f"{condition}[0-9]{{{low},{high}}}"
        for condition, lengths in lengths_after.items()
        for low, high in _runs(lengths)
    )


def _no_trunk_prefix(code: str, plan: Mapping[str, Any], length: int) -> str:
    """Return a condition at the start of a national number of this length: it has no trunk prefix."""
    prefix = plan["trunk_prefix"]
    if not prefix:
        return ""
    # If the rest has no possible length, the digit is not a prefix.
    if len(prefix) == 1 and length - 1 not in plan["lengths"] and length - 1 < max(plan["lengths"]):
        return ""
    # The pattern of usual numbers matches many lines at once, and needs no groups.
    prefix = re.sub(r"\((?!\?)", "(?:", prefix.replace("$", "(?![0-9])"))
    not_empty = rf"(?<!\+{code})" if re.match(prefix, "") else ""
    return f"(?!{prefix})" if not not_empty else f"(?!(?:{prefix}){not_empty})"


def _runs(numbers: Iterable[int]) -> list[tuple[int, int]]:
    """Return the first and the last of each run of consecutive numbers."""
    runs: list[tuple[int, int]] = []
    for number in numbers:
        if runs and runs[-1][1] == number - 1:
            runs[-1] = (runs[-1][0], number)
        else:
            runs.append((number, number))
    return runs


def _expression(tree: _Tree) -> str:
    """Return a pattern of calling codes and their numbers that decides with one look at each digit."""
    if "" in tree:
        return str(tree[""])
    digits: defaultdict[str, list[str]] = defaultdict(list)
    for digit, branch in tree.items():
        digits[_expression(branch)].append(digit)
    return _either(
        (next(iter(starts)) if len(starts) == 1 else f"[{''.join(starts)}]") + rest
        for rest, starts in digits.items()
    )


def _either(patterns: Iterable[str]) -> str:
    alternatives = list(patterns)
    return alternatives[0] if len(alternatives) == 1 else f"(?:{'|'.join(alternatives)})"


if __name__ == "__main__":
    TABLES.write_text(tables(), "utf-8")
