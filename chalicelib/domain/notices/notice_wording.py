"""The wording of a notice: which sides a task notifies, and its title for each."""

from collections.abc import Iterator, Mapping

from chalicelib.domain.identity.members import TenantKind
from chalicelib.domain.notices.notice_rules import EVENT_RULES, OVERDUE_RULES, STAGE_RULES, Category, NoticeRule
from chalicelib.domain.notices.notice_schedule import NOTICE_SCHEDULE, NoticeSeries, ScheduledNotice
from chalicelib.domain.notices.overdue_alerts import AlertLevel
from chalicelib.domain.notices.tasks import OutboxTask, TaskQueue
from chalicelib.domain.referrals.stages import STAGE_FACTS, Stage

_CATEGORY_OF: Mapping[NoticeSeries, Category] = {
    NoticeSeries.WATCH: Category.WINDOW,
    NoticeSeries.CHECK_IN: Category.CHECK_IN,
    NoticeSeries.DOSE: Category.WINDOW,
    NoticeSeries.DRIVING: Category.WINDOW,
    NoticeSeries.HANDBACK: Category.WINDOW,
    NoticeSeries.OVERDUE: Category.OVERDUE,
    NoticeSeries.ACKNOWLEDGEMENT: Category.OVERDUE,
    NoticeSeries.FOLLOW_UP: Category.FOLLOW_UP,
}


def list_notice_rules(task: OutboxTask) -> Iterator[tuple[TenantKind, NoticeRule]]:
    """Which sides a task tells, and what."""
    if task.queue is TaskQueue.CLOCK:
        yield from _build_overdue_rules(task)
        return
    for rule in _find_rules(task):
        worded = rule._replace(title=_with_date_change_note(rule.title, task))
        yield from ((side, worded) for side in rule.sides)


def _find_rules(task: OutboxTask) -> Iterator[NoticeRule]:
    if task.queue is TaskQueue.PLAN:
        yield from _to_notice_rules(NOTICE_SCHEDULE[task.rule])
        return
    rule = STAGE_RULES.get(task.stage) if task.stage else EVENT_RULES.get(task.rule)
    if rule:
        yield rule


def _to_notice_rules(entry: ScheduledNotice) -> Iterator[NoticeRule]:
    """A row of the schedule; who leads first, since of one task a person has one notice."""
    category = _CATEGORY_OF[entry.series]
    if entry.leads:
        yield NoticeRule((TenantKind.CENTER,), entry.leads, category, leads=True)
    if entry.practice:
        yield NoticeRule((TenantKind.PRACTICE,), entry.practice, category)
    if entry.center:
        yield NoticeRule((TenantKind.CENTER,), entry.center, category)


def _with_date_change_note(title: str, task: OutboxTask) -> str:
    """The title, with what its reader would else take for a mistake of ours."""
    was_due = f" (was due on {task.due_on})" if task.is_late else ""
    return f"{task.date_change or ''}{title}{was_due}"


def _build_overdue_rules(task: OutboxTask) -> Iterator[tuple[TenantKind, NoticeRule]]:
    if not (task.side and task.stage and task.due_on):
        raise ValueError("a clock is told of with its stage, its side and its day")
    level = AlertLevel(task.rule)
    is_last = level is AlertLevel.ESCALATED
    levels = (level, AlertLevel.RED) if is_last and task.skipped_level_missed else (level,)
    since = f"{task.due_on:%B} {task.due_on.day}, {task.due_on.year}"
    # Who leads comes first: of one task a person has one notice.
    for each in levels:
        rule = OVERDUE_RULES[each]
        title = rule.title.format(since=since, stage=STAGE_FACTS[task.stage].label)
        # A draft is its practice's alone.
        sides = () if task.stage is Stage.DRAFT else rule.sides
        yield from ((side, rule._replace(title=title)) for side in sides or (task.side,))
