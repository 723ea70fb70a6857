"""Escalation: if a critical notice cannot be emailed, one colleague on the same side is notified.

If that email fails too, the next colleague is notified, until one is reached or no one is left.
"""

from collections.abc import Sequence
from datetime import datetime

from chalicelib.domain.identity.members import Member
from chalicelib.domain.notices.mail_timing import URGENT_KINDS, Mail, MailKind
from chalicelib.domain.notices.notice_rules import Category
from chalicelib.domain.platform.ids import derive_id
from chalicelib.domain.referrals.referral import Referral
from chalicelib.observe import log
from chalicelib.services.platform.run_context import RunContext
from chalicelib.store.all_stores import Stores
from chalicelib.store.notices.notices import Notice
from chalicelib.store.platform.transactions import ConditionFailedError

ESCALATION_RULE = "escalation"
ESCALATION_TITLE = "A critical notice to a colleague could not be emailed; make sure that someone on your team reads it"


def escalate_to_colleague(mail: Mail, *, context: RunContext) -> bool:
    """Notify a colleague about an urgent email that did not arrive. Return False if no one new was notified."""
    referral = context.stores.referrals.get(mail.referral_id) if mail.kind in URGENT_KINDS else None
    if referral is None:
        return False
    colleagues = _list_colleagues(mail, referral, stores=context.stores)
    if not colleagues:
        log.error("no colleague left to notify", outbox_id=mail.mail_id)
        return False
    escalation_mail = _build_mail(colleagues[0], mail, context.now)
    try:
        context.stores.transactions.commit(
            context.stores.mails.prepare_plan(escalation_mail),
            context.stores.notices.prepare_add(_build_notice(colleagues[0], referral, escalation_mail, context.now)),
        )
    except ConditionFailedError:
        return False
    return True


def _list_colleagues(mail: Mail, referral: Referral, *, stores: Stores) -> Sequence[Member]:
    """List the colleagues who can see the referral and can get email, administrators first."""
    colleagues = [
        member
        for member in stores.members.list_for_tenant(mail.tenant_id)
        if member.member_id not in _list_unreached_ids(mail)
        and member.active
        and member.has_clinical_access
        and member.can_see(referral)
        and stores.recipients.find_suppression(member) is None
    ]
    return sorted(colleagues, key=lambda member: (not member.is_admin, member.member_id))


def _list_unreached_ids(mail: Mail) -> tuple[str, ...]:
    return (*mail.unreached_member_ids, mail.member_id)


def _build_mail(colleague: Member, failed_mail: Mail, now: datetime) -> Mail:
    # The id depends only on the failed email, so a second try finds it, even if the colleagues have changed.
    mail_id = derive_id("mail", ESCALATION_RULE, failed_mail.mail_id)
    return Mail(
        mail_id=mail_id,
        kind=MailKind.ESCALATION,
        member_id=colleague.member_id,
        recipient_subject=colleague.subject,
        tenant_id=colleague.tenant_id,
        referral_id=failed_mail.referral_id,
        notice_ids=(_derive_notice_id(mail_id, now),),
        due_at=now,
        unreached_member_ids=_list_unreached_ids(failed_mail),
    )


def _derive_notice_id(mail_id: str, now: datetime) -> str:
    return derive_id(f"ntc_{now:%Y%m%dT%H%M%S%f}", mail_id)


def _build_notice(colleague: Member, referral: Referral, mail: Mail, now: datetime) -> Notice:
    return Notice(
        notice_id=mail.notice_ids[0],
        member_id=colleague.member_id,
        tenant_id=colleague.tenant_id,
        outbox_id=mail.mail_id,
        rule=ESCALATION_RULE,
        title=ESCALATION_TITLE,
        referral_id=referral.referral_id,
        alias=referral.alias,
        created_at=now,
        category=Category.CRITICAL,
        mail_id=mail.mail_id,
    )
