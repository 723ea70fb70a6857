"""The transition-of-care summary: what the center writes for the care team that takes the patient back.

The code and the API call it the hand-back package. A missing or incomplete package never blocks the
referral: the status can change without it, and both sides see what is missing.
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
"""What the center wrote, with the API's field names. `None` always means "not entered"; an empty
list of prophylaxis or care points means that there are none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HandbackVersion:
    """One version of a package. Every version is kept.

    Attributes:
        version: Counts from 1; the ETag.
        written_by: The name of the member at that time.
    """

    version: int
    package: Package
    written_at: datetime
    written_by: str


class HandbackState(StrEnum):
    """The state of the package, as a reader sees it."""

    NOT_WRITTEN = "not_written"
    IN_PREPARATION = "in_preparation"
    """Written, and the patient is still at the center."""
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
    PacketItem("/steroids/status", "Corticosteroids"),
    PacketItem("/driving_cleared_on", "Date cleared to drive"),
    PacketItem("/open_problems", "Open problems"),
    PacketItem("/warning_signs", "Warning signs"),
    PacketItem("/center_phone", "Center's 24/7 phone number"),
    PacketItem("/next_center_visit_on", "Next visit at the center"),
    PacketItem("/responsibilities/0", "Responsibilities"),
    PacketItem("/care_points", "Care points"),
    PacketItem("/wallet_card_given", "Wallet card given"),
)
"""What makes a package complete. Source: published needs of survivorship and transition of care, compiled
in the product's domain notes, section 4.4 (as gathered by 2026-04)."""

STAGES_THAT_ANNOUNCE_PACKAGE = frozenset(
    {Stage.HANDBACK_READY, Stage.HANDED_BACK, Stage.FOLLOW_UP, Stage.LONG_TERM_FOLLOW_UP}
)
"""In these stages the practice is notified when the center writes: it may have read an earlier version."""


def is_missing(package: Package, item: PacketItem) -> bool:
    """Whether an item was not entered. A wallet card that was not given is missing too."""
    value = _read_pointer(package, item.pointer)
    # Grade 0 is an entered value, although Python considers it equal to False.
    return value is None or value is False or value == ""


def list_missing_items(package: Package) -> Sequence[PacketItem]:
    """List every item that was not entered."""
    return [item for item in REQUIRED_ITEMS if is_missing(package, item)]


def compute_handback_state(referral: Referral, handback: HandbackVersion | None) -> HandbackState:
    """The state of the package."""
    if handback is None:
        return HandbackState.NOT_WRITTEN
    is_over = referral.phase is Phase.FOLLOW_UP or Stage.HANDED_BACK in referral.stage_entered_at
    return HandbackState.HANDED_OVER if is_over else HandbackState.IN_PREPARATION


def is_infused(referral: Referral) -> bool:
    """Whether a package can exist: from the first infusion that counts."""
    return referral.doses_given > 0


def can_center_write(referral: Referral) -> bool:
    """Whether the center can write: until the referral is closed, including corrections after the return."""
    return is_infused(referral) and referral.stage not in TERMINAL_STAGES


def _read_pointer(package: Any, pointer: str) -> Any:
    value = package
    for step in pointer.removeprefix("/").split("/"):
        if isinstance(value, list):
            value = value[int(step)] if int(step) < len(value) else None
        else:
            value = value.get(step) if isinstance(value, Mapping) else None
    return value
