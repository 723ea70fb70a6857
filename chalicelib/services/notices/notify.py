"""Telling people: who has to know of a task, their notices, and the mails that these wait in.

A notice and its place in a mail are one transaction, so nobody is told without being mailed, or
twice. Nothing is sent here: a mail is a row of the outbox, and `services.mailing` sends it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from chalicelib.domain.identity.members import Member, TenantKind
from chalicelib.domain.notices.mail_timing import (
    LATE,
    Last,
    Mail,
    MailKind,
    Preferences,
    Timing,
    due_at,
    thread_of,
)
from chalicelib.domain.notices.notice_rules import Category, Rule, Task, told_by
from chalicelib.domain.referrals.events import derived_id
from chalicelib.domain.referrals.referral import Referral
from chalicelib.errors import UnavailableError
from chalicelib.store.all_stores import Stores
from chalicelib.store.notices.mails import MAIL
from chalicelib.store.notices.notices import NOTICE, Notice, spelled_due
from chalicelib.store.platform.dynamo import Write
from chalicelib.store.platform.transactions import ConditionFailed

TRIES = 5
"""How often a notice looks for its mail anew. Each time another notice to the same person about
the same referral was quicker, and then there is a mail to join."""

A_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class _Told:
    """A notice to a member, and since when that is late, if it is."""

    notice: Notice
    member: Member
    late_since: datetime | None


def tell(task: Task, referral: Referral, *, stores: Stores, now: datetime) -> Sequence[str]:
    """Tell everybody who has to know of a task; the ids of the mails that were planned."""
    told = [_tell(each, stores=stores, now=now) for each in _notices(task, referral, stores, now)]
    return [mail_id for mail_id in told if mail_id]


def zone_of(member: Member, preferences: Preferences, *, stores: Stores) -> str:
    """Where a member's clock is."""
    tenant = stores.tenants.known(member.kind, member.tenant_id)
    return preferences.time_zone or (tenant.time_zone if tenant else "UTC")


def _tell(told: _Told, *, stores: Stores, now: datetime) -> str | None:
    """Write a notice and its place in a mail; the id of a mail that is new."""
    full: str | None = None
    for _ in range(TRIES):
        notice, writes, planned = _written(told, full, stores=stores, now=now)
        try:
            stores.ledger.commit(stores.notices.telling(notice), *writes)
        except ConditionFailed as e:
            if NOTICE in e.items:
                return None
            # A mail that takes nothing more is not tried again; a thread's new one is.
            full = notice.mail_id if MAIL in e.items else full
            continue
        return planned
    raise UnavailableError("busy")


def _written(
    told: _Told, full: str | None, *, stores: Stores, now: datetime
) -> tuple[Notice, Sequence[Write], str | None]:
    """A notice with the mail that it stands in, what writes that, and the mail's id if it is new.

    Args:
        full: A mail that was found to take nothing more.
    """
    notice, member = told.notice, told.member
    if notice.category is Category.CRITICAL:
        mail = _mail(told, MailKind.CRITICAL, now)
        return replace(notice, mail_id=mail.mail_id), [stores.mails.planning(mail)], mail.mail_id
    recipient = stores.recipients.about(member.member_id, notice.referral_id)
    timing = recipient.preferences.timing(notice.category)
    if timing is Timing.NEVER:
        return notice, [], None
    thread = thread_of(timing, notice.referral_id)
    last = recipient.last.get(thread)
    if last and last.mail_id != full and last.may_wait(now):
        joining = stores.mails.joining(last.mail_id, notice.notice_id, late_since=told.late_since)
        return replace(notice, mail_id=last.mail_id), [joining], None
    zone = zone_of(member, recipient.preferences, stores=stores)
    due = due_at(timing, recipient.preferences, zone=zone, last=last, now=now)
    mail = _mail(told, MailKind.NOTICE, due)
    opening = stores.recipients.opening(
        member.member_id, thread, Last(mail.mail_id, due), after=last
    )
    writes = [stores.mails.planning(mail), opening]
    return replace(notice, mail_id=mail.mail_id), writes, mail.mail_id


def _mail(told: _Told, kind: MailKind, due: datetime) -> Mail:
    return Mail(
        mail_id=derived_id("mail", told.notice.notice_id),
        kind=kind,
        member_id=told.member.member_id,
        subject=told.member.subject,
        tenant_id=told.member.tenant_id,
        referral_id=told.notice.referral_id,
        notice_ids=(told.notice.notice_id,),
        due_at=due,
        late_since=told.late_since,
    )


def _notices(task: Task, referral: Referral, stores: Stores, now: datetime) -> Iterator[_Told]:
    """A notice for each person who has to know, as the tenant's people are at this moment."""
    # What is planned for a day is late when the day is over.
    late = now - task.due_at > (A_DAY if task.due_on else LATE)
    for side, rule in told_by(task):
        tenant_id = referral.practice_id if side is TenantKind.PRACTICE else referral.center_id
        if tenant_id is None:
            # No center was chosen yet: there is nobody on that side.
            continue
        people = [
            member
            for member in stores.members.of_tenant(tenant_id)
            if member.active and member.cares and member.may_see(referral)
        ]
        for member in rule.readers(people):
            notice = _notice(task, referral, member, rule, now)
            yield _Told(notice, member, task.due_at if late else None)


def _notice(task: Task, referral: Referral, member: Member, rule: Rule, now: datetime) -> Notice:
    # Starts with the time it was due, so that ids sort and a second run makes the same one.
    return Notice(
        notice_id=derived_id(f"ntc_{spelled_due(task.due_at)}", task.outbox_id, member.member_id),
        member_id=member.member_id,
        tenant_id=member.tenant_id,
        outbox_id=task.outbox_id,
        rule=task.rule,
        title=rule.title,
        referral_id=referral.referral_id,
        alias=referral.alias,
        created_at=now,
        category=rule.category,
    )
