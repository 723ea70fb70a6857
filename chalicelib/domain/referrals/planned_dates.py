"""Decides what a report of a planned date does: it sets, moves or cancels a plan, and never changes the status.

The center plans every date. From the infusion on, the practice may plan the patient's return, because
the first visit after it is in the practice's own calendar. The practice also books and cancels a consultation
at a time that the center publishes. A report of a status may carry the date that
belongs to it (`PLAN_BY_STAGE`), and says the same as a report of the date alone.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from chalicelib.domain.platform.copying import replace
from chalicelib.domain.referrals.events import Corrected, EventSource, PlanChanged, ReferralEvent, StageChange
from chalicelib.domain.referrals.history_start import get_history_start
from chalicelib.domain.referrals.monitoring_window import to_local_day
from chalicelib.domain.referrals.plan_terms import PLAN_BY_STAGE, STAGE_WHEN_DONE, DatedPlan, PlanKind, PlannedDay
from chalicelib.domain.referrals.plans import Plan, PlanReport, Plans, get_local_day
from chalicelib.domain.referrals.reason_codes import ReasonCode
from chalicelib.domain.referrals.referral import Referral
from chalicelib.domain.referrals.stage_changes import (
    REJECTED_CLOSED,
    Applied,
    Decision,
    DecisionContext,
    Pending,
    Recorded,
    Rejected,
    with_next_version,
)
from chalicelib.domain.referrals.stages import TERMINAL_STAGES, Actor, Stage

_BEFORE_SUBMISSION = timedelta(days=1)
"""A plan of the day before the submission may be a question of time zones; an earlier one is a typing error."""

_REJECTED_OTHER_SIDE = Rejected(
    "not_your_move", "Only the treatment center can plan this. The practice can plan the return after the infusion."
)


def decide_plan(referral: Referral, event: PlanChanged, context: DecisionContext) -> Decision:
    """Set, move or cancel a plan; the latest report counts, whenever it arrives.

    Applied if what both sides see changes. A repeat and a late report are recorded. On an ended
    referral, only a report from before the ending is kept.
    """
    is_return_by_practice = event.actor is Actor.PRACTICE and event.plan is PlanKind.RETURN
    is_booking = event.source is EventSource.BOOKING and event.plan is PlanKind.CONSULTATION
    if event.actor is not Actor.CENTER and not (is_return_by_practice or is_booking):
        return _REJECTED_OTHER_SIDE
    if referral.submitted_at is None or referral.stage is Stage.DRAFT:
        return Pending()
    last = referral.last_applied_order
    if referral.stage in TERMINAL_STAGES and not (last and event.order < last):
        return REJECTED_CLOSED
    if is_return_by_practice and Stage.INFUSED not in referral.stage_entered_at:
        return Pending()
    updated = with_next_version(with_plan(referral, event), event, context)
    return Applied(updated) if _is_news(referral, updated, event.plan) else Recorded(updated)


def with_plan(referral: Referral, event: ReferralEvent) -> Referral:
    """Add the planned date that an event reports, if it reports one."""
    report = to_plan_report(event)
    return replace(referral, plans=referral.plans.with_report(report)) if report else referral


def with_planned_date(decision: Decision, before: Referral, event: StageChange) -> Decision:
    """Add the planned date of a status to the decision about the status.

    A repeat of the current status with another date is news: it is applied, and both sides are notified. A
    consultation that is reported once more for the time that is planned already is recorded only.
    """
    report = to_plan_report(event)
    if report is None or not isinstance(decision, Applied | Recorded):
        return decision
    updated = with_plan(decision.referral, event)
    is_same_status = event.stage is before.stage is Stage.CONSULT_SCHEDULED and event.reason_code is None
    if is_same_status and before.status.reason_code is None and not _is_news(before, updated, report.plan):
        return Recorded(updated)
    if isinstance(decision, Applied) or _is_news(before, updated, report.plan):
        return Applied(updated)
    return Recorded(updated)


def brings_new_date(before: Referral, after: Referral, event: ReferralEvent) -> bool:
    """Whether a status changed what both sides see of its planned date. Other events are news if they apply."""
    report = to_plan_report(event) if isinstance(event, StageChange) else None
    return report is None or _is_news(before, after, report.plan)


def find_impossible_date(referral: Referral, event: ReferralEvent, context: DecisionContext) -> Rejected | None:
    """Find why a planned date cannot be right: it is before the referral, or its hour does not exist.

    It is checked when the event arrives, and not in a replay: a center may move to another time zone.
    """
    replacement = event.replacement if isinstance(event, Corrected) else None
    report = to_plan_report(replacement or event)
    if report is None or report.canceled:
        return None
    data = "/data/replacement/data" if replacement else "/data"
    pointer = f"{data}/starts_at" if report.starts_at else f"{data}/on"
    if report.starts_at and _is_skipped_hour(report.starts_at, context.time_zone):
        text = "This hour does not exist at the center, because the clocks change. Check the time."
        return Rejected("no_such_hour", text, pointer)
    started_at = get_history_start(referral) if referral.submitted_at else None
    if started_at and _is_before(report, started_at - _BEFORE_SUBMISSION, context.time_zone):
        text = "This planned date is before the patient was referred. Check the date."
        return Rejected("planned_before_referral", text, pointer)
    return None


def to_plan_report(event: ReferralEvent) -> PlanReport | None:
    """Convert an event to what the state keeps of its planned date; None if it has none."""
    if isinstance(event, PlanChanged):
        kind, canceled = event.plan, event.canceled
    elif isinstance(event, StageChange) and event.stage in PLAN_BY_STAGE and (event.starts_at or event.on):
        kind, canceled = PLAN_BY_STAGE[event.stage], False
    else:
        return None
    return PlanReport(
        order=event.order,
        by=event.actor,
        plan=kind,
        starts_at=event.starts_at,
        on=event.on,
        mode=event.mode,
        place=event.place,
        contact=event.contact,
        canceled=canceled,
    )


def list_current_plans(referral: Referral) -> list[Plan]:
    """List the plans that both sides see. An ending cancels all plans, so an ended referral has none."""
    return [] if referral.stage in TERMINAL_STAGES else [*referral.plans.list_all()]


def list_open_plans(referral: Referral) -> Iterator[Plan]:
    """List the plans that are neither canceled nor carried out, in the usual order."""
    for plan in list_current_plans(referral):
        done_at = referral.stage_entered_at.get(STAGE_WHEN_DONE[plan.plan])
        # A plan that was made after the last time belongs to the next one: a second leukapheresis.
        if not plan.canceled and not (done_at and done_at >= plan.reported_at):
            yield plan


def is_consultation_missed(referral: Referral) -> bool:
    """Whether the patient missed the consultation, and no later date has been planned since.

    It follows from the current status and the planned dates, so a late report of a no-show, a corrected one, and
    a system that sends the missed date again change nothing that they should not.
    """
    if referral.stage is not Stage.CONSULT_SCHEDULED or referral.status.reason_code != ReasonCode.NO_SHOW:
        return False
    plan, missed_at = referral.plans.find(PlanKind.CONSULTATION), referral.stage_since
    if plan is None:
        return True
    earlier = tuple(each for each in referral.plans.reports if each.order.occurred_at < missed_at)
    known = Plans(reports=earlier).find(PlanKind.CONSULTATION)
    is_other_day = known is None or known.canceled or known.day != plan.day
    return not plan.canceled and not (is_other_day and _is_after(plan.day, missed_at))


def _is_after(day: PlannedDay, moment: datetime) -> bool:
    return day.starts_at > moment if day.starts_at else bool(day.on and day.on > moment.astimezone(UTC).date())


def find_next(plans: Iterable[DatedPlan], *, now: datetime, time_zone: str) -> DatedPlan | None:
    """Find the earliest planned date of today or later at the center."""
    today = to_local_day(now, time_zone)
    ahead = [plan for plan in plans if get_local_day(plan.day, time_zone) >= today]
    return min(ahead, key=lambda plan: get_sort_key(plan.day, time_zone), default=None)


def get_sort_key(day: PlannedDay, time_zone: str) -> tuple[date, float]:
    """The position of a planned date among others: by its day at the center, and one without a time first."""
    return get_local_day(day, time_zone), day.starts_at.timestamp() if day.starts_at else 0.0


def _is_news(before: Referral, after: Referral, kind: PlanKind) -> bool:
    if after.stage in TERMINAL_STAGES:
        return False
    plan, known = after.plans.find(kind), before.plans.find(kind)
    return plan is not None and not plan.says_the_same_as(known)


def _is_before(report: PlanReport, earliest: datetime, time_zone: str) -> bool:
    if report.starts_at:
        return report.starts_at < earliest
    return report.on is not None and report.on < to_local_day(earliest, time_zone)


def _is_skipped_hour(at: datetime, time_zone: str) -> bool:
    """Whether a sender wrote an hour in the center's own offset that its clocks skip in spring."""
    written = at.replace(tzinfo=None)
    local = written.replace(tzinfo=ZoneInfo(time_zone))
    if local.astimezone(UTC).astimezone(ZoneInfo(time_zone)).replace(tzinfo=None) == written:
        return False
    return at.utcoffset() in {local.utcoffset(), local.replace(fold=1).utcoffset()}
