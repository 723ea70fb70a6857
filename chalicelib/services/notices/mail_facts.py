"""What is read about an email when it is sent: in one call, after the claim, strongly consistent.

So nothing about the recipient is older than the moment at which the email is sent. A person who was disabled, has
unsubscribed, or read the notice a second before gets no email.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from chalicelib.domain.notices.mail_timing import Mail
from chalicelib.domain.referrals.referral import Referral
from chalicelib.store.all_stores import Stores
from chalicelib.store.notices.mails import item_to_mail
from chalicelib.store.platform.dynamo import Item, get_together

_MAX_NOTICES = 90
"""How many notices are read in the same call. DynamoDB reads 100 items, and the others are five."""


@dataclass(frozen=True, slots=True)
class MailFacts:
    """The items about an email, as they were at one moment after the claim. None, or no entry, is a missing item.

    Attributes:
        row: The row of the email.
        recipient: The item of the member.
        notices: The items of the notices that the index named. A notice that joined later is not among them.
        referral: The referral that the email is about, if it is about one.
    """

    row: Item | None
    recipient: Item | None
    preferences: Item | None
    suppression: Item | None
    notices: Mapping[str, Item | None]
    referral: Item | None

    def has_notices_of(self, mail: Mail) -> bool:
        """Whether all notices of an email were read."""
        return self.notices.keys() >= set(mail.notice_ids)

    def is_about(self, referral_id: str) -> bool:
        """Whether this is the referral that was read."""
        return self.referral is not None and self.referral["referral_id"] == referral_id

    def find_referral(self, referral_id: str, *, stores: Stores) -> Referral | None:
        """Find one of the referrals that an email is about."""
        if self.referral is not None and self.is_about(referral_id):
            return stores.referrals.open_item(self.referral)
        return stores.referrals.get(referral_id)


def read_mail_facts(row: Item, *, stores: Stores) -> MailFacts:
    """Read what decides about an email, in one call.

    Args:
        row: The row as it was read before the claim. It names what to read; only what is read here decides.
        stores: The tables.
    """
    mail = item_to_mail(row)
    notice_ids = list(dict.fromkeys(mail.notice_ids))[:_MAX_NOTICES]
    found = iter(
        get_together(
            [
                stores.mails.prepare_get(mail.mail_id),
                stores.members.prepare_get(mail.recipient_subject),
                stores.recipients.prepare_get_preferences(mail.member_id),
                stores.recipients.prepare_get_suppression(mail.member_id),
                *([stores.referrals.prepare_get(mail.referral_id)] if mail.referral_id else []),
                *(stores.notices.prepare_get(mail.member_id, notice_id) for notice_id in notice_ids),
            ]
        )
    )
    return MailFacts(
        row=next(found),
        recipient=next(found),
        preferences=next(found),
        suppression=next(found),
        referral=next(found) if mail.referral_id else None,
        notices=dict(zip(notice_ids, found, strict=True)),
    )
