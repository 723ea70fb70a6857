"""Domain values as JSON text and back, by their own annotations.

pydantic reads and writes dates, enums, tuples and nested values of plain dataclasses. Its
adapters are made when first used; a function that stores nothing does not pay for them.
"""

from functools import cache
from typing import Any, TypeVar, cast

from pydantic import TypeAdapter

_T = TypeVar("_T")


@cache
def _get_adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def to_json(kind: Any, value: Any) -> str:
    """A value of `kind` as JSON."""
    return _get_adapter(kind).dump_json(value).decode()


def from_json(kind: type[_T], text: str | bytes) -> _T:
    """The value of `kind` that JSON stands for."""
    value: _T = _get_adapter(cast("Any", kind)).validate_json(text)
    return value
