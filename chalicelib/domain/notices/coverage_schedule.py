"""What is planned for the dates of a referral's coverage: reminders before they end, and recording that they ended.

Days are those of the practice, which usually talks to the payer. The reminders at half time, 7 days and 2 days
before, and on the day itself are this product's own proposal.
"""

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import NamedTuple

from chalicelib.domain.notices.tasks import OutboxTask, TaskQueue
from chalicelib.domain.platform.ids import derive_id
from chalicelib.domain.referrals.coverage_status import AuthorizationState, CoverageDeadline, DeadlineKind, TrackStatus
from chalicelib.domain.referrals.monitoring_window import get_start_of_day

COVERAGE_DATE_PASSED_RULE = "coverage_date_passed"
"""Records what ended the day before. The notices follow from what is recorded."""

REMIND_BEFORE_END = timedelta(days=7)


class CoverageReminder(NamedTuple):
    """A reminder: its title, and whether the last chance is near."""

    title: str
    is_last: bool = False


COVERAGE_REMINDERS: Mapping[str, CoverageReminder] = {
    "coverage_verification_ends": CoverageReminder("The benefits check expires in 7 days: verify again"),
    "coverage_authorization_ends": CoverageReminder("The payer's authorization ends in 7 days"),
    "coverage_clearance_ends": CoverageReminder("The coverage clearance ends in 7 days"),
    "coverage_information_half": CoverageReminder("Half of the time to answer the payer has passed"),
    "coverage_information_7_days": CoverageReminder("The payer's deadline for information is in 7 days"),
    "coverage_information_2_days": CoverageReminder("The payer's deadline for information is in 2 days"),
    "coverage_appeal_half": CoverageReminder("Half of the time to appeal the denial has passed"),
    "coverage_appeal_7_days": CoverageReminder("The time to appeal the denial ends in 7 days"),
    "coverage_appeal_2_days": CoverageReminder("The time to appeal the denial ends in 2 days", is_last=True),
    "coverage_appeal_today": CoverageReminder("The time to appeal the denial ends today", is_last=True),
    "coverage_decision_half": CoverageReminder("Half of the time until the payer's expected decision has passed"),
    "coverage_decision_7_days": CoverageReminder("The payer's decision is expected in 7 days"),
    "coverage_decision_2_days": CoverageReminder("The payer's decision is expected in 2 days"),
}
"""The reminders by rule. Both sides get them."""


def list_coverage_days(status: TrackStatus) -> Iterator[tuple[str, date]]:
    """List every rule that follows from the dates of a coverage, with its day at the practice."""
    is_approved = status.authorization is AuthorizationState.APPROVED and not status.is_authorization_of_earlier_plan
    approved_until = status.authorized_until if is_approved else None
    ends = (
        ("coverage_verification_ends", status.verified_until),
        ("coverage_authorization_ends", approved_until),
        ("coverage_clearance_ends", status.cleared_until),
    )
    for rule, last_day in ends:
        if last_day:
            yield rule, last_day - REMIND_BEFORE_END
    if status.deadline:
        yield from _list_deadline_days(status.deadline)
    last_days = {status.verified_until, approved_until, status.cleared_until, status.plan_year_ends_on} - {None}
    for last_day in sorted(day for day in last_days if day):
        yield COVERAGE_DATE_PASSED_RULE, last_day + timedelta(days=1)


def _list_deadline_days(deadline: CoverageDeadline) -> Iterator[tuple[str, date]]:
    prefix = f"coverage_{deadline.kind}"
    total = (deadline.on - deadline.entered_on).days
    days_before = {f"{prefix}_7_days": 7, f"{prefix}_2_days": 2}
    if deadline.kind is DeadlineKind.APPEAL:
        days_before[f"{prefix}_today"] = 0
    half = total // 2
    if half > max(days_before.values()):
        # At half time the reader still has more time than any later reminder leaves.
        days_before[f"{prefix}_half"] = half
    for rule, days in days_before.items():
        if days < total or days == 0:
            yield rule, deadline.on - timedelta(days=days)


def build_coverage_tasks(referral_id: str, status: TrackStatus, *, today: date, time_zone: str) -> Iterator[OutboxTask]:
    """Build the tasks of a coverage that are due today or later at the practice."""
    for rule, on in list_coverage_days(status):
        if on >= today:
            yield _build_task(referral_id, rule, on, time_zone)


def build_tasks_of_reopened(
    referral_id: str, status: TrackStatus, *, today: date, time_zone: str
) -> Iterator[OutboxTask]:
    """Build the tasks that may have been skipped while a referral was closed, and are still needed.

    That is what is due today, and recording what ended meanwhile. A reminder of an earlier day comes too late.
    """
    for rule, on in list_coverage_days(status):
        if on == today or (on < today and rule == COVERAGE_DATE_PASSED_RULE):
            yield _build_task(referral_id, rule, on, time_zone)


def _build_task(referral_id: str, rule: str, on: date, time_zone: str) -> OutboxTask:
    return OutboxTask(
        outbox_id=derive_id("out", referral_id, rule, on.isoformat()),
        referral_id=referral_id,
        rule=rule,
        queue=TaskQueue.PLAN,
        due_at=get_start_of_day(on, time_zone),
        due_on=on,
    )


def is_coverage_rule(rule: str) -> bool:
    """Whether a planned task is about the coverage."""
    return rule in COVERAGE_REMINDERS or rule == COVERAGE_DATE_PASSED_RULE


def is_coverage_task_current(task: OutboxTask, status: TrackStatus) -> bool:
    """Whether the coverage still has the day that a task was planned for."""
    return (task.rule, task.due_on) in set(list_coverage_days(status))
