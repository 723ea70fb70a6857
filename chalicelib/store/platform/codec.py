"""Convert domain values to JSON text and back, according to their type annotations.

pydantic reads and writes dates, enums, tuples and nested values of plain dataclasses. An adapter
is created when it is first used, so a function that stores nothing does not pay for it.

Members that a newer release added are kept in values that are stored again (`KeepsUnknown`).
"""

import json
from collections.abc import Mapping
from dataclasses import replace
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
    text: str = _get_adapter(kind).dump_json(value).decode().replace(_NOTHING_UNKNOWN, "")
    return to_compact_json(_put_unknown_back(json.loads(text))) if f'"{MEMBER}":' in text else text


def from_json(kind: type[_T], text: str | bytes) -> _T:
    """Parse JSON as a value of the type `kind`."""
    value: _T = _get_adapter(cast("Any", kind)).validate_json(text)
    if isinstance(value, KeepsUnknown):
        return cast("_T", _with_unknown(kind, value, text))
    return value


def to_compact_json(value: Any) -> str:
    """Serialize JSON values as they are stored."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _with_unknown(kind: Any, value: KeepsUnknown, text: str | bytes) -> KeepsUnknown:
    known = to_json(kind, value)
    if known == (text if isinstance(text, str) else text.decode()):
        return value
    unknown = find_unknown(json.loads(text), json.loads(known))
    return replace(value, unknown_members=unknown) if unknown else value


def _put_unknown_back(value: Any) -> Any:
    """Replace the field of `KeepsUnknown` by its content, in the value and in the values within it."""
    if isinstance(value, list):
        return [_put_unknown_back(each) for each in value]
    if not isinstance(value, Mapping):
        return value
    members = {name: _put_unknown_back(each) for name, each in value.items() if name != MEMBER}
    return add_unknown(members, value.get(MEMBER, {}))
