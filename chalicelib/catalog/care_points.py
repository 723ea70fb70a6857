"""Published care points after CAR T: the starting list for a transition-of-care summary.

One reviewed file. It also has the text of the patient's wallet card. A center keeps, rewords, dates or
omits each point. Two published tables differ on how often IgG is measured, so both are offered. The
`as_of` date of a source is the date that it is valid for, or the date it was read if it has none.

If you reword a point but its meaning stays the same, add the old text to its `earlier_texts`. Otherwise stored
summaries say that the center edited the point.

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
    """One care point.

    Attributes:
        days: How many days after the infusion it is first due; `months` counts calendar months instead.
        products: The products that it applies to; empty for all.
        earlier_texts: What earlier releases published as `text`. Stored summaries still have these texts.
    """

    care_point_id: str
    topic: str
    text: str
    source: Source
    days: int | None = None
    months: int | None = None
    products: tuple[str, ...] = ()
    earlier_texts: tuple[str, ...] = ()

    def is_published_text(self, text: str) -> bool:
        """Whether this or an earlier release published the point with exactly this text."""
        return text == self.text or text in self.earlier_texts

    def compute_due_date(self, infused_on: date) -> date | None:
        """The day on which it is first due, if it has one."""
        if self.days is not None:
            return infused_on + timedelta(days=self.days)
        return add_months(infused_on, self.months) if self.months is not None else None


@cache
def load_file() -> Mapping[str, Any]:
    """The whole file."""
    return MappingProxyType(json.loads(_FILE.read_text("utf-8")))


@cache
def load_care_points() -> Mapping[str, CarePoint]:
    """Every care point by id, in the order in which a page lists them."""
    rows = (
        CarePoint(
            care_point_id=row["care_point_id"],
            topic=row["topic"],
            text=row["text"],
            source=get_source(row["source"]),
            **(row["due"] or {}),
            products=tuple(row.get("products", ())),
            earlier_texts=tuple(row.get("earlier_texts", ())),
        )
        for row in load_file()["items"]
    )
    return MappingProxyType({row.care_point_id: row for row in rows})


def list_for_product(product_id: str | None) -> Sequence[CarePoint]:
    """The care points for a product, with which a summary starts."""
    return [p for p in load_care_points().values() if not p.products or product_id in p.products]


def get_source(name: str) -> Source:
    """The source of a row."""
    found: Source = load_file()["sources"][name]
    return found


def compute_irradiated_blood_end(infused_on: date) -> date:
    """The day until which a recipient must at least get irradiated blood products only."""
    return infused_on + timedelta(days=load_file()["irradiated_blood"]["days"])
