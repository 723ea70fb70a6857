"""The hand-back package: what the center tells the team that looks after the patient from now on.

A package is never in the way: a referral moves on without one, or with one that lacks something,
and both sides see what is missing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from chalicelib.domain.referrals.packet import PacketItem
from chalicelib.domain.referrals.referral import Referral
from chalicelib.domain.referrals.stages import TERMINAL_STAGES, Phase, Stage

Package = Mapping[str, Any]
"""What the center wrote, as the API spells it. `None` is "not entered" wherever it stands; an
empty list of prophylaxis or care points says that there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HandbackVersion:
    """One version of a package; each is kept.

    Attributes:
        version: Counts from 1; the ETag.
        written_by: The member's name at that time.
    """

    version: int
    package: Package
    written_at: datetime
    written_by: str


class HandbackState(StrEnum):
    """How far the package is, as a reader sees it."""

    NOT_WRITTEN = "not_written"
    IN_PREPARATION = "in_preparation"
    """Written, and the patient is still the center's."""
    HANDED_OVER = "handed_over"


REQUIRED_ITEMS: tuple[PacketItem, ...] = (
    PacketItem("/product_id", "Product"),
    PacketItem("/infusions/0/on", "Date of infusion"),
    PacketItem("/infusions/0/dose", "Dose"),
    PacketItem("/response/assessment", "Response assessment"),
    PacketItem("/crs/worst_grade", "Worst grade of CRS"),
    PacketItem("/icans/worst_grade", "Worst grade of ICANS"),
    PacketItem("/cytopenias", "Cytopenias"),
    PacketItem("/transfusion_needs", "Transfusion needs"),
    PacketItem("/prophylaxis", "Prophylaxis with stop dates"),
    PacketItem("/immunoglobulin/plan", "Plan for IgG and IVIG"),
    PacketItem("/vaccination_plan", "Vaccination plan"),
    PacketItem("/steroids/status", "Steroids"),
    PacketItem("/driving_cleared_on", "Day on which driving is cleared"),
    PacketItem("/open_problems", "Open problems"),
    PacketItem("/warning_signs", "Warning signs"),
    PacketItem("/center_phone", "The center's 24/7 number"),
    PacketItem("/next_center_visit_on", "Next visit at the center"),
    PacketItem("/responsibilities/0", "Who does what"),
    PacketItem("/care_points", "Care points"),
    PacketItem("/wallet_card_given", "Wallet card given"),
)
"""What makes a package complete. Source: published survivorship and hand-back needs, put
together in the product's domain notes, section 4.4 (as gathered by 2026-04)."""

STAGES_THAT_ANNOUNCE_PACKAGE = frozenset(
    {Stage.HANDBACK_READY, Stage.HANDED_BACK, Stage.FOLLOW_UP, Stage.LONG_TERM_FOLLOW_UP}
)
"""Where the practice is told when the center writes: it may have read an earlier version."""


def is_missing(package: Package, item: PacketItem) -> bool:
    """Whether an item was not entered; a wallet card that was not given is missing too."""
    value = _read_pointer(package, item.pointer)
    # Grade 0 is an answer; Python calls it equal to False.
    return value is None or value is False or value == ""


def list_missing_items(package: Package) -> Sequence[PacketItem]:
    """Everything that was not entered."""
    return [item for item in REQUIRED_ITEMS if is_missing(package, item)]


def compute_handback_state(referral: Referral, handback: HandbackVersion | None) -> HandbackState:
    """How far the package is."""
    if handback is None:
        return HandbackState.NOT_WRITTEN
    is_over = referral.phase is Phase.FOLLOW_UP or Stage.HANDED_BACK in referral.stage_entered_at
    return HandbackState.HANDED_OVER if is_over else HandbackState.IN_PREPARATION


def is_infused(referral: Referral) -> bool:
    """Whether there is anything to hand back: from the first infusion that counts on."""
    return referral.doses_given > 0


def can_center_write(referral: Referral) -> bool:
    """Whether the center may write: until the journey ends, corrections after hand-back too."""
    return is_infused(referral) and referral.stage not in TERMINAL_STAGES


def _read_pointer(package: Any, pointer: str) -> Any:
    value = package
    for step in pointer.removeprefix("/").split("/"):
        if isinstance(value, list):
            value = value[int(step)] if int(step) < len(value) else None
        else:
            value = value.get(step) if isinstance(value, Mapping) else None
    return value
