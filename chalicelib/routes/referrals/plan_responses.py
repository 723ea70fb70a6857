"""The planned dates of a patient, as the API returns them."""

# pydantic needs this one on Python 3.11.
from typing_extensions import TypedDict

from chalicelib.domain.referrals.plan_terms import PLAN_LABELS, DatedPlan, PlanKind, PlannedDay
from chalicelib.domain.referrals.planned_dates import get_sort_key, list_current_plans, list_open_plans
from chalicelib.domain.referrals.plans import Plan
from chalicelib.domain.referrals.referral import Referral
from chalicelib.domain.referrals.stage_changes import DecisionContext
from chalicelib.domain.referrals.worklists import summarize_stage
from chalicelib.routes.platform.timestamps import format_timestamp


class PlannedDayResponse(TypedDict):
    """When something is or was planned: a time in UTC, or a day at the center."""

    starts_at: str | None
    """When it starts (RFC 3339, UTC); null if only the day is known."""
    on: str | None
    """The day at the center (YYYY-MM-DD); null if nothing is known."""


class PlanResponse(TypedDict):
    """A planned date as last reported.

    `time_zone` is the center's. `moved_from` is the date before the last move. `open` says that it is
    neither canceled nor carried out.
    """

    plan: str
    """What is planned, as a code."""
    label: str
    """The words for it, for display."""
    starts_at: str | None
    """When it starts (RFC 3339, UTC); null if only the day is known."""
    on: str | None
    """The day at the center (YYYY-MM-DD); null if it is not known."""
    time_zone: str
    """The center's time zone, as an IANA name."""
    mode: str | None
    """How the visit takes place; null if not reported."""
    place: str | None
    """Where it is; null if not reported."""
    contact: str | None
    """Whom to ask; null if not reported."""
    moved_from: PlannedDayResponse | None
    """The date before it was moved; null if it was not."""
    canceled: bool
    """Whether the plan was canceled."""
    open: bool
    """Whether it is open: not yet reported as resolved, done or canceled."""
    reported_at: str
    """When it was reported (RFC 3339, UTC)."""
    reported_by: str
    """Which side reported it: `practice` or `center`."""


class NextPlanResponse(TypedDict):
    """The next planned date in a list; `time_zone` is the center's."""

    plan: str
    """What is planned, as a code."""
    label: str
    """The words for it, for display."""
    starts_at: str | None
    """When it starts (RFC 3339, UTC); null if only the day is known."""
    on: str | None
    """The day at the center (YYYY-MM-DD); null if it is not known."""
    time_zone: str
    """The center's time zone, as an IANA name."""


class PlansResponse(TypedDict):
    """The planned dates, earliest first, the consultation among them, and the next one of today or later."""

    plans: list[PlanResponse]
    consultation: PlanResponse | None
    next_plan: NextPlanResponse | None


def to_plans_response(referral: Referral, context: DecisionContext) -> PlansResponse:
    """The planned dates that both sides see; none after an ending."""
    zone = context.time_zone
    opened = {plan.plan for plan in list_open_plans(referral)}
    plans = sorted(list_current_plans(referral), key=lambda plan: get_sort_key(plan.day, zone))
    found = summarize_stage(referral).find_next_plan(now=context.now, time_zone=zone)
    responses = [_to_plan_response(plan, zone, is_open=plan.plan in opened) for plan in plans]
    return {
        "plans": responses,
        "consultation": next((each for each in responses if each["plan"] == PlanKind.CONSULTATION), None),
        "next_plan": to_next_plan_response(found, zone),
    }


def to_next_plan_response(planned: DatedPlan | None, time_zone: str) -> NextPlanResponse | None:
    """The next planned date of a referral, if there is one."""
    if planned is None:
        return None
    label = PLAN_LABELS[planned.plan]
    return {"plan": planned.plan, "label": label, **to_day_response(planned.day), "time_zone": time_zone}


def to_day_response(day: PlannedDay) -> PlannedDayResponse:
    """A planned time or day."""
    return {
        "starts_at": format_timestamp(day.starts_at) if day.starts_at else None,
        "on": day.on.isoformat() if day.on else None,
    }


def _to_plan_response(plan: Plan, time_zone: str, *, is_open: bool) -> PlanResponse:
    return {
        "plan": plan.plan,
        "label": PLAN_LABELS[plan.plan],
        **to_day_response(plan.day),
        "time_zone": time_zone,
        "mode": plan.mode,
        "place": plan.place,
        "contact": plan.contact,
        "moved_from": to_day_response(plan.moved_from) if plan.moved_from else None,
        "canceled": plan.canceled,
        "open": is_open,
        "reported_at": format_timestamp(plan.reported_at),
        "reported_by": plan.reported_by,
    }
