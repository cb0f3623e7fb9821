"""DynamoDB serialisation gives the same results as boto3's."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from hypothesis import given
from hypothesis import strategies as st

from numberdrop.aws.serialisation import from_attribute, to_attribute

plain = st.text() | st.integers(-(10**37), 10**37) | st.booleans() | st.none()
nested = st.recursive(plain, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner))
values = nested | st.frozensets(st.text(), min_size=1)


def with_sorted_sets(attribute: Mapping[str, Any]) -> dict[str, Any]:
    return {kind: sorted(value) if kind == "SS" else value for kind, value in attribute.items()}


@pytest.mark.slow
@given(values)
def test_attributes_equal_those_of_boto3(value: Any) -> None:
    assert to_attribute(value) == with_sorted_sets(TypeSerializer().serialize(value))


@pytest.mark.slow
@given(values)
def test_values_equal_those_that_boto3_reads(value: Any) -> None:
    attribute = TypeSerializer().serialize(value)
    assert from_attribute(attribute) == TypeDeserializer().deserialize(attribute)


@pytest.mark.slow
@given(values)
def test_values_survive_a_round_trip_with_their_types(value: Any) -> None:
    read = from_attribute(to_attribute(value))
    assert read == value
    assert type(read) is (set if isinstance(value, frozenset) else type(value))


@pytest.mark.parametrize("value", [1.5, Decimal(1), b"bytes", (1,), object()])
def test_values_of_other_types_raise_an_error(value: Any) -> None:
    with pytest.raises(TypeError, match=type(value).__name__):
        to_attribute(value)


@pytest.mark.parametrize("kind", ["B", "NS", "BS"])
def test_attributes_of_other_types_raise_an_error(kind: str) -> None:
    with pytest.raises(TypeError, match=kind):
        from_attribute({kind: []})
