"""Search the center directory. Only the criteria decide; the search does not rank or recommend a center."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Any, NamedTuple

from chalicelib import zip_codes
from chalicelib.domain.centers.geo import Point
from chalicelib.domain.centers.nearest import DistanceRank, NamedPlace, NearestIndex, rank_by_distance
from chalicelib.store.identity.tenants import Center, Tenants

CACHED_SELECTIONS = 64
"""How many sorted selections are cached. With 10,000 centers, each takes about 3 MB at most."""

ALL_AGES = "all"
"""The age group of a center that treats adults and children."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CenterCriteria:
    """What a center must offer; None means no condition.

    Attributes:
        age_group: `adult` or `pediatric`.
        payer: Part of the name of a payer; the center is in its network.
        words: Part of the center's name, city or state.
    """

    product: str | None = None
    disease: str | None = None
    age_group: str | None = None
    accepting: bool | None = None
    payer: str | None = None
    words: str | None = None


class CenterPosition(NamedTuple):
    """The last center of a page: its distance in tenths of a mile (0 in a list by name), name and id."""

    tenths: int
    name: str
    center_id: str


class CenterMatch(NamedTuple):
    """A center, and its distance if the search has an origin."""

    center: Center
    miles: float | None
    position: CenterPosition


@dataclass(frozen=True, slots=True)
class _Selection:
    """The centers that match, in the order of their names, and their locations."""

    centers: Mapping[str, Center]
    near: NearestIndex


@dataclass(slots=True)
class CenterSearch:
    """Searches the directory that `tenants` keeps in memory. It does not query a database itself."""

    tenants: Tenants
    _directory: Mapping[str, Center] = field(default_factory=dict)
    _points: Mapping[str, Point | None] = field(default_factory=dict)
    _selections: dict[CenterCriteria, _Selection] = field(default_factory=dict)

    def list_by_name(
        self,
        criteria: CenterCriteria,
        *,
        limit: int,
        after: CenterPosition | None = None,
        origin: Point | None = None,
        within_miles: float = inf,
    ) -> Sequence[CenterMatch]:
        """The next `limit` centers in the order of their names, then ids."""
        found = []
        for center in self._get_selection(criteria).centers.values():
            position = CenterPosition(0, center.tenant.name, center.center_id)
            if after and position <= after:
                continue
            miles = self._compute_miles(center, origin)
            if origin and (miles is None or miles > within_miles):
                continue
            found.append(CenterMatch(center, miles, position))
            if len(found) == limit:
                break
        return found

    def list_by_distance(
        self,
        criteria: CenterCriteria,
        *,
        limit: int,
        origin: Point,
        within_miles: float = inf,
        after: CenterPosition | None = None,
    ) -> Sequence[CenterMatch]:
        """The next `limit` centers by straight-line distance, then name, then id.

        A center whose ZIP code has no location is found only by name.
        """
        selection = self._get_selection(criteria)
        ranks = selection.near.find_nearest(
            origin, count=limit, within_miles=within_miles, after=DistanceRank(*after) if after else None
        )
        return [
            CenterMatch(selection.centers[rank.place_id], rank.tenths / 10, CenterPosition(*rank)) for rank in ranks
        ]

    def find_point(self, center: Center) -> Point | None:
        """The location of a center of the directory."""
        return self._points.get(center.center_id)

    def _compute_miles(self, center: Center, origin: Point | None) -> float | None:
        at = self._points[center.center_id]
        if origin is None or at is None:
            return None
        return rank_by_distance(NamedPlace("", "", at), origin).tenths / 10

    def _get_selection(self, criteria: CenterCriteria) -> _Selection:
        directory = self.tenants.list_centers()
        if directory is not self._directory:
            self._directory, self._selections = directory, {}
            self._points = {center.center_id: _find_point(center) for center in directory.values()}
        selection = self._selections.get(criteria)
        if selection is None:
            selection = self._build_selection(criteria)
            if len(self._selections) >= CACHED_SELECTIONS:
                self._selections.clear()
            self._selections[criteria] = selection
        return selection

    def _build_selection(self, criteria: CenterCriteria) -> _Selection:
        centers = {
            center_id: center for center_id, center in self._directory.items() if matches_criteria(center, criteria)
        }
        places = (
            NamedPlace(center.tenant.name, center_id, at)
            for center_id, center in centers.items()
            if (at := self._points[center_id])
        )
        return _Selection(centers, NearestIndex(places))


def matches_criteria(center: Center, criteria: CenterCriteria) -> bool:
    """Whether a center is listed and matches all criteria."""
    facts = center.listing
    return (
        facts.get("listed", True)
        and criteria.accepting in (None, facts.get("accepts_new", False))
        and any(_offer_matches(offer, criteria) for offer in facts.get("products") or [{}])
        and _contains_words(criteria.words, center.tenant.name, facts.get("city", ""), facts.get("state", ""))
        and _is_in_network(facts.get("payer_networks", []), criteria.payer)
    )


def _offer_matches(offer: Mapping[str, Any], criteria: CenterCriteria) -> bool:
    return (
        criteria.product in (None, offer.get("product_id"))
        and (criteria.disease is None or criteria.disease in offer.get("diseases", []))
        and (criteria.age_group is None or offer.get("age_group") in (criteria.age_group, ALL_AGES))
    )


def _is_in_network(networks: Sequence[Mapping[str, str]], payer: str | None) -> bool:
    return payer is None or any(_contains_words(payer, network["payer"]) for network in networks)


def _contains_words(search_words: str | None, *texts: str) -> bool:
    return not search_words or search_words.casefold() in " ".join(texts).casefold()


def _find_point(center: Center) -> Point | None:
    try:
        return zip_codes.find_zip_point(center.listing.get("zip", ""))
    except ValueError:
        return None
