"""The part of DynamoDB that the product uses, in memory and without HTTP: for very many requests.

It is a double and proves nothing about DynamoDB: the searches that use it have their own tests on
a better imitation. Reads of an index are as fresh as any other.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from types import SimpleNamespace
from typing import Any, TypeAlias

from botocore.exceptions import ClientError

from tests.support import aws_fakes as cloud

StoredRow: TypeAlias = dict[str, Any]
Key: TypeAlias = tuple[Any, ...]
ConditionTerm: TypeAlias = Callable[[StoredRow, Mapping[str, Any]], bool]

_TERM = re.compile(
    r"(?P<exists>attribute_(?:not_)?exists)\((?P<there>\w+)\)"
    r"|begins_with\((?P<text>\w+), (?P<start>:\w+)\)"
    r"|(?P<within>\w+) BETWEEN (?P<low>:\w+) AND (?P<high>:\w+)"
    r"|(?P<name>\w+) (?P<op>=|<=|>=|<|>) (?P<value>:\w+)"
)


_SETTING = r"(\w+) = (if_not_exists\(\w+, )?(:\w+)"


class TransactionCanceled(ClientError):  # noqa: N818 as DynamoDB names it
    """A transaction with a condition that did not hold."""

    def __init__(self, reasons: list[StoredRow]) -> None:
        error = {"Error": {"Code": "TransactionCanceledException", "Message": ""}}
        super().__init__(error, "TransactWriteItems")  # type: ignore[arg-type]
        self.response["CancellationReasons"] = reasons  # type: ignore[typeddict-item]


@dataclass
class _Table:
    keys: dict[str | None, tuple[str, ...]]
    partitions: dict[str | None, dict[Any, dict[Key, StoredRow]]] = field(default_factory=dict)

    def place(self, row: Mapping[str, Any], index: str | None = None) -> Key:
        return tuple(_plain(row[name]) if name in row else None for name in self.keys[index])

    def get(self, key: Mapping[str, Any]) -> StoredRow | None:
        place = self.place(key)
        return self.partitions.get(None, {}).get(place[0], {}).get(place)

    def put(self, row: StoredRow) -> None:
        self.remove(row)
        for index in self.keys:
            place = self.place(row, index)
            if None not in place:
                parts = self.partitions.setdefault(index, {})
                parts.setdefault(place[0], {})[self.place(row)] = row

    def remove(self, key: Mapping[str, Any]) -> None:
        old = self.get(key)
        for index in self.keys if old else ():
            place = self.place(old or {}, index)
            self.partitions.get(index, {}).get(place[0], {}).pop(self.place(old or {}), None)


class InMemoryDynamoDB:
    """A DynamoDB client whose tables are in this process."""

    exceptions = SimpleNamespace(TransactionCanceledException=TransactionCanceled)

    def __init__(self) -> None:
        self.tables: dict[str, _Table] = {}
        self._committed_tokens: set[str] = set()
        for name, result in cloud.load_table_properties().items():
            keys: dict[str | None, tuple[str, ...]] = {None: _names(result["KeySchema"])}
            for index in result.get("GlobalSecondaryIndexes", []):
                keys[index["IndexName"]] = _names(index["KeySchema"])
            self.tables[f"{cloud.PREFIX}{name}"] = _Table(keys)

    def list_rows(self, name: str) -> list[StoredRow]:
        """Return every row of a table."""
        parts = self.tables[f"{cloud.PREFIX}{name}"].partitions.get(None, {})
        return [row for part in parts.values() for row in part.values()]

    def get_item(self, *, TableName: str, Key: StoredRow, **_more: Any) -> StoredRow:  # noqa: N803
        found = self.tables[TableName].get(Key)
        return {"Item": found} if found else {}

    def batch_get_item(self, *, RequestItems: Mapping[str, StoredRow]) -> StoredRow:  # noqa: N803
        answers = {
            name: [row for key in wanted["Keys"] if (row := self.tables[name].get(key))]
            for name, wanted in RequestItems.items()
        }
        return {"Responses": answers}

    def query(self, **request: Any) -> StoredRow:
        table, index = self.tables[request["TableName"]], request.get("IndexName")
        values = {name: _plain(v) for name, v in request["ExpressionAttributeValues"].items()}
        holds = _condition(request["KeyConditionExpression"].replace("#", ""))
        partition = next(iter(re.findall(r"= (:\w+)", request["KeyConditionExpression"])))
        rows = table.partitions.get(index, {}).get(values[partition], {}).values()
        found = sorted(
            (row for row in rows if holds(row, values)),
            key=lambda row: (table.place(row, index), table.place(row)),
            reverse=not request["ScanIndexForward"],
        )
        if "ExclusiveStartKey" in request:
            start = table.place(request["ExclusiveStartKey"])
            found = found[1 + [table.place(row) for row in found].index(start) :]
        read, rest = found[: request["Limit"]], found[request["Limit"] :]
        kept = _condition(request.get("FilterExpression", "").replace("#", ""))
        answer: StoredRow = {"Items": [row for row in read if kept(row, values)]}
        if rest:
            names = {*table.keys[None], *table.keys[index]}
            answer["LastEvaluatedKey"] = {name: read[-1][name] for name in names}
        return answer

    def put_item(self, **request: Any) -> StoredRow:
        return self._alone("Put", request)

    def update_item(self, **request: Any) -> StoredRow:
        return self._alone("Update", request)

    def transact_write_items(
        self,
        *,
        TransactItems: Iterable[StoredRow],  # noqa: N803
        ClientRequestToken: str,  # noqa: N803
    ) -> StoredRow:
        """Write all or nothing; a token that was committed changes nothing again."""
        if ClientRequestToken in self._committed_tokens:
            return {}
        writes = [next(iter(each.items())) for each in TransactItems]
        failed = [self._refusal(request) for _, request in writes]
        if any(failed):
            raise TransactionCanceled([reason or {"Code": "None"} for reason in failed])
        for kind, request in writes:
            self._write(kind, request)
        self._committed_tokens.add(ClientRequestToken)
        return {}

    def _alone(self, kind: str, request: StoredRow) -> StoredRow:
        if self._refusal(request):
            error = {"Error": {"Code": "ConditionalCheckFailedException", "Message": ""}}
            raise ClientError(error, kind)  # type: ignore[arg-type]
        self._write(kind, request)
        return {}

    def _refusal(self, request: StoredRow) -> StoredRow | None:
        old = self.tables[request["TableName"]].get(request.get("Item") or request["Key"])
        values = request.get("ExpressionAttributeValues", {})
        plain = {name: _plain(value) for name, value in values.items()}
        condition = _named(request.get("ConditionExpression", ""), request)
        if _condition(condition)(old or {}, plain):
            return None
        return {"Code": "ConditionalCheckFailed"} | ({"Item": old} if old else {})

    def _write(self, kind: str, request: StoredRow) -> None:
        table = self.tables[request["TableName"]]
        match kind:
            case "Put":
                table.put(dict(request["Item"]))
            case "Delete":
                table.remove(request["Key"])
            case "Update":
                table.put(_updated(dict(table.get(request["Key"]) or request["Key"]), request))


def _updated(row: StoredRow, request: StoredRow) -> StoredRow:
    setting, _, removing = _named(request["UpdateExpression"], request).partition(" REMOVE ")
    values = request["ExpressionAttributeValues"]
    for name, kept, value in re.findall(_SETTING, setting):
        if not (kept and name in row):
            row[name] = values[value]
    for name, value in re.findall(r"(\w+) = list_append\(if_not_exists\(\w+, :\w+\), (:\w+)\)", setting):
        row[name] = {"L": [*row.get(name, {"L": []})["L"], *values[value]["L"]]}
    for name, value in re.findall(r"ADD (\w+) (:\w+)", setting):
        row[name] = {"N": str(_plain(row.get(name, {"N": "0"})) + _plain(values[value]))}
    for name in filter(None, removing.split(", ")):
        row.pop(name, None)
    return row


def _named(expression: str, request: StoredRow) -> str:
    for alias, name in request.get("ExpressionAttributeNames", {}).items():
        expression = expression.replace(alias, name)
    return expression


def _names(schema: Iterable[Mapping[str, str]]) -> tuple[str, ...]:
    return tuple(each["AttributeName"] for each in schema)


def _plain(value: Mapping[str, Any]) -> Any:
    ((kind, raw),) = value.items()
    return int(raw) if kind == "N" else raw


@cache
def _condition(expression: str) -> ConditionTerm:
    """Parse terms joined by AND, and groups of them joined by OR."""
    groups = [[_term(found) for found in _TERM.finditer(group)] for group in expression.split(" OR ")]
    return lambda row, values: any(all(term(row, values) for term in each) for each in groups)


def _term(found: re.Match[str]) -> ConditionTerm:
    result = found.groupdict()
    if result["exists"]:
        wanted = result["exists"] == "attribute_exists"
        return lambda row, _values: (result["there"] in row) is wanted
    if result["text"]:
        return lambda row, values: _of(row, result["text"], "").startswith(values[result["start"]])
    if result["within"]:
        name, low, high = result["within"], result["low"], result["high"]
        return lambda row, values: values[low] <= _of(row, name, "") <= values[high]
    return _comparison(result["name"], result["op"], result["value"])


def _comparison(name: str, op: str, value: str) -> ConditionTerm:
    by: dict[str, Callable[[Any, Any], bool]] = {
        "=": lambda a, b: a == b,
        "<": lambda a, b: a < b,
        "<=": lambda a, b: a <= b,
        ">": lambda a, b: a > b,
        ">=": lambda a, b: a >= b,
    }
    return lambda row, values: name in row and by[op](_plain(row[name]), values[value])


def _of(row: StoredRow, name: str, default: Any) -> Any:
    return _plain(row[name]) if name in row else default
