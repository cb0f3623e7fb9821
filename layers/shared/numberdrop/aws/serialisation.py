"""DynamoDB serialisation: Python values to DynamoDB's JSON, such as ``{"S": "text"}``, and back.

Covers the types that a job has. boto3 can convert all types (``boto3.dynamodb.types``), but importing it also
loads resources and transfers, which nothing here uses and which would slow down every cold start.
"""

from collections.abc import Mapping
from typing import Any

Attribute = dict[str, Any]
"""One value in DynamoDB's own JSON (DynamoDB API reference, "AttributeValue")."""


def to_attribute(value: Any) -> Attribute:
    """Convert a value to DynamoDB's JSON.

    Takes a string, integer, boolean, None, dict, list or set of strings.

    >>> to_attribute({"total": 100, "tags": ["a"]})
    {'M': {'total': {'N': '100'}, 'tags': {'L': [{'S': 'a'}]}}}

    Raises:
        TypeError: the value has another type.
    """
    match value:
        case str():
            return {"S": value}
        case bool():
            return {"BOOL": value}
        case int():
            return {"N": str(value)}
        case None:
            return {"NULL": True}
        case dict():
            return {"M": to_attributes(value)}
        case list():
            return {"L": [to_attribute(member) for member in value]}
        case set() | frozenset():
            return {"SS": sorted(value)}
        case _:
            raise TypeError(f"A job cannot store values of type {type(value).__name__}.")


def to_attributes(values: Mapping[str, Any]) -> dict[str, Attribute]:
    """Convert an item, given as plain values by attribute name, to DynamoDB's JSON.

    >>> to_attributes({"job_id": "the audit"})
    {'job_id': {'S': 'the audit'}}
    """
    return {name: to_attribute(value) for name, value in values.items()}


def from_attributes(item: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Convert an item in DynamoDB's JSON to plain values by attribute name.

    >>> from_attributes({"job_id": {"S": "the audit"}})
    {'job_id': 'the audit'}
    """
    return {name: from_attribute(attribute) for name, attribute in item.items()}


def from_attribute(attribute: Mapping[str, Any]) -> Any:
    """Convert DynamoDB's JSON, as ``to_attribute`` writes it, to a value.

    >>> from_attribute({"M": {"total": {"N": "100"}}})
    {'total': 100}

    Raises:
        TypeError: the attribute has another type.
    """
    ((kind, value),) = attribute.items()
    match kind:
        case "S" | "BOOL":
            return value
        case "N":
            return int(value)
        case "NULL":
            return None
        case "M":
            return from_attributes(value)
        case "L":
            return [from_attribute(member) for member in value]
        case "SS":
            return set(value)
        case _:
            raise TypeError(f"A job has no attributes of type {kind}.")
