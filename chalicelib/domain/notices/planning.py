"""The plan of one referral: what is due when by the schedule, and why something no longer is."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import date, timedelta
from enum import StrEnum

from chalicelib.domain.notices.notice_schedule import (
    ACKNOWLEDGE_WITHIN_DAYS,
    HANDBACK_UNACKNOWLEDGED_RULE,
    NOTICE_SCHEDULE,
    NoticeSeries,
    list_due_days,
)
from chalicelib.domain.notices.tasks import OPEN_MONITORING_RULE, OutboxTask, TaskQueue
from chalicelib.domain.referrals.events import derive_id
from chalicelib.domain.referrals.monitoring_window import MonitoringWindow, get_start_of_day, to_local_day
from chalicelib.domain.referrals.referral import Referral
from chalicelib.domain.referrals.stages import TERMINAL_STAGES, Phase, Stage


class SkipReason(StrEnum):
    """Why a planned notice is not sent; stored with it, and shown on the referral's page."""

    CLOSED = "closed"
    SUPERSEDED = "superseded"
    """The plan has another day for it, or none."""
    ON_HOLD = "on_hold"
    HANDED_BACK = "handed_back"
    SATISFIED = "satisfied"
    OVERTAKEN = "overtaken"
    """It was past when the plan was made, and a later notice says more. Never stored."""


def build_plan(referral: Referral) -> Iterator[OutboxTask]:
    """Every notice of a referral from its infusion on, due from the start of its day there."""
    window = referral.window
    if window is None:
        return
    for rule, on in list_due_days(window):
        yield _build_task(referral, window, rule, on)
    handed_over = referral.stage_entered_at.get(Stage.HANDBACK_READY)
    if handed_over:
        on = to_local_day(handed_over, window.time_zone) + timedelta(days=ACKNOWLEDGE_WITHIN_DAYS)
        yield _build_task(referral, window, HANDBACK_UNACKNOWLEDGED_RULE, on)


def build_open_monitoring_task(referral: Referral, window: MonitoringWindow, *, infused_on: date) -> OutboxTask:
    """The task that moves the referral on to monitoring, the day after the last infusion.

    Not counted from the window's day 0: where the first part of a split dose opens the window,
    the second is still to come.
    """
    return _build_task(referral, window, OPEN_MONITORING_RULE, infused_on + timedelta(days=1))


def _build_task(referral: Referral, window: MonitoringWindow, rule: str, due_on: date) -> OutboxTask:
    return OutboxTask(
        outbox_id=derive_id("out", referral.referral_id, rule, due_on.isoformat()),
        referral_id=referral.referral_id,
        rule=rule,
        queue=TaskQueue.PLAN,
        due_at=get_start_of_day(due_on, window.time_zone),
        due_on=due_on,
        infused_on=window.infused_on,
    )


# ------------------------------------------------------------------------ what to plan anew


def list_tasks_to_plan(before: Referral, after: Referral) -> Iterator[OutboxTask]:
    """What has to be planned because a referral changed.

    That is what the earlier plan did not have, and what was silent and speaks again: a hold that
    ended, a death that was reported in error. Of what is past by then, only the last of each line
    is told, once: who was on hold for three weeks needs to know where things stand, and not each
    step on the way.
    """
    if after.window is None:
        return
    today = to_local_day(after.updated_at, after.window.time_zone)
    earlier = {task.outbox_id: task for task in build_plan(before)}
    same_rule = {task.rule: task for task in earlier.values()}
    past: dict[NoticeSeries, OutboxTask] = {}
    for task in build_plan(after):
        if task.outbox_id in earlier and not _becomes_due_again(task, before, after, today=today):
            continue
        fresh = _with_replaced_task(task, same_rule.get(task.rule))
        if get_local_day(task) >= today:
            yield fresh
        else:
            line = NOTICE_SCHEDULE[task.rule].series
            past[line] = max(past.get(line, fresh), fresh, key=get_local_day)
    yield from past.values()


