"""Keep what a newer release stored and this release does not know.

After a rollback, an older release reads values that a newer one stored. It ignores the members that it does not
know, and must not lose them when it stores the value again. They travel with the value: `dataclasses.replace`
copies them, comparisons ignore them, and `store.platform.codec` reads and writes them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

MEMBER = "unknown_members"
"""The name of the field. It is never stored."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepsUnknown:
    """A stored value that is read, changed, and stored again.

    Attributes:
        unknown_members: What a newer release stored in it, in the shape of the stored value.
    """

    unknown_members: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)


def find_unknown(stored: Mapping[str, Any], known: Mapping[str, Any]) -> dict[str, Any]:
    """Find what a stored value has beyond what this release read of it.

    Args:
        stored: The stored value, as JSON values.
        known: The same value, read and stored by this release.

    Returns:
        JSON values: `new` has the unknown members, and `inner` what is unknown in known members. In a list, each
        element that has some is a pair of what this release knows of it, by which it is found again, and what is
        unknown. Empty if nothing is unknown.
    """
    new = {name: value for name, value in stored.items() if name not in known}
    inner = {name: _find_inner(stored[name], value) for name, value in known.items() if name in stored}
    inner = {name: unknown for name, unknown in inner.items() if unknown}
    return ({"new": new} if new else {}) | ({"inner": inner} if inner else {})


def add_unknown(known: Mapping[str, Any], unknown: Mapping[str, Any]) -> dict[str, Any]:
    """Add what `find_unknown` returned to a value that this release may have changed.

    A member or element that this release removed or replaced takes what was unknown about it with it.
    """
    result = {**known, **{name: value for name, value in unknown.get("new", {}).items() if name not in known}}
    for name, inner in unknown.get("inner", {}).items():
        if name in known:
            result[name] = _add_inner(known[name], inner)
    return result


def _find_inner(stored: Any, known: Any) -> Any:
    if isinstance(stored, dict) and isinstance(known, dict):
        return find_unknown(stored, known)
    if isinstance(stored, list) and isinstance(known, list) and len(stored) == len(known):
        pairs = [[here, _find_inner(there, here)] for there, here in zip(stored, known, strict=True)]
        return [pair for pair in pairs if pair[1]]
    return None


def _add_inner(value: Any, inner: Any) -> Any:
    if isinstance(value, dict) and isinstance(inner, dict):
        return add_unknown(value, inner)
    if isinstance(value, list) and isinstance(inner, list):
        return [_add_to_element(element, inner) for element in value]
    return value


def _add_to_element(element: Any, pairs: Sequence[Sequence[Any]]) -> Any:
    return next((_add_inner(element, unknown) for known, unknown in pairs if known == element), element)
