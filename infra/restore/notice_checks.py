"""Compares the tasks, notices and emails of a referral with what the domain requires."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

from chalicelib.domain.notices.coverage_schedule import COVERAGE_DATE_PASSED_RULE
from chalicelib.domain.notices.document_notices import DOCUMENT_WORK_RULES
from chalicelib.domain.notices.notice_rules import Category
from chalicelib.domain.notices.planning import build_plan, find_skip_reason
from chalicelib.domain.notices.tasks import (
    ASK_PAYER_RULE,
    EXPIRE_PARKED_RULE,
    OPEN_MONITORING_RULE,
    OutboxTask,
    TaskQueue,
)
from chalicelib.domain.referrals.referral import Referral
from chalicelib.services.notices.notify import list_expected_notices
from chalicelib.services.platform.run_context import RunContext
from chalicelib.store.notices.leases import TaskState
from chalicelib.store.notices.notices import SentNotice
from chalicelib.store.notices.task_items import item_to_task
from chalicelib.store.platform.dynamo import DynamoTable, Item
from chalicelib.store.platform.timestamps import from_timestamp
from infra.restore import notice_fixes as fixes
from infra.restore.alert_checks import check_alert
from infra.restore.findings import Finding, FindingKind
from infra.restore.load import CheckScope
from infra.restore.referral_checks import build_finding
from infra.restore.required_tasks import ReferralHistory, list_required_tasks
from infra.restore.row_tasks import list_row_tasks
from infra.restore.sent_log import name_pair

_WORK_RULES = frozenset(
    {ASK_PAYER_RULE, COVERAGE_DATE_PASSED_RULE, EXPIRE_PARKED_RULE, OPEN_MONITORING_RULE, *DOCUMENT_WORK_RULES}
)
"""Tasks that do something and notify no one by themselves."""

_BATCH_SIZE = 100


def check_notices(history: ReferralHistory, scope: CheckScope) -> Iterator[Finding]:
    """Find tasks, notices and emails of a referral that are missing, and an overdue alert that is outdated."""
    referral, context = history.referral, scope.run
    required = {task.outbox_id: task for task in list_required_tasks(history, since=scope.since)}
    required |= {task.outbox_id: task for task in list_row_tasks(history, since=scope.since, context=context)}
    recent = {
        task.outbox_id: task
        for task in build_plan(referral)
        if scope.since - timedelta(days=1) <= task.due_at <= context.now
    }
    rows = _read_rows(context.stores.outbox.table, sorted({*required, *recent}))
    sent = list(_list_sent(history, scope))
    sent_by_task: dict[str, list[SentNotice]] = defaultdict(list)
    for notice in sent:
        sent_by_task[notice.outbox_id].append(notice)
    for outbox_id, task in required.items():
        if outbox_id not in rows:
            yield _build_missing_task(history, task, sent_by_task.get(outbox_id, ()))
        else:
            yield from _check_state(history, task, rows[outbox_id], scope)
    for outbox_id, task in (recent | required).items():
        if outbox_id in rows and task.rule not in _WORK_RULES:
            yield from _check_done(history, task, rows[outbox_id], scope)
    yield from _check_emails(history, sent, scope)
    yield from check_alert(history, sent_by_task, scope)


def _read_rows(table: DynamoTable, outbox_ids: Sequence[str]) -> Mapping[str, Item]:
    found: dict[str, Item] = {}
    for first in range(0, len(outbox_ids), _BATCH_SIZE):
        keys = [{"outbox_id": outbox_id} for outbox_id in outbox_ids[first : first + _BATCH_SIZE]]
        found |= {row["outbox_id"]: row for row in table.get_many(keys)}
    return found


def _list_sent(history: ReferralHistory, scope: CheckScope) -> Iterator[SentNotice]:
    """List the notices of both sides about a referral. The index is complete again long before a check."""
    referral, notices = history.referral, scope.run.stores.notices
    for tenant_id in (referral.practice_id, referral.center_id):
        if tenant_id:
            yield from notices.list_for_referral(referral.referral_id, tenant_id, up_to=None)


def _build_missing_task(history: ReferralHistory, task: OutboxTask, sent: Sequence[SentNotice]) -> Finding:
    if sent:
        # With the due time of the notices that exist, none of them is written a second time.
        due = datetime.strptime(min(each.due for each in sent), "%Y%m%dT%H%M%S%f").replace(tzinfo=UTC)
        task = replace(task, due_at=due)
    day = f" for {task.due_on}" if task.due_on else ""
    return build_finding(
        FindingKind.TASK_MISSING,
        history.referral,
        f"{task.rule}{day}",
        fix=lambda context: fixes.plan_task(task, context=context),
    )


def _check_state(history: ReferralHistory, task: OutboxTask, row: Item, scope: CheckScope) -> Iterator[Finding]:
    """Find a task that was skipped or done while the referral was in a later state than it is now."""
    referral, state = history.referral, TaskState(row["state"])
    is_past = task.due_at <= scope.run.now
    applies = find_skip_reason(task, referral) is None
    if state is TaskState.SKIPPED and task.queue is TaskQueue.PLAN and is_past and applies:
        yield build_finding(
            FindingKind.TASK_MISSING,
            referral,
            f"{task.rule} was skipped, and applies",
            fix=lambda context: fixes.replan_skipped(task, context=context),
        )
    if state is TaskState.DONE and task.rule == OPEN_MONITORING_RULE and applies:
        yield build_finding(
            FindingKind.TASK_MISSING,
            referral,
            f"{task.rule} is done, and monitoring is not open",
            fix=lambda context: fixes.replan_done(task, context=context),
        )


def _check_done(history: ReferralHistory, task: OutboxTask, row: Item, scope: CheckScope) -> Iterator[Finding]:
    """Find the notices of a finished task that are missing."""
    is_done = row["state"] == TaskState.DONE and "finished_at" in row
    if not is_done or from_timestamp(row["finished_at"]) < scope.since:
        return
    referral, stores = history.referral, scope.run.stores
    done = item_to_task(row | {"lane": task.queue})
    missing: list[tuple[str, str]] = []
    for notice in list_expected_notices(done, referral, context=scope.run):
        key = {"member_id": notice.member_id, "notice_id": notice.notice_id}
        if stores.notices.table.get(key) is None:
            missing.append((notice.member_id, notice.notice_id))
    if missing:
        finished_at = from_timestamp(row["finished_at"])
        found = [(pair, scope.joins.find("waiting", "/".join(pair))) for pair in missing]
        waiting = {pair: mail_id for pair, mail_id in found if mail_id}
        yield build_finding(
            FindingKind.NOTICE_MISSING,
            referral,
            f"{done.rule}, {len(missing)} members",
            fix=lambda context: fixes.write_notices(done, finished_at=finished_at, waiting=waiting, context=context),
        )


def _check_emails(history: ReferralHistory, sent: Sequence[SentNotice], scope: CheckScope) -> Iterator[Finding]:
    """Find notices whose email is not in the outbox, and of which no record shows that it was sent."""
    referral, stores = history.referral, scope.run.stores
    open_notices = [each for each in sent if each.mail_id and each.read_at is None and each.created_at >= scope.since]
    mails = _read_rows(stores.outbox.table, sorted({str(each.mail_id) for each in open_notices}))
    groups: dict[tuple[str, str], list[SentNotice]] = defaultdict(list)
    for each in open_notices:
        is_recorded = scope.joins.find("sent", name_pair(each.member_id, each.notice_id)) is not None
        is_recorded = is_recorded or stores.recipients.find_sent_mail(each.member_id, each.notice_id) is not None
        if each.mail_id not in mails and not is_recorded:
            groups[each.member_id, str(each.mail_id)].append(each)
    for (member_id, mail_id), notices in groups.items():
        is_critical = any(each.category is Category.CRITICAL for each in notices)
        is_unsent = is_critical or scope.has_sent_log
        yield build_finding(
            FindingKind.EMAIL_MISSING,
            referral,
            f"{mail_id} to {member_id}{' (critical)' if is_critical else ''}",
            fix=partial(_plan_mail, referral, notices) if is_unsent else None,
            advice=""
            if is_unsent
            else "Pass the log of sent emails with --sent-log; without it, it may be sent twice.",
        )


def _plan_mail(referral: Referral, notices: Sequence[SentNotice], context: RunContext) -> None:
    fixes.plan_mail(referral, notices, context=context)
