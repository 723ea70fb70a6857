"""JSON, as strictly as RFC 8259 allows a reader to be.

Python's parser accepts NaN, keeps the last of duplicate keys, lets lone surrogates through and
fails in its own ways on deep nesting. Each of these becomes one clear refusal here.
"""

import json
from typing import Any

from chalicelib.errors import MalformedError, PayloadTooLargeError

MAX_BYTES = 128 * 1024
"""A referral with thirty lines of therapy and long notes has about 20 KB."""

MAX_DEPTH = 16
"""The deepest value of the contract is 5 levels down."""

MAX_DIGITS = 15
"""Every number of the contract fits; with more digits a float is no longer exact."""


def parse_json(raw: bytes, *, limit: int = MAX_BYTES) -> Any:
    """Parse `raw` as one JSON value.

    Raises:
        PayloadTooLargeError: more than `limit` bytes.
        MalformedError: not JSON, or JSON that two readers could understand differently.
    """
    if len(raw) > limit:
        raise PayloadTooLargeError("too_large", f"The request body is too large. The limit is {limit:,} bytes.")
    try:
        value = json.loads(
            raw.decode("utf-8"),
            object_pairs_hook=_reject_duplicate_keys,
            parse_constant=_reject_constant,
            parse_int=_parse_int,
            parse_float=_parse_float,
        )
    except UnicodeDecodeError as e:
        raise MalformedError("not_utf8", "The request body is not valid UTF-8.") from e
    except RecursionError as e:
        raise _build_depth_error() from e
    except ValueError as e:
        raise MalformedError("not_json", "The request body is not valid JSON.") from e
    _check_depth_and_text(value)
    return value


def _reject_duplicate_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise MalformedError("duplicate_key", "A JSON object in the body repeats a key.")
    return value


def _reject_constant(_name: str) -> None:
    raise MalformedError("not_json", "NaN and Infinity are not valid JSON.")


def _parse_int(digits: str) -> int:
    if len(digits.lstrip("-")) > MAX_DIGITS:
        raise _build_digits_error()
    return int(digits)


def _parse_float(digits: str) -> float:
    value = float(digits)
    if len(digits) > MAX_DIGITS * 2 or abs(value) >= 10**MAX_DIGITS:
        raise _build_digits_error()
    return value


def _check_depth_and_text(value: Any) -> None:
    """Refuse deep nesting and text that is not valid Unicode, without recursion of our own."""
    level = [value]
    for _ in range(MAX_DEPTH):
        next_level: list[Any] = []
        for item in level:
            if isinstance(item, str):
                _check_text(item)
            elif isinstance(item, dict):
                next_level += [*item.keys(), *item.values()]
            elif isinstance(item, list):
                next_level += item
        if not next_level:
            return
        level = next_level
    raise _build_depth_error()


def _check_text(text: str) -> None:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as e:
        raise MalformedError("not_text", "A string in the body contains an unpaired surrogate.") from e


def _build_digits_error() -> MalformedError:
    return MalformedError("number_too_long", f"A number has too many digits. The limit is {MAX_DIGITS}.")


def _build_depth_error() -> MalformedError:
    return MalformedError("too_deep", f"The body is nested too deeply. The limit is {MAX_DEPTH} levels.")
