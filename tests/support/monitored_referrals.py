"""Referrals under monitoring as pure values, and what is planned for them."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from chalicelib.domain.notices.tasks import OutboxTask
from chalicelib.domain.referrals.events import EventOrder
from chalicelib.domain.referrals.monitoring_window import (
    AnchorInfusion,
    MonitoringProfile,
    MonitoringWindow,
    WindowExtension,
)
from chalicelib.domain.referrals.referral import Hold, Referral
from chalicelib.domain.referrals.stages import Actor, Stage
from tests.support.referral_values import PROFILE, build_referral

INFUSED_ON = date(2026, 10, 24)
INFUSED_AT = datetime(2026, 10, 24, 16, tzinfo=UTC)
WINDOW = MonitoringWindow(time_zone="America/New_York", infused_on=INFUSED_ON, profile=PROFILE)
DAY = timedelta(days=1)

SPLIT_DOSE_WINDOW = MonitoringWindow(
    time_zone="America/New_York",
    infused_on=INFUSED_ON,
    profile=MonitoringProfile(
        product_id="aucatzyl",
        label_as_of=date(2025, 3, 14),
        anchor=AnchorInfusion.FIRST,
        infusion_parts=2,
        daily_days=14,
        monitor_min_days=28,
        proximity_days=28,
        driving_days=56,
        second_part_day=9,
    ),
)
HOLD = Hold(since=INFUSED_AT, reason_code=None, until=None, by=Actor.CENTER)


def build_monitored_referral(
    stage: Stage = Stage.MONITORING, window: MonitoringWindow | None = WINDOW, **changed: Any
) -> Referral:
    """Build a referral whose window is open."""
    reached = {Stage.INFUSED: INFUSED_AT, stage: INFUSED_AT} | changed.pop("stage_entered_at", {})
    return build_referral(stage, window=window, stage_entered_at=reached, doses_given=1, **changed)


def with_hold(referral: Referral) -> Referral:
    """Return the referral on hold."""
    return replace(referral, status=replace(referral.status, hold=HOLD))


def with_day(referral: Referral, day: int) -> Referral:
    """Return the referral as written at noon of a day of its window."""
    return replace(referral, updated_at=INFUSED_AT + day * DAY)


def with_extension(window: MonitoringWindow, day: int) -> MonitoringWindow:
    """Return the window with an extension by the center to another day."""
    order = EventOrder(INFUSED_AT + DAY, 0, "evt_longer")
    return window.with_extension(WindowExtension(ends_on=INFUSED_ON + day * DAY, order=order, reason_code=None))


def list_rules(tasks: Iterable[OutboxTask]) -> list[str]:
    """Return what tasks are about."""
    return [task.rule for task in tasks]
