"""Patches for what moto does too slowly, or not safely, for so many tests; its responses stay the same."""

from collections import defaultdict
from functools import wraps
from threading import RLock
from typing import Any

from moto.core.botocore_stubber import BotocoreStubber
from moto.core.serialize import BaseJSONSerializer
from moto.dynamodb.models.dynamo_type import DynamoType, Item, LimitedSizeDict
from moto.dynamodb.models.table import Table

_IN_MOTO = RLock()
_PLAIN = frozenset({"S", "B", "BOOL"})


def patch_moto() -> None:
    """Make moto faster, and safe for threads. A second call changes nothing."""
    moto: Any = BotocoreStubber
    if hasattr(moto.process_request, "__wrapped__"):
        return
    moto.process_request = _one_at_a_time(moto.process_request)
    table: Any = Table
    table.__deepcopy__, table.all_items = _copy_of_table, _sorted_rows
    row: Any = Item
    row.__deepcopy__ = _copy_of_row
    value: Any = DynamoType
    value.cast_value = property(_quickly(value.cast_value.fget))
    answer: Any = BaseJSONSerializer
    answer._serialize_type_structure = _of_one_type(answer._serialize_type_structure)


def _one_at_a_time(process: Any) -> Any:
    """Let requests of threads take turns: moto walks through tables while other threads change them."""

    @wraps(process)
    def alone(*args: Any) -> Any:
        with _IN_MOTO:
            return process(*args)

    return alone


def _copy_of_table(table: Any, _memo: Any) -> Any:
    """Return what a refused transaction restores; moto copies whole tables for it, value by value.

    Attributes are only ever replaced, so copies can share the values, and the rest of the table.
    """
    copy = table.__class__.__new__(table.__class__)
    copy.__dict__.update(table.__dict__)
    copy.items = defaultdict(dict)
    for key, held in table.items.items():
        copy.items[key] = (
            {each: _copy_of_row(row) for each, row in held.items()} if table.range_key_attr else _copy_of_row(held)
        )
    return copy


def _copy_of_row(row: Any, _memo: Any = None) -> Any:
    copy: Any = Item.__new__(Item)
    copy.hash_key, copy.range_key = row.hash_key, row.range_key
    copy.attrs = LimitedSizeDict.__new__(LimitedSizeDict)
    dict.update(copy.attrs, row.attrs)
    return copy


def _sorted_rows(table: Any) -> list[Any]:
    """Return all rows by their keys, which moto unwraps again for each comparison."""
    if not table.range_key_attr:
        return sorted(table.items.values(), key=lambda row: row.hash_key.cast_value)
    rows = [row for held in table.items.values() for row in held.values()]
    return sorted(rows, key=lambda row: (row.hash_key.cast_value, row.range_key.cast_value))


def _quickly(cast: Any) -> Any:
    """Convert a value to Python; moto first asks of each string whether it is anything else."""
    return lambda value: value.value if value.type in _PLAIN else cast(value)


def _of_one_type(serialize: Any) -> Any:
    """Convert a stored value for a response: moto looks for each type that it might have."""

    @wraps(serialize)
    def result(self: Any, serialized: Any, value: Any, shape: Any, key: str) -> None:
        if shape.name != "AttributeValue" or type(value) is not dict or len(value) != 1:
            serialize(self, serialized, value, shape, key)
            return
        [(kind, held)] = value.items()
        wrapper: dict[str, Any] = {}
        self._serialize(wrapper, held, shape.members[kind], kind)
        self._default_serialize(serialized, wrapper, shape, key)

    return result
