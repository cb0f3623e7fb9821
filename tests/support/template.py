"""The template and the state machine as plain Python values."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import yaml

PROJECT = Path(__file__).resolve().parents[2]


class CloudFormationLoader(yaml.CSafeLoader):
    """A loader that reads short forms such as ``!Ref X`` as ``{"Ref": "X"}``."""


def _intrinsic(loader: yaml.CSafeLoader, name: str, node: yaml.Node) -> dict[str, Any]:
    match node:
        case yaml.ScalarNode():
            value: Any = loader.construct_scalar(node)
        case yaml.SequenceNode():
            value = loader.construct_sequence(node, deep=True)
        case yaml.MappingNode():
            value = loader.construct_mapping(node, deep=True)
        case _:
            raise TypeError(node)
    return {name: value}


CloudFormationLoader.add_multi_constructor("!", _intrinsic)


@cache
def template() -> dict[str, Any]:
    """Return the template; short forms become mappings such as ``{"GetAtt": "X.Arn"}``."""
    text = (PROJECT / "template.yaml").read_text("utf-8")
    parsed: dict[str, Any] = yaml.load(text, CloudFormationLoader)
    return parsed


def resources(kind: str) -> dict[str, dict[str, Any]]:
    """Return the properties of all resources of a type, by logical id."""
    return {
        name: resource.get("Properties", {})
        for name, resource in template()["Resources"].items()
        if resource["Type"] == kind
    }


def state_machine() -> dict[str, Any]:
    """Return the state machine's definition with its placeholders."""
    text = (PROJECT / "statemachine/follow_task.asl.json").read_text("utf-8")
    parsed: dict[str, Any] = json.loads(text)
    return parsed


def own_variables(function: str) -> dict[str, Any]:
    """Return the environment variables that only this function has."""
    own: dict[str, Any] = (
        resources("AWS::Serverless::Function")[function].get("Environment", {}).get("Variables", {})
    )
    return own


# Roles


def statements(role: str) -> list[dict[str, Any]]:
    """Return the statements of a role's policies, with those of policies that exist under a condition."""
    attached = [p for p in resources("AWS::IAM::Policy").values() if {"Ref": role} in p["Roles"]]
    policies = [*resources("AWS::IAM::Role")[role]["Policies"], *attached]
    return [statement for policy in policies for statement in policy["PolicyDocument"]["Statement"]]


def key_statements(role: str) -> list[dict[str, Any]]:
    """Return the statements that a role has only with a KMS key of the customer."""
    policy = resources("AWS::IAM::ManagedPolicy").get(f"{role.removesuffix('Role')}KeyPolicy", {})
    found: list[dict[str, Any]] = policy["PolicyDocument"]["Statement"] if policy else []
    return found


def statement_of(role: str, sid: str) -> dict[str, Any]:
    """Return the one statement of a role with this id."""
    (found,) = (statement for statement in statements(role) if statement["Sid"] == sid)
    return found


def listed(value: Any) -> list[Any]:
    """Return a value that may be a list as a list."""
    return value if isinstance(value, list) else [value]


def actions(role: str) -> set[str]:
    """Return the actions that a role allows."""
    return {action for statement in statements(role) for action in listed(statement["Action"])}


def roles_allowed_to(action: str) -> set[str]:
    """Return the roles that allow an action."""
    return {role for role in resources("AWS::IAM::Role") if action in actions(role)}
