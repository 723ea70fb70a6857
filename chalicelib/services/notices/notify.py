"""Notify people about a task: who must know, their notices, and the emails in which these wait.

A notice and its place in an email are written in one transaction, so no one is notified without an
email, or twice. Nothing is sent here: an email is a row of the outbox, and
`services.notices.send_mail` sends it. Quiet hours and the hour of a daily email are applied by
`mail_timing.compute_mail_time`.

To add a notice, add its rule to `domain.notices.notice_rules`.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import TypedDict

from chalicelib.domain.consultation.invitations import InvitationMethod
from chalicelib.domain.identity.members import Member, TenantKind
from chalicelib.domain.notices.consultation_notices import is_invited
from chalicelib.domain.notices.mail_timing import (
    DAILY_THREAD,
    LATE_AFTER,
    LastMail,
    Mail,
    MailKind,
    MailTiming,
    Preferences,
    compute_mail_time,
    find_joinable,
    get_thread_key,
)
from chalicelib.domain.notices.notice_rules import Category, NoticeRule
from chalicelib.domain.notices.notice_wording import list_notice_rules
from chalicelib.domain.notices.tasks import OutboxTask
from chalicelib.domain.platform.ids import derive_id
from chalicelib.domain.referrals.consent import is_sharing_stopped
from chalicelib.domain.referrals.referral import Referral
from chalicelib.domain.referrals.stages import Stage
from chalicelib.services.platform.optimistic import commit_with_retry
from chalicelib.services.platform.run_context import RunContext
from chalicelib.store.all_stores import Stores
from chalicelib.store.notices.mails import MAIL
from chalicelib.store.notices.notices import NOTICE, Notice, format_due_time
from chalicelib.store.notices.recipients import Recipient
from chalicelib.store.platform.dynamo import TransactionWrite
from chalicelib.store.platform.transactions import ConditionFailedError

LATE_AFTER_DAY = timedelta(days=1)


class _Timing(TypedDict):
    """What decides about the time of an email, besides the preferences."""

    zone: str
    now: datetime
    day: date | None


@dataclass(frozen=True, slots=True)
class _NoticeToSend:
    """A notice to a member.

    Attributes:
        late_since: Since when it is late; None if it is on time.
        day: The day that it is about; None if it is about an event.
        may_email: Whether it may be emailed.
        invitation: The key of an invitation for this member's calendar; empty if there is none.
    """

    notice: Notice
    member: Member
    late_since: datetime | None
    day: date | None
    may_email: bool = True
    invitation: str = ""


def notify_recipients(task: OutboxTask, referral: Referral, *, context: RunContext) -> Sequence[str]:
    """Notify everyone who must know about a task. Return the ids of the emails that were planned."""
    mail_ids = [_write_notice_with_mail(notice, context=context) for notice in _list_notices(task, referral, context)]
    return [mail_id for mail_id in mail_ids if mail_id]


def list_expected_notices(task: OutboxTask, referral: Referral, *, context: RunContext) -> Sequence[Notice]:
    """List the notices that a task makes for the people who must know now, as they would be written."""
    return [pending.notice for pending in _list_notices(task, referral, context)]


def get_member_zone(member: Member, preferences: Preferences, *, stores: Stores) -> str:
    """Return the member's time zone."""
    tenant = stores.tenants.get_cached(member.kind, member.tenant_id)
    return preferences.time_zone or (tenant.time_zone if tenant else "UTC")


