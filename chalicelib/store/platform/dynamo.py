"""One DynamoDB table, read and written as plain Python values.

Numbers are whole numbers; nothing here needs a fraction. Reads are strongly consistent unless they
use an index. No method scans. A `when` argument makes a conditional write. An item of a newer format is
refused (`store.platform.item_formats`).
"""

import re
from base64 import b64decode
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from chalicelib.aws import ExpectedRefusalError, translate_aws_errors
from chalicelib.store.platform.item_formats import refuse_newer

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

Item = dict[str, Any]
"""An item's attributes as str, int, bool, bytes or lists of str; and what this release cannot read."""


@dataclass(frozen=True, slots=True)
class UnknownValue:
    """A value of a type that no attribute of this release has. It is written as it was read."""

    value: Mapping[str, Any]


_CONDITION_FAILED = frozenset({"ConditionalCheckFailedException"})
_CONDITION_FAILED_OR_CONFLICT = _CONDITION_FAILED | {"TransactionConflictException"}
"""Error codes of a single conditional write that was not made. They are expected; `put` and `update` return False."""


def marshal(item: Mapping[str, Any]) -> dict[str, Any]:
    """Convert plain values to DynamoDB attributes. An attribute that is None is left out."""
    return {name: _encode_value(value) for name, value in item.items() if value is not None}


def unmarshal(item: Mapping[str, Any]) -> Item:
    """Convert DynamoDB attributes to plain values."""
    return {name: _decode_value(value) for name, value in item.items()}


def _encode_value(value: Any) -> dict[str, Any]:
    match value:
        case bool():
            return {"BOOL": value}
        case str():
            # A StrEnum is a str, but the client needs exactly `str`.
            return {"S": str(value)}
        case int():
            return {"N": str(value)}
        case bytes():
            return {"B": value}
        case list() | tuple():
            return {"L": [_encode_value(element) for element in value]}
        case UnknownValue():
            return dict(value.value)
    raise TypeError(f"no attribute type for {type(value).__name__}")


def _decode_value(value: Mapping[str, Any]) -> Any:
    ((kind, raw),) = value.items()
    match kind:
        case "N":
            return int(raw) if _WHOLE_NUMBER.fullmatch(raw) else UnknownValue(value)
        case "B":
            return raw if isinstance(raw, bytes) else b64decode(raw)
        case "L":
            return [_decode_value(element) for element in raw]
        case "S" | "BOOL":
            return raw
    return UnknownValue(_decode_binary(value))


def _decode_binary(value: Mapping[str, Any]) -> Mapping[str, Any]:
    """Decode what is binary inside a value, because every client encodes bytes when it is written."""
    ((kind, raw),) = value.items()
    match kind:
        case "B":
            return {kind: raw if isinstance(raw, bytes) else b64decode(raw)}
        case "BS":
            return {kind: [each if isinstance(each, bytes) else b64decode(each) for each in raw]}
        case "L":
            return {kind: [_decode_binary(each) for each in raw]}
        case "M":
            return {kind: {name: _decode_binary(each) for name, each in raw.items()}}
    return value


_WHOLE_NUMBER = re.compile(r"-?\d+")


