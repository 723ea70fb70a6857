"""Events along the main path, one a day, and corrections of them."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from chalicelib.domain.referrals.events import Corrected, StageChange
from chalicelib.domain.referrals.referral import Referral
from chalicelib.domain.referrals.stage_changes import Rejected
from chalicelib.domain.referrals.stages import Stage
from tests.support.referral_values import NOON, InMemoryInbox, build_event, build_referral, build_stage_change

MAIN_PATH = [
    "submitted",
    *("received", "accepted", "consult_scheduled", "consult_completed", "center_proceed"),
    *("apheresis_scheduled", "apheresis_completed", "manufacturing_started"),
    *("lymphodepletion_started", "infused", "monitoring", "window_complete"),
    *("handback_ready", "handed_back"),
]
DAY = timedelta(days=1)
DRAFT = build_referral(Stage.DRAFT)


def compute_time(stage: str) -> datetime:
    """Compute when a stage of the main path was entered: one stage a day."""
    return NOON + MAIN_PATH.index(stage) * DAY


def build_reports_to(last: str) -> list[StageChange]:
    """Build the stage changes of the main path up to a stage, one a day."""
    names = MAIN_PATH[: MAIN_PATH.index(last) + 1]
    return [build_stage_change(Stage(name), compute_time(name), event_id=f"evt_{name}") for name in names]


def build_inbox_to(last: str) -> InMemoryInbox:
    """Build an inbox that received the main path up to a stage."""
    return InMemoryInbox(DRAFT).receive(build_reports_to(last))


def build_correction(
    wrong: str,
    replacement: StageChange | None = None,
    *,
    moment: datetime = NOON + 90 * DAY,
    n: int | str = 1,
    **changed: Any,
) -> Corrected:
    """Build a correction of a stage change; the replacement has the id of the correction."""
    event_id = f"evt_correction_{n}"
    if replacement is not None:
        replacement = replace(replacement, event_id=event_id)
    return build_event(
        Corrected, moment, event_id=event_id, supersedes=f"evt_{wrong}", replacement=replacement, **changed
    )


def get_final_state(inbox: InMemoryInbox) -> tuple[Referral, list[str], list[Rejected]]:
    """Get everything that the order of arrival must not change."""
    return (
        replace(inbox.referral, version=0, updated_at=NOON),
        sorted(event.event_id for event in inbox.parked),
        inbox.rejected,
    )
