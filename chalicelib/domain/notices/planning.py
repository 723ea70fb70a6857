"""The plan of one referral: what is due when by the schedule, and why something no longer is."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import date, timedelta
from enum import StrEnum

from chalicelib.domain.notices.notice_rules import OPEN_MONITORING, Lane, Task
from chalicelib.domain.notices.notice_schedule import (
    ACKNOWLEDGED_WITHIN,
    HANDBACK_UNACKNOWLEDGED,
    SCHEDULE,
    Line,
    days,
)
from chalicelib.domain.referrals.events import derived_id
from chalicelib.domain.referrals.monitoring_window import Window, local_day, start_of_day
from chalicelib.domain.referrals.referral import Referral
from chalicelib.domain.referrals.stages import TERMINAL, Phase, Stage


class WhyNot(StrEnum):
    """Why a planned notice is not sent; stored with it, and shown on the referral's page."""

    CLOSED = "closed"
    SUPERSEDED = "superseded"
    """The plan has another day for it, or none."""
    ON_HOLD = "on_hold"
    HANDED_BACK = "handed_back"
    SATISFIED = "satisfied"
    OVERTAKEN = "overtaken"
    """It was past when the plan was made, and a later notice says more. Never stored."""


def plan_of(referral: Referral) -> Iterator[Task]:
    """Every notice of a referral from its infusion on, due from the start of its day there."""
    window = referral.window
    if window is None:
        return
    for rule, on in days(window):
        yield _planned(referral, window, rule, on)
    handed_over = referral.reached.get(Stage.HANDBACK_READY)
    if handed_over:
        on = local_day(handed_over, window.time_zone) + timedelta(days=ACKNOWLEDGED_WITHIN)
        yield _planned(referral, window, HANDBACK_UNACKNOWLEDGED, on)


def opening(referral: Referral, window: Window, *, infused_on: date) -> Task:
    """The task that moves the referral on to monitoring, the day after the last infusion.

    Not counted from the window's day 0: where the first part of a split dose opens the window,
    the second is still to come.
    """
    return _planned(referral, window, OPEN_MONITORING, infused_on + timedelta(days=1))


def _planned(referral: Referral, window: Window, rule: str, due_on: date) -> Task:
    return Task(
        outbox_id=derived_id("out", referral.referral_id, rule, due_on.isoformat()),
        referral_id=referral.referral_id,
        rule=rule,
        lane=Lane.PLAN,
        due_at=start_of_day(due_on, window.time_zone),
        due_on=due_on,
        counted_from=window.infused_on,
    )


# ------------------------------------------------------------------------ what to plan anew


def to_plan(before: Referral, after: Referral) -> Iterator[Task]:
    """What has to be planned because a referral changed.

    That is what the earlier plan did not have, and what was silent and speaks again: a hold that
    ended, a death that was reported in error. Of what is past by then, only the last of each line
    is told, once: who was on hold for three weeks needs to know where things stand, and not each
    step on the way.
    """
    if after.window is None:
        return
    today = local_day(after.updated_at, after.window.time_zone)
    earlier = {task.outbox_id: task for task in plan_of(before)}
    same_rule = {task.rule: task for task in earlier.values()}
    past: dict[Line, Task] = {}
    for task in plan_of(after):
        if task.outbox_id in earlier and not _speaks_again(task, before, after, today=today):
            continue
        fresh = _instead_of(task, same_rule.get(task.rule))
        if day_of(task) >= today:
            yield fresh
        else:
            line = SCHEDULE[task.rule].line
            past[line] = max(past.get(line, fresh), fresh, key=day_of)
    yield from past.values()


def _speaks_again(task: Task, before: Referral, after: Referral, *, today: date) -> bool:
    """Whether something stands in both plans, is due, and makes sense only now."""
    if day_of(task) > today:
        return False
    return _silenced(task, before) is not None and _silenced(task, after) is None


def _instead_of(task: Task, earlier: Task | None) -> Task:
    """The task, knowing which one had its place in the plan before, if that was another."""
    if earlier is None or earlier.outbox_id == task.outbox_id:
        return task
    if SCHEDULE[task.rule].line is Line.ACKNOWLEDGEMENT:
        # Counted from a hand-back: another one is no correction of the first.
        return task
    return replace(task, replaces=earlier.outbox_id)


def day_of(task: Task) -> date:
    """The local day of a planned notice."""
    if task.due_on is None:
        raise ValueError("a planned notice has its day")
    return task.due_on


# ------------------------------------------------------------------------------ why not


def why_not(task: Task, referral: Referral) -> WhyNot | None:
    """Why a planned task makes no sense as the referral stands now; None if it does.

    What follows from an event is always told, that of an ending too.
    """
    if task.lane is not Lane.PLAN:
        return None
    if referral.stage in TERMINAL:
        return WhyNot.CLOSED
    if task.rule == OPEN_MONITORING:
        return _why_not_opened(task, referral)
    if (task.rule, task.due_on) not in {(other.rule, other.due_on) for other in plan_of(referral)}:
        return WhyNot.SUPERSEDED
    return _silenced(task, referral)


def _silenced(task: Task, referral: Referral) -> WhyNot | None:
    """Why something that stands in the plan is not told all the same."""
    if referral.stage in TERMINAL:
        return WhyNot.CLOSED
    if referral.overlay.hold:
        return WhyNot.ON_HOLD
    reason = _REASONS.get(SCHEDULE[task.rule].line)
    return reason(referral) if reason else None


def _why_not_opened(task: Task, referral: Referral) -> WhyNot | None:
    if referral.window is None:
        return WhyNot.SUPERSEDED
    if referral.stage is not Stage.INFUSED:
        return WhyNot.SATISFIED
    # A center's own day of infusion may be the one before that of the zone.
    told = local_day(referral.reached[Stage.INFUSED], referral.window.time_zone)
    return WhyNot.SUPERSEDED if (task.due_on or told) < told else None


def _is_back(referral: Referral) -> bool:
    return referral.phase is Phase.FOLLOW_UP and referral.stage is not Stage.HANDBACK_READY


def _window_over(referral: Referral) -> WhyNot | None:
    return WhyNot.HANDED_BACK if _is_back(referral) else None


def _package_there(referral: Referral) -> WhyNot | None:
    if referral.stage is Stage.HANDBACK_READY:
        return WhyNot.SATISFIED
    return _window_over(referral)


def _acknowledged(referral: Referral) -> WhyNot | None:
    if referral.stage is Stage.HANDBACK_READY:
        return None
    return WhyNot.SATISFIED if _is_back(referral) else WhyNot.SUPERSEDED


def _dose_complete(referral: Referral) -> WhyNot | None:
    is_awaited = referral.stage is Stage.INFUSED and referral.part < referral.of
    return None if is_awaited else WhyNot.SATISFIED


_REASONS: Mapping[Line, Callable[[Referral], WhyNot | None]] = {
    Line.WATCH: _window_over,
    Line.CHECK_IN: _window_over,
    Line.HANDBACK: _window_over,
    Line.OVERDUE: _package_there,
    Line.ACKNOWLEDGEMENT: _acknowledged,
    Line.DOSE: _dose_complete,
}
"""What settles a line. Driving and follow-up are the practice's and go on after the hand-back."""