@dataclass(frozen=True, slots=True)
class TransactionWrite:
    """One write of a transaction. `name` identifies it in a `ConditionFailedError`."""

    name: str
    request: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class QueryPage:
    """One page of a query. `next_key` continues it; it is None on the last page."""

    items: Sequence[Item]
    next_key: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class DynamoTable:
    """A table by name. `client` returns the shared client; it creates it when first needed.

    Every read raises `NewerItemError` for an item of a format above `newest_format`, unless it says otherwise.
    """

    name: str
    client: Callable[[], "DynamoDBClient"]
    newest_format: int = 1

    def get(self, key: Mapping[str, Any]) -> Item | None:
        """Read one item, strongly consistent."""
        with translate_aws_errors():
            response = self.client().get_item(TableName=self.name, Key=marshal(key), ConsistentRead=True)
        found = response.get("Item")
        return self._read(found) if found else None

    def get_many(self, keys: Sequence[Mapping[str, Any]], *, with_newer: bool = False) -> Sequence[Item]:
        """Read up to 100 items in one call, strongly consistent, in no particular order.

        Keys that DynamoDB leaves unprocessed are requested again until none is left. `with_newer` is that of `query`.
        """
        found = _get_batch([ItemRead(self, key) for key in keys])
        return [self._read(item, with_newer=with_newer) for _, item in found]

    def query(
        self,
        condition: str,
        values: Mapping[str, Any],
        *,
        index: str | None = None,
        where: str | None = None,
        limit: int = 100,
        start: Mapping[str, Any] | None = None,
        newest_first: bool = False,
        with_newer: bool = False,
    ) -> QueryPage:
        """Read items of one partition in the order of their sort key.

        Args:
            condition: A key condition with `:name` placeholders, and `#name` for attributes.
            where: A filter on other attributes, applied after the read.
            limit: The maximum number of items to read, before the filter.
            with_newer: Return items of a newer format too. The caller must not read or write them.
        """
        request: dict[str, Any] = {
            "TableName": self.name,
            "KeyConditionExpression": condition,
            "ExpressionAttributeValues": marshal({f":{k}": v for k, v in values.items()}),
            "Limit": limit,
            "ScanIndexForward": not newest_first,
        }
        names = {f"#{word}" for word in _list_placeholders(f"{condition} {where or ''}")}
        if names:
            request["ExpressionAttributeNames"] = {name: name[1:] for name in sorted(names)}
        request |= {"IndexName": index} if index else {"ConsistentRead": True}
        request |= {"FilterExpression": where} if where else {}
        request |= {"ExclusiveStartKey": marshal(start)} if start else {}
        with translate_aws_errors():
            response = self.client().query(**request)
        last = response.get("LastEvaluatedKey")
        items = [self._read(item, with_newer=with_newer) for item in response.get("Items", [])]
        return QueryPage(items, unmarshal(last) if last else None)

    def query_all(self, condition: str, values: Mapping[str, Any], **options: Any) -> Iterator[Item]:
        """Read all items of one partition, page by page."""
        for page in self.query_pages(condition, values, **options):
            yield from page.items

    def query_pages(self, condition: str, values: Mapping[str, Any], **options: Any) -> Iterator[QueryPage]:
        """Read one partition, page by page."""
        page = self.query(condition, values, **options)
        yield page
        while page.next_key is not None:
            page = self.query(condition, values, start=page.next_key, **options)
            yield page

    def delete(self, key: Mapping[str, Any]) -> None:
        """Delete one item without a transaction, if it exists."""
        with translate_aws_errors():
            self.client().delete_item(TableName=self.name, Key=marshal(key))

    def put(
        self,
        item: Mapping[str, Any],
        *,
        when: str | None = None,
        values: Mapping[str, Any] | None = None,
        may_conflict: bool = False,
    ) -> bool:
        """Write one item without a transaction. Return False when the condition `when` did not hold.

        With `may_conflict`, also return False while a transaction is writing the item.
        """
        expected = _CONDITION_FAILED_OR_CONFLICT if may_conflict else _CONDITION_FAILED
        return self._write_alone("put_item", self.prepare_put("", item, when=when, values=values), "Put", expected)

    def update(
        self,
        key: Mapping[str, Any],
        change: str,
        *,
        when: str,
        values: Mapping[str, Any],
        names: Mapping[str, str] | None = None,
    ) -> bool:
        """Change one item without a transaction. Return False when the condition `when` did not hold.

        Also return False while a transaction is writing the item, because it will no longer be as it
        was read.
        """
        write = self.prepare_update("", key, change, when=when, values=values, names=names)
        return self._write_alone("update_item", write, "Update", _CONDITION_FAILED_OR_CONFLICT)

    def is_newer(self, item: Item) -> bool:
        """Whether a newer release wrote an item, in a format that this release cannot read."""
        return bool(item.get("schema", 1) > self.newest_format)

    def _read(self, stored: Mapping[str, Any], *, with_newer: bool = False) -> Item:
        item = unmarshal(stored)
        if not with_newer:
            refuse_newer(item, newest_format=self.newest_format, table=self.name)
        return item

    def _write_alone(self, call: str, write: TransactionWrite, kind: str, expected: frozenset[str]) -> bool:
        request = dict(write.request[kind])
        request.pop("ReturnValuesOnConditionCheckFailure", None)
        try:
            with translate_aws_errors(expected):
                getattr(self.client(), call)(**request)
        except ExpectedRefusalError:
            return False
        return True

    def prepare_put(
        self, name: str, item: Mapping[str, Any], *, when: str | None = None, values: Mapping[str, Any] | None = None
    ) -> TransactionWrite:
        """Build a put for a transaction. If its condition fails, the error has the item that exists."""
        request: dict[str, Any] = {"TableName": self.name, "Item": marshal(item)}
        names = {f"#{word}": word for word in _list_placeholders(when or "")}
        request |= {"ExpressionAttributeNames": names} if names else {}
        return TransactionWrite(name, {"Put": request | _build_condition(when, values)})

    def prepare_update(
        self,
        name: str,
        key: Mapping[str, Any],
        change: str,
        *,
        when: str | None = None,
        values: Mapping[str, Any],
        names: Mapping[str, str] | None = None,
    ) -> TransactionWrite:
        """Build an update for a transaction. It creates the item if there is none."""
        request: dict[str, Any] = {"TableName": self.name, "Key": marshal(key), "UpdateExpression": change}
        request |= {"ExpressionAttributeNames": dict(names)} if names else {}
        return TransactionWrite(name, {"Update": request | _build_condition(when, values)})

    def prepare_delete(
        self, name: str, key: Mapping[str, Any], *, when: str | None = None, values: Mapping[str, Any] | None = None
    ) -> TransactionWrite:
        """Build a delete for a transaction. Without a condition it also succeeds if the item does not exist."""
        request: dict[str, Any] = {"TableName": self.name, "Key": marshal(key)}
        return TransactionWrite(name, {"Delete": request | _build_condition(when, values)})

    def prepare_check(
        self, name: str, key: Mapping[str, Any], *, when: str, values: Mapping[str, Any]
    ) -> TransactionWrite:
        """Build a condition on an item that the transaction does not write."""
        request = {"TableName": self.name, "Key": marshal(key)}
        return TransactionWrite(name, {"ConditionCheck": request | _build_condition(when, values)})


