"""Unfinished values: what a person typed into a draft and the rules refused, kept until it is corrected.

A form that loses "12" because it is not a phone number loses what the person knew. Unfinished values belong to
the draft and are encrypted with it. They are no facts: nothing is computed from them, no center sees them, and
a draft that has one cannot be submitted.
"""

from collections.abc import Mapping, Sequence
from typing import Any

UNFINISHED = "unfinished"
"""The member of a draft's details that has them: a list of objects with `pointer` and `value`."""

MAX_UNFINISHED = 40
"""How many a draft can have: more than the fields that a person can enter without a valid value."""

MAX_UNFINISHED_CHARS = 20_000
"""The length of all of them as JSON. The longest section, 30 lines of therapy, has some 15,000."""


def settle_unfinished(before: Mapping[str, Any], after: Mapping[str, Any], *, is_sent: bool) -> dict[str, Any]:
    """Remove the unfinished values that a change of a draft has settled.

    Args:
        before: The draft's details before the change; empty for a new draft.
        after: Its details after the change.
        is_sent: Whether the change lists what is unfinished now. Otherwise a value is settled as soon as its
            field has another value than before.

    Returns:
        The details after the change. Without unfinished values, they have no such member.
    """
    rest = {name: value for name, value in after.items() if name != UNFINISHED}
    values = list_unfinished(after)
    if not is_sent:
        values = [each for each in values if not _is_settled(each["pointer"], before, after)]
    return {**rest, UNFINISHED: values} if values else rest


def list_unfinished(details: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """List the unfinished values of a draft."""
    return list(details.get(UNFINISHED) or ())


def _is_settled(pointer: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    value = _read(after, pointer)
    return value not in (None, "", [], {}) and value != _read(before, pointer)


def _read(details: Mapping[str, Any], pointer: str) -> Any:
    value: Any = details
    for step in pointer.removeprefix("/").split("/"):
        value = value.get(step) if isinstance(value, Mapping) else None
    return value
