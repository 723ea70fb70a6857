"""What DynamoDB charges for reads and writes, by its documented rules.

Source: DynamoDB Developer Guide, "On-demand capacity mode", "Item sizes and formats", "Managing
transactions" and "Global secondary indexes, provisioned throughput". No local imitation of
DynamoDB counts this correctly.
"""

import math
from base64 import b64decode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Attributes = Mapping[str, Mapping[str, Any]]

_WRITE_UNIT = 1024
_READ_UNIT = 4096


@dataclass(frozen=True, slots=True)
class Index:
    """A global secondary index. `projected` of None is everything."""

    name: str
    keys: frozenset[str]
    projected: frozenset[str] | None

    def entry(self, item: Attributes | None) -> Attributes | None:
        """Return the index entry of an item; nothing if it lacks a key."""
        if not item or not self.keys <= item.keys():
            return None
        if self.projected is None:
            return item
        return {name: value for name, value in item.items() if name in self.projected}


@dataclass(frozen=True, slots=True)
class Schema:
    """A table's key and its indexes."""

    keys: Sequence[str]
    indexes: Sequence[Index]

    @classmethod
    def of(cls, properties: Mapping[str, Any]) -> "Schema":
        """Return the schema that a template's properties describe."""
        keys = _key_names(properties)
        indexes = properties.get("GlobalSecondaryIndexes", ())
        return cls(keys, [_index(each, keys) for each in indexes])

    def key_of(self, item: Attributes) -> Attributes:
        """Return the item's key."""
        return {name: item[name] for name in self.keys}


def compute_item_bytes(item: Attributes | None) -> int:
    """Return the size of an item: its names and its values."""
    return sum(len(name.encode()) + compute_value_bytes(value) for name, value in (item or {}).items())


def compute_value_bytes(value: Mapping[str, Any]) -> int:
    """Return the size of a value in DynamoDB's format. Binary may be base64, as on the wire."""
    ((kind, raw),) = value.items()
    match kind:
        case "S":
            return len(raw.encode())
        case "B":
            return len(raw if isinstance(raw, bytes) else b64decode(raw))
        case "N":
            digits = raw.lstrip("-").replace(".", "").strip("0") or "0"
            return math.ceil(len(digits) / 2) + 1 + raw.startswith("-")
        case "BOOL" | "NULL":
            return 1
        case "L":
            return 3 + sum(1 + compute_value_bytes(each) for each in raw)
    raise TypeError(f"no size known for {kind}")


def compute_read_units(sizes: Iterable[int], *, strong: bool) -> float:
    """Return the cost of reading items together, as in one Query or one GetItem."""
    units = max(1, math.ceil(sum(sizes) / _READ_UNIT))
    return units if strong else units / 2


def compute_write_units(
    before: Attributes | None, after: Attributes | None, schema: Schema, *, transaction: bool
) -> int:
    """Return the cost of a write with its index entries.

    A transaction prepares and commits, so it pays for the item twice. Index entries follow once,
    after it. A refused write pays for the item that exists.
    """
    item = _units(max(compute_item_bytes(before), compute_item_bytes(after)))
    entries = sum(_entry_units(index.entry(before), index.entry(after), index) for index in schema.indexes)
    return item * (2 if transaction else 1) + entries


def _entry_units(before: Attributes | None, after: Attributes | None, index: Index) -> int:
    if before == after:
        return 0
    moved = before and after and any(before[key] != after[key] for key in index.keys)
    if moved:
        return _units(compute_item_bytes(before)) + _units(compute_item_bytes(after))
    return _units(max(compute_item_bytes(before), compute_item_bytes(after)))


def _units(size: int) -> int:
    return max(1, math.ceil(size / _WRITE_UNIT))


def _key_names(properties: Mapping[str, Any]) -> list[str]:
    return [key["AttributeName"] for key in properties["KeySchema"]]


def _index(properties: Mapping[str, Any], table_keys: Sequence[str]) -> Index:
    keys = frozenset(_key_names(properties))
    projection = properties["Projection"]
    if projection["ProjectionType"] == "ALL":
        return Index(properties["IndexName"], keys, None)
    included = projection.get("NonKeyAttributes", ())
    return Index(properties["IndexName"], keys, keys | {*table_keys, *included})
