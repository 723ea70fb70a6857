"""A service driver after an infusion, whose plan is processed day by day."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from chalicelib.domain.identity.members import Tenant
from chalicelib.domain.notices.notice_rules import EVENT_RULES
from chalicelib.domain.notices.tasks import STAGE_CHANGED_RULE, TaskQueue
from chalicelib.domain.referrals.events import Corrected, ReferralEvent, StageChange, derive_id
from chalicelib.domain.referrals.stages import Stage
from chalicelib.services.referrals.report_event import ReportResult
from tests.support import stores as shelves
from tests.support.factories import CENTER, PRACTICE, build_member
from tests.support.referral_values import build_event, build_stage_change
from tests.support.service_driver import STAGES_TO_LYMPHODEPLETION, ServiceDriver

DAY = timedelta(days=1)
DUE_DAYS = (1, 7, 14, 21, 28, 29, 30, 31)
"""The days on which something in a window is due."""


WINDOW_TITLES = [
    "Day 1 after infusion: who to call is on the referral page",
    "Label minimum for daily monitoring ends today",
    "Label minimum for monitoring ends today; the center may extend it",
    "Return to your practice in 7 days: schedule the visit and labs",
    "Target return date is today",
]
"""What a practice is notified of in a window without interruptions."""


def play_to_infusion(desk: ServiceDriver) -> ServiceDriver:
    """Move a submitted referral to its infusion, and send everything of day 0."""
    desk.move_to(*STAGES_TO_LYMPHODEPLETION, "infused")
    desk.run_queue(TaskQueue.EVENT)
    desk.run_queue(TaskQueue.PLAN)
    return desk


def compute_time_on_day(desk: ServiceDriver, day: int) -> datetime:
    """Return a time on a day of the window, well after that day's start at the center."""
    return desk.get_referral().stage_entered_at[Stage.INFUSED] + day * DAY


def run_daily_job(desk: ServiceDriver, *, until: int) -> None:
    """Run the job of each day of the window up to one, where something may be due."""
    for day in DUE_DAYS:
        if day <= until:
            desk.run_queue(TaskQueue.PLAN, now=compute_time_on_day(desk, day))


def list_titles(desk: ServiceDriver, tenant: Tenant = PRACTICE, rule: str | None = None) -> list[str]:
    """Return the planned notices that a coordinator got, oldest first."""
    member = build_member(tenant).member_id
    notices, _ = desk.stores.notices.list_page(member, limit=100, start=None)
    of_events = {STAGE_CHANGED_RULE, *EVENT_RULES}
    found = [n for n in reversed(notices) if (n.rule == rule if rule else n.rule not in of_events)]
    return [notice.title for notice in found]


def list_skipped() -> dict[str, str | None]:
    """Return each skipped rule with its reason."""
    rows = shelves.list_rows("outbox")
    return {row["rule"]: row.get("why") for row in rows if row["state"] == "skipped"}


def report_event(desk: ServiceDriver, kind: type[ReferralEvent], *, day: int, **more: Any) -> ReportResult:
    """Report an event besides stage changes on a day of the window, as the center's system."""
    desk.now = compute_time_on_day(desk, day)
    event = build_event(kind, desk.now, referral_id="ref_1", **more)
    return desk.deliver_event(event, webhook_id=f"msg-{kind.__name__}-{day}")


def correct_infusion_day(desk: ServiceDriver, *, day: int, really: int) -> None:
    """Correct the day of the infusion, counted from the one that was reported first."""
    infusion = next(
        e.event for e in desk.list_events() if isinstance(e.event, StageChange) and e.event.stage is Stage.INFUSED
    )
    really_at = infusion.occurred_at + really * DAY
    desk.now = compute_time_on_day(desk, day)
    webhook_id = f"msg-correction-{day}"
    event_id = derive_id("evt", CENTER.tenant_id, webhook_id)
    right = build_stage_change(Stage.INFUSED, really_at, event_id=event_id)
    event = build_event(
        Corrected,
        desk.now,
        supersedes=infusion.event_id,
        replacement=replace(right, referral_id="ref_1"),
        referral_id="ref_1",
    )
    assert desk.deliver_event(event, webhook_id=webhook_id).status == "applied"
