"""A service driver after an infusion, whose plan is processed day by day."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from chalicelib.domain.identity.members import Tenant
from chalicelib.domain.notices.notice_rules import EVENT_RULES
from chalicelib.domain.notices.tasks import STAGE_CHANGED_RULE, TaskQueue
from chalicelib.domain.platform.ids import derive_id
from chalicelib.domain.referrals.events import Corrected, ReferralEvent, StageChange
from chalicelib.domain.referrals.stages import Stage
from chalicelib.services.referrals.report_results import ReportResult
from tests.support import stores as store_tools
from tests.support.factories import CENTER, PRACTICE, build_member
from tests.support.referral_values import build_event, build_stage_change
from tests.support.service_driver import STAGES_TO_LYMPHODEPLETION, ServiceDriver, refer_first

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


def play_to_infusion(driver: ServiceDriver) -> ServiceDriver:
    """Submit a referral, move it to its infusion, and send everything of day 0."""
    refer_first(driver)
    driver.move_to(*STAGES_TO_LYMPHODEPLETION, "infused")
    driver.run_queue(TaskQueue.EVENT)
    driver.run_queue(TaskQueue.PLAN)
    return driver


def compute_time_on_day(driver: ServiceDriver, day: int) -> datetime:
    """Return a time on a day of the window, well after that day's start at the center."""
    return driver.get_referral().stage_entered_at[Stage.INFUSED] + day * DAY


def run_daily_job(driver: ServiceDriver, *, until: int) -> None:
    """Run the job of each day of the window up to one, where something may be due."""
    for day in DUE_DAYS:
        if day <= until:
            driver.run_queue(TaskQueue.PLAN, now=compute_time_on_day(driver, day))


def list_titles(driver: ServiceDriver, tenant: Tenant = PRACTICE, rule: str | None = None) -> list[str]:
    """Return the planned notices that a coordinator got, oldest first."""
    member = build_member(tenant).member_id
    notices, _ = driver.stores.notices.list_page(member, limit=100, start=None)
    of_events = {STAGE_CHANGED_RULE, *EVENT_RULES}
    found = [n for n in reversed(notices) if (n.rule == rule if rule else n.rule not in of_events)]
    return [notice.title for notice in found]


def list_skipped() -> dict[str, str | None]:
    """Return each skipped rule with its reason."""
    rows = store_tools.list_rows("outbox")
    return {row["rule"]: row.get("why") for row in rows if row["state"] == "skipped"}


def report_event(driver: ServiceDriver, kind: type[ReferralEvent], *, day: int, **more: Any) -> ReportResult:
    """Report an event besides stage changes on a day of the window, as the center's system."""
    driver.now = compute_time_on_day(driver, day)
    event = build_event(kind, driver.now, referral_id="ref_1", **more)
    return driver.deliver_event(event, webhook_id=f"msg-{kind.__name__}-{day}")


def correct_infusion_day(driver: ServiceDriver, *, day: int, really: int) -> None:
    """Correct the day of the infusion, counted from the one that was reported first."""
    infusion = next(
        e.event for e in driver.list_events() if isinstance(e.event, StageChange) and e.event.stage is Stage.INFUSED
    )
    really_at = infusion.occurred_at + really * DAY
    driver.now = compute_time_on_day(driver, day)
    webhook_id = f"msg-correction-{day}"
    event_id = derive_id("evt", CENTER.tenant_id, webhook_id)
    right = build_stage_change(Stage.INFUSED, really_at, event_id=event_id)
    event = build_event(
        Corrected,
        driver.now,
        supersedes=infusion.event_id,
        replacement=replace(right, referral_id="ref_1"),
        referral_id="ref_1",
    )
    assert driver.deliver_event(event, webhook_id=webhook_id).status == "applied"
