"""Values as DynamoDB's API writes them, for instance ``{"S": "text"}``, of the types that a job is made of.

boto3 can do this for all types (``boto3.dynamodb.types``), but it cannot be imported without its resources
and transfers, which nothing here uses and every cold start would wait for.
"""

from collections.abc import Mapping
from typing import Any

Attribute = dict[str, Any]
"""One value in DynamoDB's own JSON (DynamoDB API reference, "AttributeValue")."""


def to_attribute(value: Any) -> Attribute:
    """Text, a whole number, a boolean, None, a mapping, a list, or a set of text, as an attribute.

    Raises:
        TypeError: the value is of another type.
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
            return {"M": {name: to_attribute(inner) for name, inner in value.items()}}
        case list():
            return {"L": [to_attribute(member) for member in value]}
        case set() | frozenset():
            return {"SS": sorted(value)}
        case _:
            raise TypeError(f"A job has no attributes of {type(value).__name__}.")


def from_attribute(attribute: Mapping[str, Any]) -> Any:
    """The value of an attribute that ``to_attribute`` has made.

    Raises:
        TypeError: the attribute is of another type.
    """
    match attribute:
        case {"S": value} | {"BOOL": value}:
            return value
        case {"N": digits}:
            return int(digits)
        case {"NULL": True}:
            return None
        case {"M": inner}:
            return {name: from_attribute(value) for name, value in inner.items()}
        case {"L": members}:
            return [from_attribute(member) for member in members]
        case {"SS": members}:
            return set(members)
        case _:
            raise TypeError(f"A job has no attributes of type {', '.join(attribute)}.")
