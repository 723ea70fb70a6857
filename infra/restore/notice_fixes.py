"""Repairs of tasks, notices and emails. None of them sends an email that a record shows as sent."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime

from chalicelib.domain.identity.members import Member
from chalicelib.domain.notices.mail_timing import Mail, MailKind
from chalicelib.domain.notices.notice_rules import Category
from chalicelib.domain.notices.tasks import OutboxTask, TaskQueue
from chalicelib.domain.platform.ids import derive_id
from chalicelib.domain.referrals.referral import Referral
from chalicelib.services.notices.care_detail import with_care_detail
from chalicelib.services.notices.notify import notify_recipients
from chalicelib.services.notices.planned_tasks import with_lateness
from chalicelib.services.platform.run_context import RunContext
from chalicelib.store.notices.notices import SentNotice
from chalicelib.store.notices.planned_tasks import prepare_replan_done
from chalicelib.store.platform.dynamo import TransactionWrite
from chalicelib.store.platform.transactions import ConditionFailedError


def plan_task(task: OutboxTask, *, context: RunContext) -> None:
    """Plan a task that the outbox lost."""
    _commit_once(context.stores.outbox.prepare_plan(task), context=context)


def replan_skipped(task: OutboxTask, *, context: RunContext) -> None:
    """Plan a task again that was skipped because of something that a restore took back."""
    _commit_once(context.stores.outbox.prepare_replan_skipped(task), context=context)


def replan_done(task: OutboxTask, *, context: RunContext) -> None:
    """Plan a task again whose effect a restore took back."""
    _commit_once(prepare_replan_done(context.stores.outbox, task), context=context)


def _commit_once(write: TransactionWrite, *, context: RunContext) -> None:
    with suppress(ConditionFailedError):
        context.stores.transactions.commit(write)


def write_notices(
    done: OutboxTask, *, finished_at: datetime, waiting: Mapping[tuple[str, str], str], context: RunContext
) -> None:
    """Write the notices of a finished task again, as they read when it was done.

    They are written here and not by the job, so that an email that waits for them finds them.

    Args:
        done: The task.
        finished_at: When it was done.
        waiting: The email that waits for a notice, by member and notice. It needs no other email.
        context: The tables and the time.
    """
    for (member_id, notice_id), mail_id in waiting.items():
        context.stores.recipients.record_sent_mail(member_id, notice_id, mail_id)
    referral = context.stores.referrals.get(done.referral_id)
    if referral is None:
        return
    then = RunContext(context.stores, finished_at)
    task = with_care_detail(done, referral, context=then) if done.queue is TaskQueue.EVENT else done
    notify_recipients(with_lateness(task, referral, context=then), referral, context=context)


def plan_mail(referral: Referral, notices: Sequence[SentNotice], *, context: RunContext) -> None:
    """Plan the email of notices to one member that the outbox lost."""
    first = notices[0]
    member = _find_member(referral, first.member_id, context=context)
    if member is None or first.mail_id is None:
        return
    is_critical = any(each.category is Category.CRITICAL for each in notices)
    mail = Mail(
        mail_id=first.mail_id,
        kind=MailKind.CRITICAL if is_critical else MailKind.NOTICE,
        member_id=member.member_id,
        recipient_subject=member.subject,
        tenant_id=member.tenant_id,
        referral_id=referral.referral_id,
        notice_ids=tuple(sorted(each.notice_id for each in notices)),
        due_at=context.now,
        late_since=min(each.created_at for each in notices),
    )
    _commit_once(context.stores.mails.prepare_plan(mail), context=context)
    for each in notices:
        # If the event is reported again, its notice has another due time, and needs no second email.
        context.stores.recipients.record_sent_mail(each.member_id, each.notice_id, mail.mail_id)


def _find_member(referral: Referral, member_id: str, *, context: RunContext) -> Member | None:
    tenants = [tenant_id for tenant_id in (referral.practice_id, referral.center_id) if tenant_id]
    found = (context.stores.members.get_by_member_id(tenant_id, member_id) for tenant_id in tenants)
    return next((member for member in found if member), None)


def derive_alert_task_id(referral_id: str, level: str, stage_visit: str) -> str:
    """The id of the task of an overdue alert."""
    return derive_id("out", level, referral_id, stage_visit)