def _becomes_due_again(task: OutboxTask, before: Referral, after: Referral, *, today: date) -> bool:
    """Whether something stands in both plans, is due, and makes sense only now."""
    if get_local_day(task) > today:
        return False
    return _find_silencing_reason(task, before) is not None and _find_silencing_reason(task, after) is None


def _with_replaced_task(task: OutboxTask, earlier: OutboxTask | None) -> OutboxTask:
    """The task, knowing which one had its place in the plan before, if that was another."""
    if earlier is None or earlier.outbox_id == task.outbox_id:
        return task
    if NOTICE_SCHEDULE[task.rule].series is NoticeSeries.ACKNOWLEDGEMENT:
        # Counted from a hand-back: another one is no correction of the first.
        return task
    return replace(task, replaces=earlier.outbox_id)


def get_local_day(task: OutboxTask) -> date:
    """The local day of a planned notice."""
    if task.due_on is None:
        raise ValueError("a planned notice has its day")
    return task.due_on


# ------------------------------------------------------------------------------ why not


def find_skip_reason(task: OutboxTask, referral: Referral) -> SkipReason | None:
    """Why a planned task makes no sense as the referral stands now; None if it does.

    What follows from an event is always told, that of an ending too.
    """
    if task.queue is not TaskQueue.PLAN:
        return None
    if referral.stage in TERMINAL_STAGES:
        return SkipReason.CLOSED
    if task.rule == OPEN_MONITORING_RULE:
        return _find_opening_skip_reason(task, referral)
    if (task.rule, task.due_on) not in {(other.rule, other.due_on) for other in build_plan(referral)}:
        return SkipReason.SUPERSEDED
    return _find_silencing_reason(task, referral)


def _find_silencing_reason(task: OutboxTask, referral: Referral) -> SkipReason | None:
    """Why something that stands in the plan is not told all the same."""
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
    # A center's own day of infusion may be the one before that of the zone.
    infused_on = to_local_day(referral.stage_entered_at[Stage.INFUSED], referral.window.time_zone)
    return SkipReason.SUPERSEDED if (task.due_on or infused_on) < infused_on else None


def _skip_if_handed_back(referral: Referral) -> bool:
    return referral.phase is Phase.FOLLOW_UP and referral.stage is not Stage.HANDBACK_READY


def _skip_if_window_over(referral: Referral) -> SkipReason | None:
    return SkipReason.HANDED_BACK if _skip_if_handed_back(referral) else None


def _skip_if_package_written(referral: Referral) -> SkipReason | None:
    if referral.stage is Stage.HANDBACK_READY:
        return SkipReason.SATISFIED
    return _skip_if_window_over(referral)


def _skip_if_acknowledged(referral: Referral) -> SkipReason | None:
    if referral.stage is Stage.HANDBACK_READY:
        return None
    return SkipReason.SATISFIED if _skip_if_handed_back(referral) else SkipReason.SUPERSEDED


def _skip_if_dose_complete(referral: Referral) -> SkipReason | None:
    is_awaited = referral.stage is Stage.INFUSED and referral.doses_given < referral.dose_total
    return None if is_awaited else SkipReason.SATISFIED


_SKIP_CHECKS: Mapping[NoticeSeries, Callable[[Referral], SkipReason | None]] = {
    NoticeSeries.WATCH: _skip_if_window_over,
    NoticeSeries.CHECK_IN: _skip_if_window_over,
    NoticeSeries.HANDBACK: _skip_if_window_over,
    NoticeSeries.OVERDUE: _skip_if_package_written,
    NoticeSeries.ACKNOWLEDGEMENT: _skip_if_acknowledged,
    NoticeSeries.DOSE: _skip_if_dose_complete,
}
"""What settles a line. Driving and follow-up are the practice's and go on after the hand-back."""
