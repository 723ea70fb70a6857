"""Events from SES about sent emails: delivery, bounce and complaint, and what follows from them."""

from chalicelib.domain.notices.ses_events import MailEvent, MailEventKind
from chalicelib.observe import log
from chalicelib.services.notices.compose import find_recipient
from chalicelib.services.notices.escalation import escalate_to_colleague
from chalicelib.services.platform.run_context import RunContext
from chalicelib.store.notices.mails import item_to_mail
from chalicelib.store.notices.recipients import Suppression, SuppressionReason


def record_mail_event(event: MailEvent, *, context: RunContext) -> None:
    """Record an event. Events can arrive in any order and more than once.

    Every step is idempotent, so an event that arrives twice, or again after a run crashed in the middle,
    has the same result as one that arrives once.
    """
    row = context.stores.mails.get(event.mail_id)
    if row is None:
        log.info("event of an unknown email")
        return
    context.stores.mails.record_event(event.mail_id, event.kind, event.at)
    mail = item_to_mail(row)
    member = find_recipient(mail, context=context)
    if event.suppresses_address and member:
        reason = SuppressionReason.COMPLAINED if event.kind is MailEventKind.COMPLAINT else SuppressionReason.BOUNCED
        context.stores.recipients.suppress_address(member, event.address, Suppression(reason, event.at))
    # A person who complains has received the email.
    if event.is_undelivered and event.kind is not MailEventKind.COMPLAINT:
        escalate_to_colleague(mail, context=context)
