"""JSON as strictly as RFC 8259 allows us to read it.

Python's parser takes NaN, keeps the last of duplicate keys, lets lone surrogates through and
fails in its own ways on deep nesting. Each of these ends here as one clear refusal.
"""

import json
from typing import Any

from chalicelib.errors import MalformedError, PayloadTooLargeError

MAX_BYTES = 128 * 1024
"""A referral with thirty lines of therapy and long notes has about 20 KB."""

MAX_DEPTH = 16
"""The contract's deepest value lies 5 levels down."""

MAX_DIGITS = 15
"""Any number of the contract fits; beyond this a float is no longer exact."""


def parse_json(raw: bytes, *, limit: int = MAX_BYTES) -> Any:
    """The value that `raw` spells.

    Raises:
        TooLargeError: more than `limit` bytes.
        MalformedError: not JSON, or JSON that two readers could understand differently.
    """
    if len(raw) > limit:
        raise PayloadTooLargeError("too_large", f"A body may have {limit} bytes.")
    try:
        value = json.loads(
            raw.decode("utf-8"),
            object_pairs_hook=_reject_duplicate_keys,
            parse_constant=_reject_constant,
            parse_int=_parse_int,
            parse_float=_parse_float,
        )
    except UnicodeDecodeError as e:
        raise MalformedError("not_utf8", "The body is not UTF-8.") from e
    except RecursionError as e:
        raise _build_depth_error() from e
    except ValueError as e:
        raise MalformedError("not_json", "The body is not JSON.") from e
    _check_depth_and_text(value)
    return value


def _reject_duplicate_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise MalformedError("duplicate_key", "An object of the body has a key twice.")
    return found


def _reject_constant(_name: str) -> None:
    raise MalformedError("not_json", "NaN and Infinity are not JSON.")


def _parse_int(digits: str) -> int:
    if len(digits.lstrip("-")) > MAX_DIGITS:
        raise MalformedError("number_too_long", f"A number may have {MAX_DIGITS} digits.")
    return int(digits)


def _parse_float(digits: str) -> float:
    value = float(digits)
    if len(digits) > MAX_DIGITS * 2 or abs(value) >= 10**MAX_DIGITS:
        raise MalformedError("number_too_long", f"A number may have {MAX_DIGITS} digits.")
    return value


def _check_depth_and_text(value: Any) -> None:
    """Refuse what is too deep and what is no text, without recursion of our own."""
    level = [value]
    for _ in range(MAX_DEPTH):
        below: list[Any] = []
        for each in level:
            if isinstance(each, str):
                _check_text(each)
            elif isinstance(each, dict):
                below += [*each.keys(), *each.values()]
            elif isinstance(each, list):
                below += each
        if not below:
            return
        level = below
    raise _build_depth_error()


def _check_text(text: str) -> None:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as e:
        raise MalformedError("not_text", "A text of the body has half a character.") from e


def _build_depth_error() -> MalformedError:
    return MalformedError("too_deep", f"A body may be {MAX_DEPTH} levels deep.")
