"""The checks of unfinished values: where they belong, and how much they may contain."""

import json
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from itertools import pairwise
from typing import Any, Protocol, TypeVar, get_args

from pydantic import BaseModel

from chalicelib.domain.referrals.unfinished import MAX_UNFINISHED_CHARS

MAX_POINTER_CHARS = 100


class _Unfinished(Protocol):
    pointer: str
    value: Any


_Values = TypeVar("_Values", bound=Sequence[_Unfinished])


def build_pointer_check(get_model: Callable[[], type[BaseModel]], *, without: frozenset[str]) -> Callable[[str], str]:
    """Build a validator of the place of an unfinished value.

    Args:
        get_model: The request body that has the fields. It is read when a value is checked, because the body
            itself has unfinished values.
        without: The members that have none.
    """

    @cache
    def list_pointers() -> frozenset[str]:
        return frozenset(pointer for pointer in _list_pointers(get_model()) if pointer.split("/")[1] not in without)

    def check(pointer: str) -> str:
        if pointer not in list_pointers():
            raise ValueError("Name a field of the referral, such as /patient/phone.")
        return pointer

    return check


def require_storable(values: _Values) -> _Values:
    """Refuse unfinished values that overlap, are empty, or are longer than a person types."""
    pointers = sorted(each.pointer for each in values)
    for pointer, following in pairwise(pointers):
        if following == pointer or following.startswith(f"{pointer}/"):
            raise ValueError("Name each field once.")
    if any(each.value in (None, "") for each in values):
        raise ValueError("Enter a value, or leave the field out.")
    if sum(len(json.dumps(each.value, ensure_ascii=False)) for each in values) > MAX_UNFINISHED_CHARS:
        raise ValueError(f"Use at most {MAX_UNFINISHED_CHARS:,} characters for all unfinished values.")
    return values


def _list_pointers(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """List the places of the fields of a model. The items of a list have no place of their own."""
    for name, field in model.model_fields.items():
        pointer = f"{prefix}/{name}"
        yield pointer
        for kind in (field.annotation, *get_args(field.annotation)):
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                yield from _list_pointers(kind, pointer)
