"""The main line, a day from one report to the next, and corrections of it."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from chalicelib.domain.referrals.events import Corrected, StageChange
from chalicelib.domain.referrals.referral import Referral
from chalicelib.domain.referrals.stage_changes import Never
from chalicelib.domain.referrals.stages import Stage
from tests.support.journey import NOON, Inbox, a_change, a_referral, an_event

LINE = [
    "submitted",
    *("received", "accepted", "consult_scheduled", "consult_completed", "center_proceed"),
    *("apheresis_scheduled", "apheresis_completed", "manufacturing_started"),
    *("lymphodepletion_started", "infused", "monitoring", "window_complete"),
    *("handback_ready", "handed_back"),
]
DAY = timedelta(days=1)
DRAFT = a_referral(Stage.DRAFT)


def at(stage: str) -> datetime:
    """When a stage of the line was reached: one a day."""
    return NOON + LINE.index(stage) * DAY


def line_to(last: str) -> list[StageChange]:
    """The reports of the line, each a day later, up to a stage."""
    names = LINE[: LINE.index(last) + 1]
    return [a_change(Stage(name), at(name), event_id=f"evt_{name}") for name in names]


def told_to(last: str) -> Inbox:
    """An inbox that has taken the line up to a stage."""
    return Inbox(DRAFT).take(line_to(last))


def a_correction(
    wrong: str,
    replacement: StageChange | None = None,
    *,
    moment: datetime = NOON + 90 * DAY,
    n: int | str = 1,
    **changed: Any,
) -> Corrected:
    """A correction of the report of a stage; the replacement carries its id."""
    event_id = f"evt_correction_{n}"
    if replacement is not None:
        replacement = replace(replacement, event_id=event_id)
    return an_event(
        Corrected,
        moment,
        event_id=event_id,
        supersedes=f"evt_{wrong}",
        replacement=replacement,
        **changed,
    )


def told(inbox: Inbox) -> tuple[Referral, list[str], list[Never]]:
    """All that an order of arrival must not change."""
    return (
        replace(inbox.referral, version=0, updated_at=NOON),
        sorted(event.event_id for event in inbox.parked),
        inbox.refused,
    )
