"""Convert domain values to JSON text and back, according to their type annotations.

pydantic reads and writes dates, enums, tuples and nested values of plain dataclasses. An adapter
is created when it is first used, so a function that stores nothing does not pay for it.

There are two stored forms, and both can be read. `to_json` writes every field. `to_sparse_json` omits each field that
has its default value. Never change such a default: it would change what the stored rows mean.

Members that a newer release added are kept in values that are stored again (`KeepsUnknown`).
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from functools import cache
from typing import Any, TypeVar, cast

from pydantic import TypeAdapter

from chalicelib.domain.platform.kept_unknown import MEMBER, KeepsUnknown, add_unknown, find_unknown

_T = TypeVar("_T")

_NOTHING_UNKNOWN = f'"{MEMBER}":{{}},'
"""The empty field in JSON. It comes first, and no string contains it, because quotes within strings are escaped."""


@cache
def _get_adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def to_json(kind: Any, value: Any) -> str:
    """Serialize a value of the type `kind` as JSON."""
    return _to_text(kind, value, is_sparse=False)


def to_sparse_json(kind: Any, value: Any) -> str:
    """Serialize a value as JSON without the members that have their default. `tests` pin the defaults of such types."""
    return _to_text(kind, value, is_sparse=True)


def to_members(kind: Any, value: Any) -> dict[str, Any]:
    """Convert a value to JSON values, as a part of a larger one."""
    members: dict[str, Any] = json.loads(to_json(kind, value))
    return members


def to_sparse_members(kind: Any, value: Any) -> dict[str, Any]:
    """Convert a value to JSON values without the members that have their default."""
    members: dict[str, Any] = json.loads(to_sparse_json(kind, value))
    return members


def from_json(kind: type[_T], text: str | bytes) -> _T:
    """Parse JSON as a value of the type `kind`."""
    value: _T = _get_adapter(cast("Any", kind)).validate_json(text)
    if not isinstance(value, KeepsUnknown):
        return value
    stored = text if isinstance(text, str) else text.decode()
    if stored in (to_sparse_json(kind, value), to_json(kind, value)):
        return value
    return cast("_T", _with_unknown(kind, value, json.loads(stored)))


def from_members(kind: type[_T], members: Mapping[str, Any]) -> _T:
    """Convert JSON values that `to_members` returned."""
    value: _T = _get_adapter(cast("Any", kind)).validate_python(members)
    return cast("_T", _with_unknown(kind, value, members)) if isinstance(value, KeepsUnknown) else value


def to_compact_json(value: Any) -> str:
    """Serialize JSON values as they are stored."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _to_text(kind: Any, value: Any, *, is_sparse: bool) -> str:
    # A part that equals its default may still carry members that a newer release stored.
    is_sparse = is_sparse and not any(
        isinstance(part, KeepsUnknown) and part.unknown_members for part in _list_parts(value)
    )
    text: str = _get_adapter(kind).dump_json(value, exclude_defaults=is_sparse).decode().replace(_NOTHING_UNKNOWN, "")
    return to_compact_json(_to_all_members(kind, value)) if f'"{MEMBER}":' in text else text


def _list_parts(value: Any) -> Iterator[Any]:
    return (getattr(value, field.name) for field in fields(value))


def _with_unknown(kind: Any, value: KeepsUnknown, stored: Mapping[str, Any]) -> KeepsUnknown:
    unknown = find_unknown(stored, _to_all_members(kind, value))
    return replace(value, unknown_members=unknown) if unknown else value


def _to_all_members(kind: Any, value: Any) -> Any:
    """Convert a value to JSON values with all its members, by which those that are not known are found again."""
    return _put_unknown_back(_get_adapter(kind).dump_python(value, mode="json"))


def _put_unknown_back(value: Any) -> Any:
    """Replace the field of `KeepsUnknown` by its content, in the value and in the values within it."""
    if isinstance(value, list):
        return [_put_unknown_back(each) for each in value]
    if not isinstance(value, Mapping):
        return value
    members = {name: _put_unknown_back(each) for name, each in value.items() if name != MEMBER}
    return add_unknown(members, value.get(MEMBER, {}))
