"""Finding a center in the directory: what was asked for decides, and no center is put forward."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Any, NamedTuple

from chalicelib import gazetteer
from chalicelib.domain.centers.geo import Point
from chalicelib.domain.centers.nearest import Neighbourhood, Place, Rank, rank_of
from chalicelib.store.identity.members_and_tenants import Center, Tenants

KEPT_SELECTIONS = 64
"""Selections kept sorted. With 10,000 centers each takes some 3 MB at most."""

EVERYONE = "all"
"""The age group of a center that treats adults and children."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a center has to offer; None is of no matter.

    Attributes:
        age_group: `adult` or `pediatric`.
        payer: A part of the name of a payer whose network it is in.
        words: A part of its name, city or state.
    """

    product: str | None = None
    disease: str | None = None
    age_group: str | None = None
    accepting: bool | None = None
    payer: str | None = None
    words: str | None = None


class Position(NamedTuple):
    """The last center of a page: its distance in tenths of a mile, 0 by name; name; id."""

    tenths: int
    name: str
    center_id: str


class Found(NamedTuple):
    """A center, and how far away it is where that was asked."""

    center: Center
    miles: float | None
    position: Position


@dataclass(frozen=True, slots=True)
class _Selection:
    """The centers that fit, in the order of their names, and where they are."""

    centers: Mapping[str, Center]
    near: Neighbourhood


@dataclass(slots=True)
class Finder:
    """Searches the directory that `tenants` keeps in memory; asks no database by itself."""

    tenants: Tenants
    _directory: Mapping[str, Center] = field(default_factory=dict)
    _points: Mapping[str, Point | None] = field(default_factory=dict)
    _selections: dict[Wanted, _Selection] = field(default_factory=dict)

    def by_name(
        self,
        wanted: Wanted,
        *,
        limit: int,
        after: Position | None = None,
        origin: Point | None = None,
        within_miles: float = inf,
    ) -> Sequence[Found]:
        """The next `limit` centers in the order of their names, then ids."""
        found = []
        for center in self._selected(wanted).centers.values():
            position = Position(0, center.tenant.name, center.center_id)
            if after and position <= after:
                continue
            miles = self._miles(center, origin)
            if origin and (miles is None or miles > within_miles):
                continue
            found.append(Found(center, miles, position))
            if len(found) == limit:
                break
        return found

    def by_distance(
        self,
        wanted: Wanted,
        *,
        limit: int,
        origin: Point,
        within_miles: float = inf,
        after: Position | None = None,
    ) -> Sequence[Found]:
        """The next `limit` centers by straight-line distance, then name, then id.

        A center whose ZIP code has no place is found by name alone.
        """
        selection = self._selected(wanted)
        ranks = selection.near.nearest(
            origin,
            count=limit,
            within_miles=within_miles,
            after=Rank(*after) if after else None,
        )
        return [
            Found(selection.centers[rank.place_id], rank.tenths / 10, Position(*rank))
            for rank in ranks
        ]

    def point_of(self, center: Center) -> Point | None:
        """Where a center of the directory is."""
        return self._points.get(center.center_id)

    def _miles(self, center: Center, origin: Point | None) -> float | None:
        at = self._points[center.center_id]
        if origin is None or at is None:
            return None
        return rank_of(Place("", "", at), origin).tenths / 10

    def _selected(self, wanted: Wanted) -> _Selection:
        directory = self.tenants.centers()
        if directory is not self._directory:
            self._directory, self._selections = directory, {}
            self._points = {each.center_id: _point(each) for each in directory.values()}
        known = self._selections.get(wanted)
        if known is None:
            known = self._select(wanted)
            if len(self._selections) >= KEPT_SELECTIONS:
                self._selections.clear()
            self._selections[wanted] = known
        return known

    def _select(self, wanted: Wanted) -> _Selection:
        centers = {
            center_id: center
            for center_id, center in self._directory.items()
            if fits(center, wanted)
        }
        places = (
            Place(center.tenant.name, center_id, at)
            for center_id, center in centers.items()
            if (at := self._points[center_id])
        )
        return _Selection(centers, Neighbourhood(places))


def fits(center: Center, wanted: Wanted) -> bool:
    """Whether a center is listed and offers what is wanted."""
    facts = center.facts
    return (
        facts.get("listed", True)
        and wanted.accepting in (None, facts.get("accepts_new", False))
        and any(_offers(offer, wanted) for offer in facts.get("products") or [{}])
        and _holds(wanted.words, center.tenant.name, facts.get("city", ""), facts.get("state", ""))
        and _in_network(facts.get("payer_networks", []), wanted.payer)
    )


def _offers(offer: Mapping[str, Any], wanted: Wanted) -> bool:
    return (
        wanted.product in (None, offer.get("product_id"))
        and (wanted.disease is None or wanted.disease in offer.get("diseases", []))
        and (wanted.age_group is None or offer.get("age_group") in (wanted.age_group, EVERYONE))
    )


def _in_network(networks: Sequence[Mapping[str, str]], payer: str | None) -> bool:
    return payer is None or any(_holds(payer, network["payer"]) for network in networks)


def _holds(words: str | None, *texts: str) -> bool:
    return not words or words.casefold() in " ".join(texts).casefold()


def _point(center: Center) -> Point | None:
    try:
        return gazetteer.point_of(center.facts.get("zip", ""))
    except ValueError:
        return None
