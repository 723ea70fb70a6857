"""Published points of care after CAR T: what a hand-back package starts from, and the card's words.

One reviewed file. A center keeps, words anew, dates or leaves out each point; two published
tables differ on how often IgG is measured, so both are offered. `as_of` of a source is the day it
speaks for, or the day it was read where it bears none.

Source: the tables and notices that each row names, read by 2026-11-23.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from chalicelib.domain.eligibility.calendar_months import add_months

Source = Mapping[str, str | None]

_FILE = Path(__file__).with_name("care_points.json")


@dataclass(frozen=True, slots=True, kw_only=True)
class CarePoint:
    """One thing to look after.

    Attributes:
        days: How long after the infusion it is first due, in days or in calendar `months`.
        products: The products that it is about; empty for all.
    """

    care_point_id: str
    topic: str
    text: str
    source: Source
    days: int | None = None
    months: int | None = None
    products: tuple[str, ...] = ()

    def compute_due_date(self, infused_on: date) -> date | None:
        """The day on which it is first due, where it has one."""
        if self.days is not None:
            return infused_on + timedelta(days=self.days)
        return add_months(infused_on, self.months) if self.months is not None else None


@cache
def load_file() -> Mapping[str, Any]:
    """The whole file."""
    return MappingProxyType(json.loads(_FILE.read_text("utf-8")))


@cache
def load_care_points() -> Mapping[str, CarePoint]:
    """Every point by id, in the order in which a page lists them."""
    rows = (
        CarePoint(
            care_point_id=row["care_point_id"],
            topic=row["topic"],
            text=row["text"],
            source=get_source(row["source"]),
            **(row["due"] or {}),
            products=tuple(row.get("products", ())),
        )
        for row in load_file()["items"]
    )
    return MappingProxyType({row.care_point_id: row for row in rows})


def list_for_product(product_id: str | None) -> Sequence[CarePoint]:
    """The points that a package for a product starts from."""
    return [p for p in load_care_points().values() if not p.products or product_id in p.products]


def get_source(name: str) -> Source:
    """What a row was read from."""
    found: Source = load_file()["sources"][name]
    return found


def compute_irradiated_blood_end(infused_on: date) -> date:
    """Until when at least a recipient is given irradiated blood products only."""
    return infused_on + timedelta(days=load_file()["irradiated_blood"]["days"])