def _write_notice_with_mail(pending: _NoticeToSend, *, context: RunContext) -> str | None:
    """Write a notice and its place in an email. Return the email's id if it is new.

    A conflict means that another notice to the same person about the same referral was faster. Then
    there is an email to join.
    """
    full_mail_ids: set[str] = set()
    own_mail_ids: list[str] = []

    def attempt() -> str | None:
        notice, writes, new_mail_id = (
            (replace(pending.notice, mail_id=own_mail_ids[0]), (), None)
            if own_mail_ids
            else _prepare_notice(pending, full_mail_ids, context=context)
        )
        try:
            context.stores.transactions.commit(context.stores.notices.prepare_add(notice), *writes)
        except ConditionFailedError as e:
            if NOTICE in e.items:
                return None
            if MAIL in e.items and notice.notice_id in e.items[MAIL].get("notice_ids", ()):
                # A restore lost the notice and kept the email that has it.
                own_mail_ids.append(e.items[MAIL]["outbox_id"])
                raise
            # An email that can take no more notices is not tried again, but a new one of the thread is.
            if MAIL in e.items and notice.mail_id:
                full_mail_ids.add(notice.mail_id)
            raise
        return new_mail_id

    return commit_with_retry(attempt)


def _prepare_notice(
    pending: _NoticeToSend, full_mail_ids: Collection[str], *, context: RunContext
) -> tuple[Notice, Sequence[TransactionWrite], str | None]:
    """Return a notice with its email, the writes that store it, and the email's id if it is new.

    Args:
        pending: The notice and its recipient.
        full_mail_ids: Emails that can take no more notices.
        context: The tables and the time.
    """
    notice, member = pending.notice, pending.member
    if notice.category is Category.CRITICAL:
        return _prepare_critical(pending, context=context)
    recipient = context.stores.recipients.get_for_referral(member.member_id, notice.referral_id, notice.notice_id)
    timing = recipient.preferences.get_timing(notice.category)
    if recipient.sent_mail_id or timing is MailTiming.NEVER or not pending.may_email:
        return replace(notice, mail_id=recipient.sent_mail_id), [], None
    thread = get_thread_key(timing, notice.referral_id, day=pending.day)
    zone = get_member_zone(member, recipient.preferences, stores=context.stores)
    when: _Timing = {"zone": zone, "now": context.now, "day": pending.day}
    if pending.invitation:
        # A calendar must be right before a daily email would go out. Quiet hours are kept.
        due = compute_mail_time(MailTiming.AT_ONCE, recipient.preferences, last=None, **when)
        mail = _build_invitation_mail(pending, due)
        return replace(notice, mail_id=mail.mail_id), [context.stores.mails.prepare_plan(mail)], mail.mail_id
    lasts = _list_last_mails(recipient, thread)
    waiting = [last for last in lasts if last.mail_id not in full_mail_ids]
    joined = find_joinable(waiting, timing, recipient.preferences, **when)
    if joined:
        join_write = context.stores.mails.prepare_join(joined.mail_id, notice.notice_id, late_since=pending.late_since)
        return replace(notice, mail_id=joined.mail_id), [join_write], None
    first_time = compute_mail_time(timing, recipient.preferences, last=None, **when)
    before = [last for last in lasts if last.planned_for <= first_time]
    latest = max(before, key=lambda last: last.planned_for, default=None)
    due = compute_mail_time(timing, recipient.preferences, last=latest, **when)
    mail = _build_mail(pending, MailKind.NOTICE, due)
    open_write = context.stores.recipients.prepare_open_mail(
        member.member_id, thread, LastMail(mail.mail_id, due), after=recipient.last.get(thread)
    )
    writes = [context.stores.mails.prepare_plan(mail), open_write]
    return replace(notice, mail_id=mail.mail_id), writes, mail.mail_id


def _prepare_critical(
    pending: _NoticeToSend, *, context: RunContext
) -> tuple[Notice, Sequence[TransactionWrite], str | None]:
    """As `_prepare_notice`, for a critical notice: in an email of its own, at once."""
    notice = pending.notice
    sent_mail_id = context.stores.recipients.find_sent_mail(notice.member_id, notice.notice_id)
    if sent_mail_id:
        return replace(notice, mail_id=sent_mail_id), [], None
    mail = _build_mail(pending, MailKind.CRITICAL, context.now)
    writes = [context.stores.mails.prepare_plan(mail)]
    if pending.invitation:
        writes.append(context.stores.mails.prepare_plan(_build_invitation_mail(pending, context.now)))
    return replace(notice, mail_id=mail.mail_id), writes, mail.mail_id


