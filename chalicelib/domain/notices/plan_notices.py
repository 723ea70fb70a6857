"""The notices of planned dates: who is notified, and what was planned, moved or canceled.

Titles in stored notices are in clear text, so the date and the place are in the details, which are
stored encrypted.
"""

from collections.abc import Sequence
from zoneinfo import ZoneInfo

from chalicelib.domain.identity.members import TenantKind
from chalicelib.domain.platform.dates import format_date
from chalicelib.domain.referrals.events import EventSource, EventType, PlanChanged, ReferralEvent, StageChange
from chalicelib.domain.referrals.plan_terms import MODE_LABELS, PLAN_LABELS, PlannedDay
from chalicelib.domain.referrals.planned_dates import to_plan_report
from chalicelib.domain.referrals.plans import NO_PLANS, Plan
from chalicelib.domain.referrals.replay import list_effective_events
from chalicelib.domain.referrals.stages import Actor, Stage

PLAN_CANCELED_RULE = "plan.canceled"

CONSULTATION_BOOKED_RULE = "consultation.booked"
CONSULTATION_CANCELED_RULE = "consultation.canceled"
"""A consultation that both teams have in their calendars was booked or moved, or canceled."""

_OTHER_SIDE = {Actor.CENTER: TenantKind.PRACTICE, Actor.PRACTICE: TenantKind.CENTER}
_STAGES_WITHOUT_OWN_NOTICE = frozenset({Stage.APHERESIS_SCHEDULED, Stage.PRODUCT_SHIPPED})
"""Statuses of which no one is notified, unless they bring a planned date."""


def find_side_to_notify_of_plan(event: ReferralEvent) -> TenantKind | None:
    """The side that did not plan the date; None if the event plans none, or if both sides are notified."""
    if event.source is EventSource.BOOKING:
        return None
    return _OTHER_SIDE.get(event.actor) if to_plan_report(event) else None


def find_plan_rule(event: ReferralEvent) -> str | None:
    """The rule of a planned date; None if the event plans none, or is notified as a status."""
    report = to_plan_report(event)
    if report is None:
        return None
    if event.source is EventSource.BOOKING:
        return CONSULTATION_CANCELED_RULE if report.canceled else CONSULTATION_BOOKED_RULE
    if isinstance(event, PlanChanged):
        return PLAN_CANCELED_RULE if event.canceled else event.type
    is_silent = isinstance(event, StageChange) and event.stage in _STAGES_WITHOUT_OWN_NOTICE
    return EventType.PLAN_CHANGED if is_silent else None


def describe_plan_event(event: ReferralEvent, history: Sequence[ReferralEvent], *, time_zone: str) -> str:
    """What was planned, moved or canceled, and when it was planned before. Empty for other events."""
    report = to_plan_report(event)
    if report is None:
        return ""
    plans = NO_PLANS
    for earlier in list_effective_events(history):
        other = to_plan_report(earlier)
        if other and other.order < report.order:
            plans = plans.with_report(other)
    plan = plans.with_report(report).find(report.plan)
    by = f" Reported by {event.actor_name}."
    if plan is None:
        return f"Canceled: {PLAN_LABELS[report.plan]}.{by}"
    if plan.canceled:
        return f"Canceled: {PLAN_LABELS[plan.plan]} on {format_planned_day(plan.day, time_zone)}.{by}"
    if plan.moved_from:
        before = format_planned_day(plan.moved_from, time_zone)
        return f"New date: {format_plan(plan, time_zone)}. It was planned for {before}.{by}"
    return f"Date set: {format_plan(plan, time_zone)}.{by}"


def format_plan(plan: Plan, time_zone: str) -> str:
    """Format a plan for a sentence: what, when, how and where, and whom to call."""
    details = [plan.mode and MODE_LABELS[plan.mode], plan.place, plan.contact and f"contact: {plan.contact}"]
    return "; ".join(
        [
            f"{PLAN_LABELS[plan.plan]} on {format_planned_day(plan.day, time_zone)}",
            *(detail for detail in details if detail),
        ]
    )


def format_planned_day(day: PlannedDay, time_zone: str) -> str:
    """Format a planned time with the name of the center's time zone, or a planned day."""
    if day.starts_at:
        local = day.starts_at.astimezone(ZoneInfo(time_zone))
        hour = local.hour % 12 or 12
        return f"{format_date(local.date())}, {hour}:{local:%M %p %Z} ({time_zone})"
    return format_date(day.on) if day.on else ""
