"""What becomes of a mail after it was sent, and of those who did not get one."""

from datetime import datetime

from chalicelib.domain.notices.ses_events import MailEvent, MailEventKind
from chalicelib.observe import log
from chalicelib.services.notices.escalation import escalate
from chalicelib.store.all_stores import Stores
from chalicelib.store.notices.mails import mail_of
from chalicelib.store.notices.recipients import Suppression, Trouble


def take(event: MailEvent, *, stores: Stores, now: datetime) -> None:
    """Keep an event, in whatever order and however often it arrives.

    Every step changes nothing when it is done again, so a post that comes twice, or after a run
    that died half way, ends like one that came once.
    """
    row = stores.mails.get(event.mail_id)
    if row is None:
        log.info("event of no mail of ours")
        return
    stores.mails.note(event.mail_id, event.kind, event.at)
    mail = mail_of(row)
    member = stores.members.get(mail.subject)
    if event.ends_writing and member:
        trouble = Trouble.COMPLAINED if event.kind is MailEventKind.COMPLAINT else Trouble.BOUNCED
        stores.recipients.suppress(member, event.address, Suppression(trouble, event.at))
    # A complaint was made by somebody who has the mail.
    if event.was_lost and event.kind is not MailEventKind.COMPLAINT:
        escalate(mail, stores=stores, now=now)
