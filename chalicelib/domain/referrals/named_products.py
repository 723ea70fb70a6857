"""Which product a referral is about: requested by the practice, planned by the center, given at the infusion.

The center names the planned product with its decision to proceed, and the given product with an
infusion. The result is a function of the history and does not depend on the order of arrival.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from chalicelib.domain.platform.copying import replace
from chalicelib.domain.referrals.events import Corrected, EventSource, ReferralEvent, StageChange
from chalicelib.domain.referrals.stages import Stage


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedProducts:
    """The products that the center named, as catalog ids. Field names are stored."""

    planned: str | None = None
    given: str | None = None

    @property
    def current(self) -> str | None:
        """The given product, else the planned one; None if the center named none."""
        return self.given or self.planned

    def get_named_at(self, stage: Stage) -> str | None:
        """Get the product that was named with a stage."""
        name = FIELD_BY_STAGE.get(stage)
        return getattr(self, name) if name else None

    def with_change(self, change: StageChange) -> "NamedProducts":
        """Add the product that a stage change names, if it names one."""
        name = FIELD_BY_STAGE.get(change.stage)
        return replace(self, **{name: change.product_id}) if name and change.product_id else self


NO_PRODUCTS = NamedProducts()
"""The center has named no product."""

FIELD_BY_STAGE: Mapping[Stage, str] = {Stage.CENTER_PROCEED: "planned", Stage.INFUSED: "given"}
"""The stages whose report may name a product, and which one. Source: the API contract, section 3."""


def get_named_product(event: ReferralEvent) -> str | None:
    """Get the product that an event names, also one that a correction replaces an event with."""
    change = event.replacement if isinstance(event, Corrected) else event
    return change.product_id if isinstance(change, StageChange) else None


def find_named_products(
    start: NamedProducts,
    history: Sequence[ReferralEvent],
    effective: Sequence[ReferralEvent],
) -> NamedProducts:
    """Find the products that a history names; of several reports of a stage, the latest one counts.

    A center's system that sends its last product again only repeats it. So a nightly repeat never
    replaces what a person reported or corrected in the meantime.

    Args:
        start: The products named before the first event.
        history: All events, the superseded ones included.
        effective: The events that count.
    """
    repeats = _find_repeats(history)
    changes = [e for e in effective if names_product(e) and e.event_id not in repeats]
    products = start
    for change in sorted(changes, key=lambda e: e.order):
        if isinstance(change, StageChange):
            products = products.with_change(change)
    return products


def names_product(event: ReferralEvent | None) -> bool:
    """Whether an event names the planned or the given product."""
    return isinstance(event, StageChange) and bool(event.product_id) and event.stage in FIELD_BY_STAGE


def _find_repeats(history: Sequence[ReferralEvent]) -> frozenset[str]:
    """Find the events in which a center's system repeats the product that it named last.

    A correction is never a repeat: it replaces what its system named until then, also with the same product.
    """
    last: dict[Stage, str | None] = {}
    repeats = set()
    for event in sorted(history, key=lambda e: e.order):
        report = event.replacement if isinstance(event, Corrected) else event
        if not isinstance(report, StageChange) or not names_product(report):
            continue
        if report.source is EventSource.CENTER_FEED:
            if last.get(report.stage) == report.product_id and report is event:
                repeats.add(report.event_id)
            last[report.stage] = report.product_id
    return frozenset(repeats)
