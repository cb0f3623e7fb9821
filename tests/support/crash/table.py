"""The ledger's table in memory: only the part of DynamoDB that the package uses.

moto implements more of DynamoDB but takes ten milliseconds per update, too long for thousands of schedules.
``test_table_matches_dynamodb.py`` replays the requests of this table against moto.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import ClientError

from numberdrop.aws.ledger import INDEXED

TABLE = "jobs"

Item = dict[str, Any]
"""An item in DynamoDB's own JSON."""


class Table:
    """A DynamoDB client with one table, initially empty. It never changes attribute values in place.

    Attributes:
        on_write: called with each item after an update.
        requests: all requests, for replays.
        created: all items that were put where none was.
    """

    def __init__(self, on_write: Callable[[Item], None]) -> None:
        self.on_write = on_write
        self.requests: list[tuple[str, dict[str, Any]]] = []
        self.created: list[Item] = []
        self._items: dict[str, Item] = {}

    def items(self) -> list[Item]:
        """Return all items of the table."""
        return list(self._items.values())

    def get_item(self, **request: Any) -> dict[str, Any]:
        self.requests.append(("get_item", request))
        item = self._items.get(_key(request["Key"]))
        return {"Item": dict(item)} if item else {}

    def query(self, **request: Any) -> dict[str, Any]:
        """Return the items in a shard of the index of unsettled jobs, with the attributes that it holds."""
        self.requests.append(("query", request))
        (shard,) = request["ExpressionAttributeValues"].values()
        held = {"job_id", "unsettled", *INDEXED}
        return {
            "Items": [
                {name: value for name, value in item.items() if name in held}
                for item in self.items()
                if item.get("unsettled") == shard
            ]
        }

    def scan(self, **request: Any) -> dict[str, Any]:
        """Return the wanted attributes of the items whose keys do not begin with a prefix."""
        self.requests.append(("scan", request))
        assert request["FilterExpression"] == "NOT begins_with(#job_id, :value)"
        prefix = request["ExpressionAttributeValues"][":value"]["S"]
        wanted = {_name(word, request) for word in request["ProjectionExpression"].split(", ")}
        return {
            "Items": [
                {name: value for name, value in item.items() if name in wanted}
                for item in self.items()
                if not _key(item).startswith(prefix)
            ]
        }

    def snapshot(self) -> Mapping[str, Item]:
        """Return all items as they are now, for ``restore``."""
        return {key: dict(item) for key, item in self._items.items()}

    def restore(self, snapshot: Mapping[str, Item]) -> None:
        """Replace all items, as a restore to a point in time does."""
        self._items = {key: dict(item) for key, item in snapshot.items()}

    def put_item(self, **request: Any) -> dict[str, Any]:
        self.requests.append(("put_item", request))
        self._check(request["Item"], request, "PutItem")
        if _key(request["Item"]) not in self._items:
            self.created.append(request["Item"])
        self._items[_key(request["Item"])] = dict(request["Item"])
        return {}

    def delete_item(self, **request: Any) -> dict[str, Any]:
        self.requests.append(("delete_item", request))
        self._check(request["Key"], request, "DeleteItem")
        self._items.pop(_key(request["Key"]), None)
        return {}

    def update_item(self, **request: Any) -> dict[str, Any]:
        self.requests.append(("update_item", request))
        self._check(request["Key"], request, "UpdateItem")
        item = self._items.setdefault(_key(request["Key"]), dict(request["Key"]))
        for clause, actions in _CLAUSE.findall(request["UpdateExpression"]):
            for action in actions.split(","):
                _apply(clause, action.strip(), item, request)
        self.on_write(item)
        return {"Attributes": dict(item)} if request.get("ReturnValues") == "ALL_NEW" else {}

    def _check(self, key: Item, request: Mapping[str, Any], operation: str) -> None:
        condition = request.get("ConditionExpression")
        item = self._items.get(_key(key), {})
        if condition is None or _holds(condition, item, request):
            return
        response: Any = {
            "Error": {
                "Code": "ConditionalCheckFailedException",
                "Message": "The conditional request failed",
            }
        }
        if item and request.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD":
            response["Item"] = dict(item)
        raise ClientError(response, operation)


_CLAUSE = re.compile(r"(SET|ADD|REMOVE) (.*?)(?= (?:SET|ADD|REMOVE) |$)")
_ABSENT = re.compile(r"attribute_not_exists\((\S+)\)")
_ONE_OF = re.compile(r"(\S+) IN \((.*)\)")
_COMPARED = re.compile(r"(\S+) (=|<=) (\S+)")


def _key(item: Mapping[str, Any]) -> str:
    key: str = item["job_id"]["S"]
    return key


def _name(word: str, request: Mapping[str, Any]) -> str:
    name: str = request["ExpressionAttributeNames"][word] if word.startswith("#") else word
    return name


def _apply(clause: str, action: str, item: Item, request: Mapping[str, Any]) -> None:
    match clause, action.replace(" = ", " ").split():
        case "SET", [word, value]:
            item[_name(word, request)] = request["ExpressionAttributeValues"][value]
        case "ADD", [word, value]:
            members = item.setdefault(_name(word, request), {"SS": []})["SS"]
            members += [
                new for new in request["ExpressionAttributeValues"][value]["SS"] if new not in members
            ]
        case "REMOVE", [word]:
            item.pop(_name(word, request), None)
        case _:
            raise ValueError(clause)


def _holds(condition: str, item: Item, request: Mapping[str, Any]) -> bool:
    if " OR " in condition:
        return any(_holds(part, item, request) for part in condition.split(" OR "))
    if " AND " in condition:
        return all(_holds(part, item, request) for part in condition.split(" AND "))
    values = request.get("ExpressionAttributeValues", {})
    if absent := _ABSENT.fullmatch(condition):
        return _name(absent[1], request) not in item
    if one_of := _ONE_OF.fullmatch(condition):
        return item.get(_name(one_of[1], request)) in [values[value] for value in one_of[2].split(", ")]
    compared = _COMPARED.fullmatch(condition)
    if not compared:
        raise ValueError(condition)
    found, expected = item.get(_name(compared[1], request)), values[compared[3]]
    if found is None or compared[2] == "=":
        return bool(found == expected)
    return bool(found["S"] <= expected["S"])
