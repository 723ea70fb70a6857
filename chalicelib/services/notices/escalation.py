"""A critical notice that could not be mailed: somebody else of the same side is told, once.

If that mail is lost as well, the next one is told, until somebody is reached or nobody is left.
"""

from collections.abc import Sequence
from datetime import datetime

from chalicelib.domain.identity.members import Member
from chalicelib.domain.notices.mail_timing import URGENT, Mail, MailKind
from chalicelib.domain.notices.notice_rules import Category
from chalicelib.domain.referrals.events import derived_id
from chalicelib.domain.referrals.referral import Referral
from chalicelib.observe import log
from chalicelib.store.all_stores import Stores
from chalicelib.store.notices.notices import Notice
from chalicelib.store.platform.transactions import ConditionFailed

RULE = "escalation"
TITLE = "A colleague could not be reached by mail; please see that it is read"


def escalate(mail: Mail, *, stores: Stores, now: datetime) -> bool:
    """Tell a colleague of an urgent mail that did not arrive. False if nobody was told anew."""
    referral = stores.referrals.get(mail.referral_id) if mail.kind in URGENT else None
    if referral is None:
        return False
    colleagues = _colleagues(mail, referral, stores=stores)
    if not colleagues:
        log.error("nobody left to tell", outbox_id=mail.mail_id)
        return False
    told = _mail_to(colleagues[0], mail, now)
    try:
        stores.ledger.commit(
            stores.mails.planning(told),
            stores.notices.telling(_notice(colleagues[0], referral, told, now)),
        )
    except ConditionFailed:
        return False
    return True


def _colleagues(mail: Mail, referral: Referral, *, stores: Stores) -> Sequence[Member]:
    """Who else may see the referral and can be mailed, administrators first."""
    people = [
        member
        for member in stores.members.of_tenant(mail.tenant_id)
        if member.member_id not in _unreached(mail)
        and member.active
        and member.cares
        and member.may_see(referral)
        and stores.recipients.suppression(member) is None
    ]
    return sorted(people, key=lambda member: (not member.manages, member.member_id))


def _unreached(mail: Mail) -> tuple[str, ...]:
    return (*mail.unreached, mail.member_id)


def _mail_to(colleague: Member, lost: Mail, now: datetime) -> Mail:
    # By the mail that was lost alone: a second try finds it, whoever is a colleague by then.
    mail_id = derived_id("mail", RULE, lost.mail_id)
    return Mail(
        mail_id=mail_id,
        kind=MailKind.ESCALATION,
        member_id=colleague.member_id,
        subject=colleague.subject,
        tenant_id=colleague.tenant_id,
        referral_id=lost.referral_id,
        notice_ids=(_notice_id(mail_id, now),),
        due_at=now,
        unreached=_unreached(lost),
    )


def _notice_id(mail_id: str, now: datetime) -> str:
    return derived_id(f"ntc_{now:%Y%m%dT%H%M%S%f}", mail_id)


def _notice(colleague: Member, referral: Referral, mail: Mail, now: datetime) -> Notice:
    return Notice(
        notice_id=mail.notice_ids[0],
        member_id=colleague.member_id,
        tenant_id=colleague.tenant_id,
        outbox_id=mail.mail_id,
        rule=RULE,
        title=TITLE,
        referral_id=referral.referral_id,
        alias=referral.alias,
        created_at=now,
        category=Category.CRITICAL,
        mail_id=mail.mail_id,
    )
