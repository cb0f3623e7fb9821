"""The template as CloudFormation deploys it with some parameters: conditions are resolved."""

from collections.abc import Iterator, Mapping
from typing import Any

from tests.support.template import template

ABSENT = "absent"
"""Stands for a value that the template does not have."""

_NO_VALUE = {"Ref": "AWS::NoValue"}


def deployed(**parameters: str) -> dict[str, Any]:
    """Return the globals and resources that a deployment with these parameters has, by logical id."""
    defaults = {name: value.get("Default", "") for name, value in template()["Parameters"].items()}
    conditions = _conditions({**defaults, **parameters})
    everything: dict[str, Any] = {"Globals": template()["Globals"], **template()["Resources"]}
    return {
        name: _resolved(part, conditions)
        for name, part in everything.items()
        if conditions[part.get("Condition", "always")]
    }


def differences(before: Any, after: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Yield the path of each difference between two values, with both values."""
    if isinstance(before, dict) and isinstance(after, dict):
        for name in [*before, *(name for name in after if name not in before)]:
            step = f"{path}.{name}" if path else name
            yield from differences(before.get(name, ABSENT), after.get(name, ABSENT), step)
    elif before != after:
        yield path, before, after


def changes(**parameters: str) -> dict[str, Any]:
    """Return what these parameters change in a deployment with defaults: the new values, by path."""
    return {path: after for path, _, after in differences(deployed(), deployed(**parameters))}


def _conditions(parameters: Mapping[str, str]) -> dict[str, bool]:
    values = {"always": True}
    for name, condition in template()["Conditions"].items():
        values[name] = _holds(condition, parameters, values)
    return values


def _holds(condition: Any, parameters: Mapping[str, str], known: Mapping[str, bool]) -> bool:
    match condition:
        case {"Equals": [left, right]}:
            return _text(left, parameters) == _text(right, parameters)
        case {"Not": [inner]}:
            return not _holds(inner, parameters, known)
        case {"And": parts}:
            return all(_holds(part, parameters, known) for part in parts)
        case {"Or": parts}:
            return any(_holds(part, parameters, known) for part in parts)
        case {"Condition": name}:
            return known[name]
    raise ValueError(condition)


def _text(value: Any, parameters: Mapping[str, str]) -> str:
    match value:
        case {"Ref": name}:
            return str(parameters[name])
    return str(value)


def resolved(transformed: dict[str, Any], **parameters: str) -> dict[str, Any]:
    """Return a transformed template as it is deployed with these parameters."""
    defaults = {name: value.get("Default", "") for name, value in template()["Parameters"].items()}
    conditions = _conditions({**defaults, **parameters})
    deployed_resources = {
        name: _with_values(_resolved(resource, conditions), parameters)
        for name, resource in transformed["Resources"].items()
        if conditions[resource.get("Condition", "always")]
    }
    return {**transformed, "Resources": deployed_resources}


def _resolved(value: Any, conditions: Mapping[str, bool]) -> Any:
    match value:
        case {"If": [name, chosen, other]} | {"Fn::If": [name, chosen, other]}:
            return _resolved(chosen if conditions[name] else other, conditions)
        case dict():
            parts = {name: _resolved(part, conditions) for name, part in value.items()}
            return {name: part for name, part in parts.items() if part != _NO_VALUE}
        case list():
            return [part for part in (_resolved(part, conditions) for part in value) if part != _NO_VALUE]
    return value


def _with_values(value: Any, parameters: Mapping[str, str]) -> Any:
    match value:
        case {"Ref": name} if name in parameters:
            return parameters[name]
        case dict():
            return {name: _with_values(part, parameters) for name, part in value.items()}
        case list():
            return [_with_values(part, parameters) for part in value]
    return value
