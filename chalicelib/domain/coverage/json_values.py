"""Reads values of someone else's JSON: a missing one is None, and one of another type is an error."""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from chalicelib.domain.coverage.answer_error import AnswerError, AnswerFlaw

JsonObject = Mapping[str, Any]

_NUMBER = re.compile(r"-?(\d{1,18}\.?\d{0,18}|\.\d{1,18})", re.ASCII)
_DAY = re.compile(r"(\d{4})-?(\d{2})-?(\d{2})", re.ASCII)
_HIDDEN = re.compile("[\x00-\x1f\x7f\ud800-\udfff]+")


def parse_object(raw: bytes) -> JsonObject:
    """Parse a document that must be one object.

    Raises:
        AnswerError: it is not JSON, or another type.
    """
    if not raw.strip():
        raise AnswerError(AnswerFlaw.EMPTY)
    try:
        document = json.loads(raw, parse_float=Decimal, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as e:
        raise AnswerError(AnswerFlaw.JSON) from e
    return _require_object(document)


def _refuse_constant(_name: str) -> None:
    raise AnswerError(AnswerFlaw.JSON)


def get_object(values: JsonObject, name: str) -> JsonObject:
    """An object; an empty one if it is missing."""
    value = values.get(name)
    return {} if value is None else _require_object(value)


def get_objects(values: JsonObject, name: str) -> Sequence[JsonObject]:
    """A list of objects; an empty one if it is missing."""
    return [_require_object(each) for each in _get_list(values, name)]


def get_text(values: JsonObject, name: str) -> str | None:
    """A text without hidden characters. A number counts as its text, because formats differ in codes and ids."""
    value = values.get(name)
    if value is None:
        return None
    return _read_text(value) or None


def get_texts(values: JsonObject, name: str) -> tuple[str, ...]:
    """A list of texts; an empty one if it is missing."""
    return tuple(text for each in _get_list(values, name) if (text := _read_text(each)))


def get_number(values: JsonObject, name: str) -> Decimal | None:
    """A number, or a text that holds one."""
    text = get_text(values, name)
    if text is None:
        return None
    if not _NUMBER.fullmatch(text):
        raise AnswerError(AnswerFlaw.NUMBER)
    return Decimal(text)


def get_day(values: JsonObject, name: str) -> date | None:
    """A day as "20260101" or "2026-01-01"."""
    text = get_text(values, name)
    return parse_day(text) if text else None


def parse_day(text: str) -> date:
    """Parse a day.

    Raises:
        AnswerError: it is none.
    """
    found = _DAY.fullmatch(text)
    try:
        return date(*map(int, found.groups())) if found else _refuse_date()
    except ValueError:
        return _refuse_date()


def _refuse_date() -> date:
    raise AnswerError(AnswerFlaw.DATE)


def _read_text(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise AnswerError(AnswerFlaw.JSON_SHAPE)
    return _HIDDEN.sub(" ", str(value)).strip()


def _get_list(values: JsonObject, name: str) -> Sequence[Any]:
    value = values.get(name)
    if value is None:
        return []
    if not isinstance(value, list):
        raise AnswerError(AnswerFlaw.JSON_SHAPE)
    return value


def _require_object(value: Any) -> JsonObject:
    if not isinstance(value, dict):
        raise AnswerError(AnswerFlaw.JSON_SHAPE)
    return value
