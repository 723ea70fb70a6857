"""Convert domain values to JSON text and back, according to their type annotations.

pydantic reads and writes dates, enums, tuples and nested values of plain dataclasses. An adapter
is created when it is first used, so a function that stores nothing does not pay for it.
"""

from functools import cache
from typing import Any, TypeVar, cast

from pydantic import TypeAdapter

_T = TypeVar("_T")


@cache
def _get_adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def to_json(kind: Any, value: Any) -> str:
    """Serialize a value of the type `kind` as JSON."""
    return _get_adapter(kind).dump_json(value).decode()


def from_json(kind: type[_T], text: str | bytes) -> _T:
    """Parse JSON as a value of the type `kind`."""
    value: _T = _get_adapter(cast("Any", kind)).validate_json(text)
    return value