def _list_last_mails(recipient: Recipient, thread: str) -> Sequence[LastMail]:
    """The last emails that count for a thread: the daily one alone, or both of the referral."""
    is_daily = thread == DAILY_THREAD
    return [last for key, last in recipient.last.items() if (key == DAILY_THREAD) is is_daily]


def _build_mail(pending: _NoticeToSend, kind: MailKind, due: datetime) -> Mail:
    return Mail(
        mail_id=derive_id("mail", pending.notice.notice_id),
        kind=kind,
        member_id=pending.member.member_id,
        recipient_subject=pending.member.subject,
        tenant_id=pending.member.tenant_id,
        referral_id=pending.notice.referral_id,
        notice_ids=(pending.notice.notice_id,),
        due_at=due,
        late_since=pending.late_since,
    )


def _build_invitation_mail(pending: _NoticeToSend, due: datetime) -> Mail:
    """Build an email of its own. It has the notice, unless a critical email has it."""
    is_critical = pending.notice.category is Category.CRITICAL
    return replace(
        _build_mail(pending, MailKind.INVITATION, due),
        mail_id=derive_id("mail", pending.notice.notice_id, "invitation"),
        notice_ids=() if is_critical else (pending.notice.notice_id,),
        invitation=pending.invitation,
    )


def _list_notices(task: OutboxTask, referral: Referral, context: RunContext) -> Iterator[_NoticeToSend]:
    """List a notice for each person who must know, from the tenant's members since the task became due."""
    # A notice that is planned for a day is late when the day is over.
    late = context.now - task.due_at > (LATE_AFTER_DAY if task.due_on else LATE_AFTER)
    invitation = (
        context.stores.consultations.get_invitation(referral.referral_id, task.invitation) if task.invitation else None
    )
    for side, rule in list_notice_rules(task):
        tenant_id = referral.practice_id if side is TenantKind.PRACTICE else referral.center_id
        if tenant_id is None:
            # No center was chosen yet, so there is no one on that side.
            continue
        members = [
            member
            for member in context.list_members(tenant_id, since=task.due_at)
            if member.active and member.has_clinical_access and member.can_see(referral)
        ]
        own_invitation = invitation if invitation and is_invited(invitation, side) else None
        # After the patient withdrew consent, the center gets no routine email. Critical notices are emailed.
        may_email = side is TenantKind.PRACTICE or not is_sharing_stopped(referral)
        # A calendar would go on to show the consultation of a patient who has died.
        is_cancellation = own_invitation is not None and own_invitation.method is InvitationMethod.CANCEL
        may_email = may_email and (is_cancellation or not _is_older_than_a_death(task, referral))
        for member in rule.list_recipients(members):
            notice = _build_notice(task, referral, member, rule, context.now)
            yield _NoticeToSend(
                notice,
                member,
                task.due_at if late else None,
                task.due_on,
                may_email=may_email,
                invitation=task.invitation if own_invitation else "",
            )


def _is_older_than_a_death(task: OutboxTask, referral: Referral) -> bool:
    """Whether a task was still to be processed when the patient's death was reported. Critical notices are emailed."""
    reported_at = referral.status.ending_reported_at
    return referral.stage is Stage.DECEASED and (reported_at is None or task.due_at <= reported_at)


def _build_notice(task: OutboxTask, referral: Referral, member: Member, rule: NoticeRule, now: datetime) -> Notice:
    # The id starts with the due time, so ids sort, and a second run creates the same id.
    return Notice(
        notice_id=derive_id(f"ntc_{format_due_time(task.due_at)}", task.outbox_id, member.member_id),
        member_id=member.member_id,
        tenant_id=member.tenant_id,
        outbox_id=task.outbox_id,
        rule=task.rule,
        title=rule.title,
        referral_id=referral.referral_id,
        alias=referral.alias,
        created_at=now,
        category=rule.category,
        detail=task.detail,
    )
