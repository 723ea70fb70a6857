"""Saved views: worklists with filters and an order that a member keeps under a name, or shares with the organization.

A view has no search text, because that can be a patient's name.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

MAX_VIEWS = 20
"""How many views a member keeps, and how many an organization shares. A longer menu is hard to use."""

MAX_NAME = 40
"""How long the name of a view is: one line of the menu on a phone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedView:
    """A worklist under a name.

    `query` has the parameters of a list that are set, as JSON values: a list where a filter has several values.
    """

    name: str
    query: Mapping[str, str | bool | list[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedViews:
    """The views of a member, or those that an organization shares, in the order of the menu.

    `version` increases by one with each write; 0 if nothing was ever saved.
    """

    views: Sequence[SavedView] = ()
    version: int = 0


def find_repeated_name(views: Sequence[SavedView]) -> int | None:
    """Find the first view that has the name of an earlier one, ignoring case. Return its place."""
    seen: set[str] = set()
    for place, view in enumerate(views):
        name = view.name.casefold()
        if name in seen:
            return place
        seen.add(name)
    return None
