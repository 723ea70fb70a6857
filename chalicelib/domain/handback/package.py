"""The hand-back package: what the center tells the team that looks after the patient from now on.

A package is never in the way: a referral moves on without one, or with one that lacks something,
and both sides see what is missing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from chalicelib.domain.referrals.packet import Item
from chalicelib.domain.referrals.referral import Referral
from chalicelib.domain.referrals.stages import TERMINAL, Phase, Stage

Package = Mapping[str, Any]
"""What the center wrote, as the API spells it. `None` is "not entered" wherever it stands; an
empty list of prophylaxis or care points says that there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Handback:
    """One version of a package; each is kept.

    Attributes:
        version: Counts from 1; the ETag.
        written_by: The member's name at that time.
    """

    version: int
    package: Package
    written_at: datetime
    written_by: str


class State(StrEnum):
    """How far the package is, as a reader sees it."""

    NOT_WRITTEN = "not_written"
    IN_PREPARATION = "in_preparation"
    """Written, and the patient is still the center's."""
    HANDED_OVER = "handed_over"


NEEDED: tuple[Item, ...] = (
    Item("/product_id", "Product"),
    Item("/infusions/0/on", "Date of infusion"),
    Item("/infusions/0/dose", "Dose"),
    Item("/response/assessment", "Response assessment"),
    Item("/crs/worst_grade", "Worst grade of CRS"),
    Item("/icans/worst_grade", "Worst grade of ICANS"),
    Item("/cytopenias", "Cytopenias"),
    Item("/transfusion_needs", "Transfusion needs"),
    Item("/prophylaxis", "Prophylaxis with stop dates"),
    Item("/immunoglobulin/plan", "Plan for IgG and IVIG"),
    Item("/vaccination_plan", "Vaccination plan"),
    Item("/steroids/status", "Steroids"),
    Item("/driving_cleared_on", "Day on which driving is cleared"),
    Item("/open_problems", "Open problems"),
    Item("/warning_signs", "Warning signs"),
    Item("/center_phone", "The center's 24/7 number"),
    Item("/next_center_visit_on", "Next visit at the center"),
    Item("/responsibilities/0", "Who does what"),
    Item("/care_points", "Care points"),
    Item("/wallet_card_given", "Wallet card given"),
)
"""What makes a package complete. Source: published survivorship and hand-back needs, put
together in the product's domain notes, section 4.4 (as gathered by 2026-04)."""

TOLD_OF = frozenset(
    {Stage.HANDBACK_READY, Stage.HANDED_BACK, Stage.FOLLOW_UP, Stage.LONG_TERM_FOLLOW_UP}
)
"""Where the practice is told when the center writes: it may have read an earlier version."""


def is_missing(package: Package, item: Item) -> bool:
    """Whether an item was not entered; a wallet card that was not given is missing too."""
    value = _value(package, item.pointer)
    # Grade 0 is an answer; Python calls it equal to False.
    return value is None or value is False or value == ""


def missing(package: Package) -> Sequence[Item]:
    """Everything that was not entered."""
    return [item for item in NEEDED if is_missing(package, item)]


def state_of(referral: Referral, handback: Handback | None) -> State:
    """How far the package is."""
    if handback is None:
        return State.NOT_WRITTEN
    is_over = referral.phase is Phase.FOLLOW_UP or Stage.HANDED_BACK in referral.reached
    return State.HANDED_OVER if is_over else State.IN_PREPARATION


def is_infused(referral: Referral) -> bool:
    """Whether there is anything to hand back: from the first infusion that counts on."""
    return referral.part > 0


def is_open(referral: Referral) -> bool:
    """Whether the center may write: until the journey ends, corrections after hand-back too."""
    return is_infused(referral) and referral.stage not in TERMINAL


def _value(package: Any, pointer: str) -> Any:
    value = package
    for step in pointer.removeprefix("/").split("/"):
        if isinstance(value, list):
            value = value[int(step)] if int(step) < len(value) else None
        else:
            value = value.get(step) if isinstance(value, Mapping) else None
    return value
