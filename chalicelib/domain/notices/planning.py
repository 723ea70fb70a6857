"""The planned notices of one referral: when each is due, and why one is skipped."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from enum import StrEnum

from chalicelib.domain.consultation.follow_fact import find_planned
from chalicelib.domain.notices.coverage_schedule import is_coverage_rule, is_coverage_task_current
from chalicelib.domain.notices.notice_schedule import (
    ACKNOWLEDGE_WITHIN_DAYS,
    CONSULTATION_REMINDER_RULE,
    HANDBACK_UNACKNOWLEDGED_RULE,
    NOTICE_SCHEDULE,
    NoticeSeries,
    list_due_days,
)
from chalicelib.domain.notices.tasks import OPEN_MONITORING_RULE, OutboxTask, TaskQueue
from chalicelib.domain.platform.ids import derive_id
from chalicelib.domain.referrals.history_start import get_referred_on
from chalicelib.domain.referrals.insurance_status import find_coverage_status
from chalicelib.domain.referrals.monitoring_window import MonitoringWindow, get_start_of_day, to_local_day
from chalicelib.domain.referrals.plans import Plan
from chalicelib.domain.referrals.plans import get_local_day as get_local_plan_day
from chalicelib.domain.referrals.referral import Referral
from chalicelib.domain.referrals.stages import TERMINAL_STAGES, Phase, Stage


class SkipReason(StrEnum):
    """Why a planned notice is skipped. It is stored with the notice and shown on the referral page."""

    CLOSED = "closed"
    SUPERSEDED = "superseded"
    """The plan has another day for it, or no longer has it."""
    ON_HOLD = "on_hold"
    HANDED_BACK = "handed_back"
    SATISFIED = "satisfied"
    OVERTAKEN = "overtaken"
    """It was past when the plan was made, and a later notice of its series replaces it. Never stored."""


def build_plan(referral: Referral) -> Iterator[OutboxTask]:
    """Build every notice of a referral from its infusion on, due when its day begins at the center."""
    window = referral.window
    if window is None:
        return
    for rule, on in list_due_days(window):
        yield _build_task(referral, window, rule, on)
    handback_ready_at = referral.stage_entered_at.get(Stage.HANDBACK_READY)
    if handback_ready_at:
        on = to_local_day(handback_ready_at, window.time_zone) + timedelta(days=ACKNOWLEDGE_WITHIN_DAYS)
        yield _build_task(referral, window, HANDBACK_UNACKNOWLEDGED_RULE, on)


def build_open_monitoring_task(referral: Referral, window: MonitoringWindow, *, infused_on: date) -> OutboxTask:
    """Build the task that moves the referral to monitoring, the day after the last infusion.

    It does not count from day 0 of the monitoring window: if the first infusion of a split dose
    opens the window, the second is still to come.
    """
    return _build_task(referral, window, OPEN_MONITORING_RULE, infused_on + timedelta(days=1))


def build_consultation_reminder(referral: Referral, *, time_zone: str, now: datetime) -> OutboxTask | None:
    """Build the reminder of a planned consultation, due when the day before begins at the center.

    None if no consultation is planned, or if that day has begun: then its notice has just been sent.
    """
    planned = find_planned(referral)
    if planned is None:
        return None
    due_on = get_local_plan_day(planned.day, time_zone) - timedelta(days=1)
    due_at = get_start_of_day(due_on, time_zone)
    if due_at <= now:
        return None
    return OutboxTask(
        outbox_id=_derive_reminder_id(referral, planned),
        referral_id=referral.referral_id,
        rule=CONSULTATION_REMINDER_RULE,
        queue=TaskQueue.PLAN,
        due_at=due_at,
        due_on=due_on,
    )


def _derive_reminder_id(referral: Referral, planned: Plan) -> str:
    """The id of the reminder of one planned time, so that a moved consultation has another reminder."""
    when = planned.day.starts_at or planned.day.on
    return derive_id("out", referral.referral_id, CONSULTATION_REMINDER_RULE, when.isoformat() if when else "")


def _build_task(referral: Referral, window: MonitoringWindow, rule: str, due_on: date) -> OutboxTask:
    return OutboxTask(
        outbox_id=derive_id("out", referral.referral_id, rule, due_on.isoformat()),
        referral_id=referral.referral_id,
        rule=rule,
        queue=TaskQueue.PLAN,
        due_at=get_start_of_day(due_on, window.time_zone),
        due_on=due_on,
        infused_on=window.infused_on,
        is_product_named=window.profile.is_product_named,
    )


# ------------------------------------------------------------------------ what to plan after a change


def list_tasks_to_plan(before: Referral, after: Referral) -> Iterator[OutboxTask]:
    """List what must be planned because a referral changed.

    That is what the earlier plan did not have, and what was skipped and now applies again: after a
    hold that ended, or a death that was reported in error. Of the notices that are past by then,
    only the last of each series is sent, once: after a hold of three weeks, the reader needs the
    current state and not each step that led to it. Of a patient who was already on the way, nothing is
    sent about the days before the submission.
    """
    if after.window is None:
        return
    today = to_local_day(after.updated_at, after.window.time_zone)
    earlier = {task.outbox_id: task for task in build_plan(before)}
    earlier_by_rule = {task.rule: task for task in earlier.values()}
    past: dict[NoticeSeries, OutboxTask] = {}
    for planned in build_plan(after):
        if planned.outbox_id in earlier and not _becomes_due_again(planned, before, after, today=today):
            continue
        task = _with_replaced_task(planned, earlier_by_rule.get(planned.rule))
        if get_local_day(task) >= today:
            yield task
        elif not _is_before_submission(task, after):
            series = NOTICE_SCHEDULE[task.rule].series
            past[series] = max(past.get(series, task), task, key=get_local_day)
    yield from past.values()


def _is_before_submission(task: OutboxTask, referral: Referral) -> bool:
    """Whether a notice of a patient who was already on the way was due before the referral was entered."""
    if referral.submitted_at is None or referral.window is None or get_referred_on(referral) is None:
        return False
    return get_local_day(task) < to_local_day(referral.submitted_at, referral.window.time_zone)


def _becomes_due_again(task: OutboxTask, before: Referral, after: Referral, *, today: date) -> bool:
    """Whether a task of both plans is due and was skipped before the change, but now applies."""
    if get_local_day(task) > today:
        return False
    return _find_silencing_reason(task, before) is not None and _find_silencing_reason(task, after) is None


def _with_replaced_task(task: OutboxTask, earlier: OutboxTask | None) -> OutboxTask:
    """The task, with the id of the task that it replaces in the earlier plan, if that is another."""
    if earlier is None or earlier.outbox_id == task.outbox_id:
        return task
    if NOTICE_SCHEDULE[task.rule].series is NoticeSeries.ACKNOWLEDGEMENT:
        # It counts from a return to the practice: a second return does not correct the first.
        return task
    return replace(task, replaces=earlier.outbox_id)


def get_local_day(task: OutboxTask) -> date:
    """The local day on which a planned notice is due."""
    if task.due_on is None:
        raise ValueError("a planned notice needs its day")
    return task.due_on


# ------------------------------------------------------------------------------ why a notice is skipped


def find_skip_reason(task: OutboxTask, referral: Referral) -> SkipReason | None:
    """Find why a planned task no longer applies to the referral; None if it does apply.

    What follows from an event is always sent, even if the event ended the referral.
    """
    if task.queue is not TaskQueue.PLAN:
        return None
    if referral.stage in TERMINAL_STAGES:
        return SkipReason.CLOSED
    if is_coverage_rule(task.rule) or task.rule == CONSULTATION_REMINDER_RULE:
        return None if _is_reminder_current(task, referral) else SkipReason.SUPERSEDED
    if task.rule == OPEN_MONITORING_RULE:
        return _find_opening_skip_reason(task, referral)
    if (task.rule, task.due_on) not in {(other.rule, other.due_on) for other in build_plan(referral)}:
        return SkipReason.SUPERSEDED
    return _find_silencing_reason(task, referral)


def _is_reminder_current(task: OutboxTask, referral: Referral) -> bool:
    """Whether a reminder of a date of the coverage, or of the consultation, is about the date that counts now."""
    if is_coverage_rule(task.rule):
        return is_coverage_task_current(task, find_coverage_status(referral))
    planned = find_planned(referral)
    return planned is not None and _derive_reminder_id(referral, planned) == task.outbox_id


def _find_silencing_reason(task: OutboxTask, referral: Referral) -> SkipReason | None:
    """Find why a notice of the current plan is skipped nevertheless."""
    if referral.stage in TERMINAL_STAGES:
        return SkipReason.CLOSED
    if referral.status.hold:
        return SkipReason.ON_HOLD
    reason = _SKIP_CHECKS.get(NOTICE_SCHEDULE[task.rule].series)
    return reason(referral) if reason else None


def _find_opening_skip_reason(task: OutboxTask, referral: Referral) -> SkipReason | None:
    if referral.window is None:
        return SkipReason.SUPERSEDED
    if referral.stage is not Stage.INFUSED:
        return SkipReason.SATISFIED
    if referral.doses_given < referral.dose_total:
        # The center named a product with a further dose after the task was planned.
        return SkipReason.SUPERSEDED
    # The center can give a local infusion date that is one day before the date in the time zone.
    infused_on = to_local_day(referral.stage_entered_at[Stage.INFUSED], referral.window.time_zone)
    return SkipReason.SUPERSEDED if (task.due_on or infused_on) < infused_on else None


def _is_handed_back(referral: Referral) -> bool:
    return referral.phase is Phase.FOLLOW_UP and referral.stage is not Stage.HANDBACK_READY


def _skip_if_window_over(referral: Referral) -> SkipReason | None:
    return SkipReason.HANDED_BACK if _is_handed_back(referral) else None


def _skip_if_package_written(referral: Referral) -> SkipReason | None:
    if referral.stage is Stage.HANDBACK_READY:
        return SkipReason.SATISFIED
    return _skip_if_window_over(referral)


def _skip_if_acknowledged(referral: Referral) -> SkipReason | None:
    if referral.stage is Stage.HANDBACK_READY:
        return None
    return SkipReason.SATISFIED if _is_handed_back(referral) else SkipReason.SUPERSEDED


def _skip_if_dose_complete(referral: Referral) -> SkipReason | None:
    is_awaited = referral.stage is Stage.INFUSED and referral.doses_given < referral.dose_total
    return None if is_awaited else SkipReason.SATISFIED


_SKIP_CHECKS: Mapping[NoticeSeries, Callable[[Referral], SkipReason | None]] = {
    NoticeSeries.MONITORING: _skip_if_window_over,
    NoticeSeries.CHECK_IN: _skip_if_window_over,
    NoticeSeries.HANDBACK: _skip_if_window_over,
    NoticeSeries.OVERDUE: _skip_if_package_written,
    NoticeSeries.ACKNOWLEDGEMENT: _skip_if_acknowledged,
    NoticeSeries.DOSE: _skip_if_dose_complete,
}
"""What ends a series. Driving and follow-up concern the practice and continue after the return."""
