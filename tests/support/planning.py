"""A desk after an infusion, as its plan is worked off day by day."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from chalicelib.domain.identity.members import Tenant
from chalicelib.domain.notices.notice_rules import EVENT_RULES, STAGE_CHANGED, Lane
from chalicelib.domain.referrals.events import Corrected, Event, StageChange, derived_id
from chalicelib.domain.referrals.stages import Stage
from chalicelib.services.referrals.event_writes import Outcome
from tests.support import shelves
from tests.support.desk import TO_CONDITIONED, Desk
from tests.support.factories import CENTER, PRACTICE, a_member
from tests.support.journey import a_change, an_event

DAY = timedelta(days=1)
DUE = (1, 7, 14, 21, 28, 29, 30, 31)
"""The days on which something of a window is due."""


THE_WINDOW = [
    "Day 1 after infusion: whom to call stands on the page",
    "The label's minimum of daily monitoring ends today",
    "The label's minimum of monitoring ends today; the center may extend",
    "Hand-back in 7 days: book the visit and the labs",
    "The hand-back target is reached today",
]
"""What a practice is told of a window that nothing comes between."""


def infuse(desk: Desk) -> Desk:
    """Bring a submitted referral to its infusion, and tell everything of day 0."""
    desk.move_to(*TO_CONDITIONED, "infused")
    desk.work_off(Lane.EVENT)
    desk.work_off(Lane.PLAN)
    return desk


def on_day(desk: Desk, day: int) -> datetime:
    """A time on a day of the window, well after that day's start at the center."""
    return desk.referral().reached[Stage.INFUSED] + day * DAY


def run(desk: Desk, *, until: int) -> None:
    """Run the job of each day of the window up to one, where something may be due."""
    for day in DUE:
        if day <= until:
            desk.work_off(Lane.PLAN, now=on_day(desk, day))


def titles(desk: Desk, tenant: Tenant = PRACTICE, rule: str | None = None) -> list[str]:
    """What a coordinator was told by the plan, oldest first."""
    member = a_member(tenant).member_id
    notices, _ = desk.stores.notices.page(member, limit=100, start=None)
    of_events = {STAGE_CHANGED, *EVENT_RULES}
    found = [n for n in reversed(notices) if (n.rule == rule if rule else n.rule not in of_events)]
    return [notice.title for notice in found]


def skipped() -> dict[str, str | None]:
    """Each rule that was skipped, with why."""
    rows = shelves.rows("outbox")
    return {row["rule"]: row.get("why") for row in rows if row["state"] == "skipped"}


def tell(desk: Desk, kind: type[Event], *, day: int, **more: Any) -> Outcome:
    """Report something beside the stages on a day of the window, as the center's feed."""
    desk.now = on_day(desk, day)
    event = an_event(kind, desk.now, referral_id="ref_1", **more)
    return desk.deliver_event(event, webhook_id=f"msg-{kind.__name__}-{day}")


def correct(desk: Desk, *, day: int, really: int) -> None:
    """Correct the day of the infusion, counted from the one that was reported first."""
    infusion = next(
        e.event
        for e in desk.events()
        if isinstance(e.event, StageChange) and e.event.stage is Stage.INFUSED
    )
    really_at = infusion.occurred_at + really * DAY
    desk.now = on_day(desk, day)
    webhook_id = f"msg-correction-{day}"
    event_id = derived_id("evt", CENTER.tenant_id, webhook_id)
    right = a_change(Stage.INFUSED, really_at, event_id=event_id)
    event = an_event(
        Corrected,
        desk.now,
        supersedes=infusion.event_id,
        replacement=replace(right, referral_id="ref_1"),
        referral_id="ref_1",
    )
    assert desk.deliver_event(event, webhook_id=webhook_id).status == "applied"
