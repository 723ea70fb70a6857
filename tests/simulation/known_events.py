"""What becomes known about a referral in a year, as a person would describe it: what, and when.

Nothing here asks the product. The days are those of the center's time zone.
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from chalicelib.domain.identity.members import Tenant, TenantKind

YEAR_START = datetime(2026, 1, 1, tzinfo=UTC)
YEAR_END = datetime(2027, 1, 1, tzinfo=UTC)
"""Both changes of the clocks are in between: March 8 and November 1."""

DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)

_PLACES = (
    ("east", "America/New_York"),
    ("desert", "America/Phoenix"),
    ("island", "Pacific/Honolulu"),
    ("coast", "America/Los_Angeles"),
    ("lake", "America/Chicago"),
)
PRACTICES, CENTERS = (
    tuple(
        Tenant(tenant_id=f"{prefix}_{place}", kind=kind, name=f"{place} {kind}", time_zone=zone)
        for place, zone in _PLACES
    )
    for prefix, kind in (("prc", TenantKind.PRACTICE), ("ctr", TenantKind.CENTER))
)

SPLIT_PRODUCT = "aucatzyl"
"""The product that is given as a split dose."""

PRODUCTS: Mapping[str, tuple[str, ...]] = {
    "ctr_east": ("breyanzi", SPLIT_PRODUCT),
    "ctr_desert": ("kymriah", "yescarta", SPLIT_PRODUCT),
    "ctr_island": ("tecartus", SPLIT_PRODUCT),
    "ctr_coast": ("breyanzi", "yescarta", SPLIT_PRODUCT),
    "ctr_lake": ("abecma", "carvykti", SPLIT_PRODUCT),
}
"""The products that each center offers."""

ENDINGS = frozenset({"withdrawn", "declined", "not_proceeding", "deceased", "transferred_care", "lost_to_follow_up"})

AGAIN = "_again"
"""How the report of a status ends that is reported once more, with another date or product."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownEvent:
    """A fact that becomes known about a referral.

    Attributes:
        what: A stage, or the name of an event that is no stage change.
        at: When it becomes known.
        true_at: When it was true; for a correction, when the infusion really was.
        ends_on: The new day of the return, for an extension.
        part: Which infusion it is.
        corrects: The status that a correction replaces.
        product_id: The product that a report names.
        plan: What is planned, if a date is planned, moved or canceled.
        planned_for: The planned time or day; None if the plan is canceled.
        place: Where it is planned.
        is_by_practice: Whether the practice plans it.
        mode: How the patient is seen at a booked time.
        is_booking: Whether a person booked or canceled it at a time that the center publishes.
        is_no_show: Whether the patient missed the consultation.
    """

    what: str
    at: datetime
    true_at: datetime
    ends_on: date | None = None
    part: int = 1
    corrects: str = ""
    product_id: str | None = None
    plan: str = ""
    planned_for: date | datetime | None = None
    place: str | None = None
    is_by_practice: bool = False
    mode: str | None = None
    is_booking: bool = False
    is_no_show: bool = False

    @property
    def stage(self) -> str:
        """The stage that it reports, also if it is reported once more."""
        return self.what.removesuffix(AGAIN)


@dataclass(slots=True)
class ReferralHistory:
    """A referral's facts through the year, the submission first.

    Attributes:
        product_id: The product that the patient gets.
        requested: The product that the practice requests; None if it leaves the choice to the center.
    """

    name: str
    practice: Tenant
    center: Tenant
    product_id: str
    requested: str | None
    news: list[KnownEvent] = field(default_factory=list)

    @property
    def is_split(self) -> bool:
        """Whether the dose of the patient's product is split."""
        return self.product_id == SPLIT_PRODUCT

    @property
    def offered(self) -> tuple[str, ...]:
        """The products of the referral's center."""
        return PRODUCTS[self.center.tenant_id]


def happen_now(what: str, at: datetime) -> KnownEvent:
    """Return a fact that becomes known when it happens."""
    return KnownEvent(what=what, at=at, true_at=at)


def get_known_at(news: KnownEvent) -> datetime:
    """Return when a fact becomes known."""
    return news.at


def draw_days(drawn: random.Random, least: float, most: float) -> timedelta:
    """Draw a number of days."""
    return timedelta(seconds=round(86_400 * drawn.uniform(least, most)))
