"""The wording of a notice: which sides a task notifies, and the title for each side."""

from collections.abc import Iterator, Mapping

from chalicelib.domain.identity.members import TenantKind
from chalicelib.domain.notices.coverage_notices import COVERAGE_REMINDER_RULES, COVERAGE_RULES
from chalicelib.domain.notices.notice_rules import (
    EVENT_RULES,
    FACT_RULES,
    OVERDUE_RULES,
    STAGE_RULES,
    Category,
    NoticeRule,
)
from chalicelib.domain.notices.notice_schedule import NOTICE_SCHEDULE, NoticeSeries, ScheduledNotice
from chalicelib.domain.notices.overdue_alerts import AlertLevel
from chalicelib.domain.notices.tasks import OutboxTask, TaskQueue
from chalicelib.domain.platform.dates import format_date
from chalicelib.domain.referrals.monitoring_window import name_longest_minimum
from chalicelib.domain.referrals.stages import STAGE_FACTS, Stage

_CATEGORY_OF: Mapping[NoticeSeries, Category] = {
    NoticeSeries.CONSULTATION: Category.WINDOW,
    NoticeSeries.MONITORING: Category.WINDOW,
    NoticeSeries.CHECK_IN: Category.CHECK_IN,
    NoticeSeries.DOSE: Category.WINDOW,
    NoticeSeries.DRIVING: Category.WINDOW,
    NoticeSeries.HANDBACK: Category.WINDOW,
    NoticeSeries.OVERDUE: Category.OVERDUE,
    NoticeSeries.ACKNOWLEDGEMENT: Category.OVERDUE,
    NoticeSeries.FOLLOW_UP: Category.FOLLOW_UP,
}


def list_notice_rules(task: OutboxTask) -> Iterator[tuple[TenantKind, NoticeRule]]:
    """List the sides that a task notifies, each with the rule that applies."""
    if task.queue is TaskQueue.OVERDUE:
        yield from _build_overdue_rules(task)
        return
    for rule in _find_rules(task):
        complete_rule = rule._replace(title=_with_date_change_note(rule.title, task))
        sides = (task.side,) if task.side else rule.sides
        yield from ((side, complete_rule) for side in sides)


def _find_rules(task: OutboxTask) -> Iterator[NoticeRule]:
    if task.queue is TaskQueue.PLAN and task.rule in COVERAGE_REMINDER_RULES:
        yield COVERAGE_REMINDER_RULES[task.rule]
        return
    if task.queue is TaskQueue.PLAN:
        for rule in _to_notice_rules(NOTICE_SCHEDULE[task.rule]):
            title = name_longest_minimum(rule.title, is_product_named=task.is_product_named)
            yield rule._replace(title=title)
        return
    rules = {**EVENT_RULES, **FACT_RULES, **COVERAGE_RULES}
    found = STAGE_RULES.get(task.stage) if task.stage else rules.get(task.rule)
    if found:
        yield found


def _to_notice_rules(notice: ScheduledNotice) -> Iterator[NoticeRule]:
    """Convert a row of the schedule. Administrators come first: a person gets one notice per task."""
    category = _CATEGORY_OF[notice.series]
    if notice.center_admins:
        yield NoticeRule((TenantKind.CENTER,), notice.center_admins, category, admins_only=True)
    if notice.practice:
        yield NoticeRule((TenantKind.PRACTICE,), notice.practice, category)
    if notice.center:
        yield NoticeRule((TenantKind.CENTER,), notice.center, category)


def _with_date_change_note(title: str, task: OutboxTask) -> str:
    """Add what explains an unexpected date: that the day changed, or that the notice is late."""
    was_due = f" (was due {format_date(task.due_on)})" if task.is_late and task.due_on else ""
    return f"{task.date_change or ''}{title}{was_due}"


def _build_overdue_rules(task: OutboxTask) -> Iterator[tuple[TenantKind, NoticeRule]]:
    if not (task.side and task.stage and task.due_on):
        raise ValueError("an overdue alert needs its stage, its side and its day")
    level = AlertLevel(task.rule)
    is_escalation = level is AlertLevel.ESCALATED
    levels = (level, AlertLevel.RED) if is_escalation and task.skipped_level_missed else (level,)
    since = format_date(task.due_on)
    # The escalation to administrators comes first: a person gets one notice per task.
    for sent_level in levels:
        rule = OVERDUE_RULES[sent_level]
        title = rule.title.format(since=since, stage=STAGE_FACTS[task.stage].label)
        # Only the practice knows of a draft.
        sides = () if task.stage is Stage.DRAFT else rule.sides
        yield from ((side, rule._replace(title=title)) for side in sides or (task.side,))
