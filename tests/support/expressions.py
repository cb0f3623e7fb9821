"""JSONata in the state machine, evaluated by an implementation that numberdrop does not use otherwise."""

import json
import re
from collections.abc import Mapping
from copy import deepcopy
from functools import cache, lru_cache
from typing import Any

from jsonata import Jsonata

EXPRESSION = re.compile(r"\{%(.*)%\}", re.DOTALL)


class UndefinedError(Exception):
    """An expression has no value. Step Functions then fails the state."""


def evaluated(value: Any, variables: Mapping[str, Any], states: Mapping[str, Any]) -> Any:
    """Return a value of the state machine with its expressions evaluated.

    Args:
        value: what the definition has in a field such as Assign, Arguments, Output or Condition.
        variables: the variables assigned so far, without ``$``.
        states: the value of ``$states``, with ``input``, ``result``, ``errorOutput`` and ``context``.

    Raises:
        UndefinedError: an expression has no value (AWS Step Functions developer guide, "Transforming data
            with JSONata in Step Functions", the error States.QueryEvaluationError). A null is a value.
        JException: an expression cannot be parsed or evaluated.
    """
    match value:
        case dict():
            return {name: evaluated(inner, variables, states) for name, inner in value.items()}
        case list():
            return [evaluated(inner, variables, states) for inner in value]
        case str() if expression := EXPRESSION.fullmatch(value):
            return _result(expression[1].strip(), {**variables, "states": states})
        case _:
            return value


@cache
def _parsed(expression: str) -> Jsonata:
    # The object distinguishes an expression without a value from one whose value is null.
    return Jsonata(f'{{"value": ({expression})}}')


def _result(expression: str, variables: Mapping[str, Any]) -> Any:
    return deepcopy(_result_of_json(expression, json.dumps(variables)))


@lru_cache(maxsize=20_000)
def _result_of_json(expression: str, variables: str) -> Any:
    """Evaluate an expression with variables as JSON; the crash tests need most results many times."""
    parsed = _parsed(expression)
    frame = parsed.create_frame()
    for name, value in json.loads(variables).items():
        frame.bind(name, value)
    found = parsed.evaluate(None, frame)
    if "value" not in found:
        raise UndefinedError(expression)
    return found["value"]
