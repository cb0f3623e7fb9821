"""DynamoDB's JSON, as boto3 writes and reads it."""

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


def in_order(attribute: Mapping[str, Any]) -> dict[str, Any]:
    return {kind: sorted(value) if kind == "SS" else value for kind, value in attribute.items()}


@given(values)
def test_an_attribute_is_what_boto3_makes_of_the_value(value: Any) -> None:
    assert to_attribute(value) == in_order(TypeSerializer().serialize(value))


@given(values)
def test_a_value_is_what_boto3_reads_from_the_attribute(value: Any) -> None:
    attribute = TypeSerializer().serialize(value)
    assert from_attribute(attribute) == TypeDeserializer().deserialize(attribute)


@given(values)
def test_numbers_come_back_as_whole_numbers_and_truths_as_truths(value: Any) -> None:
    read = from_attribute(to_attribute(value))
    assert read == value
    assert type(read) is (set if isinstance(value, frozenset) else type(value))


@pytest.mark.parametrize("value", [1.5, Decimal(1), b"bytes", (1,), object()])
def test_what_no_job_holds_is_refused(value: Any) -> None:
    with pytest.raises(TypeError, match=type(value).__name__):
        to_attribute(value)


@pytest.mark.parametrize("kind", ["B", "NS", "BS"])
def test_an_attribute_that_no_job_has_is_refused(kind: str) -> None:
    with pytest.raises(TypeError, match=kind):
        from_attribute({kind: []})