@dataclass(frozen=True, slots=True)
class ItemRead:
    """A read of one item, for `get_together`."""

    table: DynamoTable
    key: Mapping[str, Any]


def get_together(reads: Sequence[ItemRead]) -> Sequence[Item | None]:
    """Read up to 100 items of several tables in one call, strongly consistent, in the order of `reads`.

    Each costs what it costs alone. A missing item is None. No item may be read twice.
    """
    tables = {read.table.name: read.table for read in reads}
    found: dict[str, list[Item]] = {name: [] for name in tables}
    for name, item in _get_batch(reads):
        found[name].append(tables[name]._read(item))  # noqa: SLF001 the same module
    return [
        next((item for item in found[read.table.name] if all(item[name] == read.key[name] for name in read.key)), None)
        for read in reads
    ]


def _get_batch(reads: Sequence[ItemRead]) -> Iterator[tuple[str, Any]]:
    """Yield the name of the table of each item that exists, and the item as DynamoDB writes it.

    Keys that DynamoDB leaves unprocessed are requested again until none is left.
    """
    request: Any = {read.table.name: {"Keys": [], "ConsistentRead": True} for read in reads}
    for read in reads:
        request[read.table.name]["Keys"].append(marshal(read.key))
    while request:
        with translate_aws_errors():
            response = reads[0].table.client().batch_get_item(RequestItems=request)
        for name, items in response["Responses"].items():
            yield from ((name, item) for item in items)
        request = response.get("UnprocessedKeys")


def _build_condition(when: str | None, values: Mapping[str, Any] | None) -> dict[str, Any]:
    request: dict[str, Any] = {}
    if when:
        request["ConditionExpression"] = when
        request["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
    if values:
        request["ExpressionAttributeValues"] = marshal({f":{k}": v for k, v in values.items()})
    return request


def _list_placeholders(expression: str) -> set[str]:
    return set(re.findall(r"#(\w+)", expression))
