"""Telling people: who has to know of a task, their notices, and the mails of them."""

from collections.abc import Iterator
from datetime import datetime

from chalicelib.domain.events import derived_id
from chalicelib.domain.members import Member, TenantKind
from chalicelib.domain.notices import MAILED_IF_CHOSEN, Rule, Task, told_by
from chalicelib.domain.referral import Referral
from chalicelib.mail import Mailer, notice_waiting
from chalicelib.store.notices import MailState, Notice
from chalicelib.store.stores import Stores


def tell(
    task: Task, referral: Referral, *, stores: Stores, mailer: Mailer, link: str, now: datetime
) -> int:
    """Tell everybody who has to know of a task; how many mails that took."""
    return sum(
        _tell(notice, rule, member, stores=stores, mailer=mailer, link=link, now=now)
        for notice, rule, member in _notices(task, referral, stores=stores, now=now)
    )


def _tell(
    notice: Notice,
    rule: Rule,
    member: Member,
    *,
    stores: Stores,
    mailer: Mailer,
    link: str,
    now: datetime,
) -> int:
    if stores.notices.start(notice) is MailState.SENT or rule.category in MAILED_IF_CHOSEN:
        return 0
    message = notice_waiting(to=member.email, alias=notice.alias, count=1, link=link)
    message_id = mailer.send(message, tag=notice.outbox_id)
    stores.notices.mark_sent(notice, message_id=message_id, now=now)
    return 1


def _notices(
    task: Task, referral: Referral, *, stores: Stores, now: datetime
) -> Iterator[tuple[Notice, Rule, Member]]:
    """A notice for each person who has to know, as the tenant's people are at this moment."""
    for side, rule in told_by(task):
        tenant_id = referral.practice_id if side is TenantKind.PRACTICE else referral.center_id
        people = [
            member
            for member in stores.members.of_tenant(tenant_id or "")
            if member.active and member.cares and member.may_see(referral)
        ]
        for member in rule.readers(people):
            yield _notice(task, referral, member, rule, now), rule, member


def _notice(task: Task, referral: Referral, member: Member, rule: Rule, now: datetime) -> Notice:
    # Starts with the time it was due, so that ids sort and a second run makes the same one.
    due = f"{task.due_at:%Y%m%dT%H%M%S%f}"
    return Notice(
        notice_id=derived_id(f"ntc_{due}", task.outbox_id, member.member_id),
        member_id=member.member_id,
        tenant_id=member.tenant_id,
        outbox_id=task.outbox_id,
        rule=task.rule,
        title=rule.title,
        referral_id=referral.referral_id,
        alias=referral.alias,
        created_at=now,
    )
