"""What becomes of a mail after it was sent, and of those who did not get one."""

from chalicelib.domain.notices.ses_events import MailEvent, MailEventKind
from chalicelib.observe import log
from chalicelib.services.notices.escalation import escalate_to_colleague
from chalicelib.services.platform.run_context import RunContext
from chalicelib.store.notices.mails import item_to_mail
from chalicelib.store.notices.recipients import Suppression, SuppressionReason


def record_mail_event(event: MailEvent, *, context: RunContext) -> None:
    """Keep an event, in whatever order and however often it arrives.

    Every step changes nothing when it is done again, so a post that comes twice, or after a run
    that died half way, ends like one that came once.
    """
    row = context.stores.mails.get(event.mail_id)
    if row is None:
        log.info("event of no mail of ours")
        return
    context.stores.mails.record_event(event.mail_id, event.kind, event.at)
    mail = item_to_mail(row)
    member = context.stores.members.get_by_subject(mail.recipient_subject)
    if event.suppresses_address and member:
        trouble = SuppressionReason.COMPLAINED if event.kind is MailEventKind.COMPLAINT else SuppressionReason.BOUNCED
        context.stores.recipients.suppress_address(member, event.address, Suppression(trouble, event.at))
    # A complaint was made by somebody who has the mail.
    if event.is_undelivered and event.kind is not MailEventKind.COMPLAINT:
        escalate_to_colleague(mail, context=context)
