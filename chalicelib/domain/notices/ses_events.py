"""What the mail service tells of a mail that it took, as Amazon SES publishes events.

Source: Amazon SES Developer Guide, "Contents of event data that Amazon SES publishes to Amazon
SNS", read 2026-11-22.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

MAIL_ID_TAG = "mail_id"
"""The tag by which an event names our mail."""


class MailEventKind(StrEnum):
    """What may happen to a mail after it was handed over."""

    SEND = "send"
    DELIVERY = "delivery"
    DELAY = "delay"
    BOUNCE = "bounce"
    COMPLAINT = "complaint"
    REJECT = "reject"


_KINDS = {
    "Send": (MailEventKind.SEND, "mail"),
    "Delivery": (MailEventKind.DELIVERY, "delivery"),
    "DeliveryDelay": (MailEventKind.DELAY, "deliveryDelay"),
    "Bounce": (MailEventKind.BOUNCE, "bounce"),
    "Complaint": (MailEventKind.COMPLAINT, "complaint"),
    "Reject": (MailEventKind.REJECT, "mail"),
    "Rendering Failure": (MailEventKind.REJECT, "mail"),
}
"""Each event by its name, and the part of it that says when."""


class NotAMailEventError(ValueError):
    """The text is not an event of the mail service about one of our mails."""


@dataclass(frozen=True, slots=True)
class MailEvent:
    """Something that happened to a mail of ours; `address` is whom it was for."""

    mail_id: str
    kind: MailEventKind
    at: datetime
    address: str

    @property
    def suppresses_address(self) -> bool:
        """Whether nothing more may be sent to the address."""
        return self.kind in {MailEventKind.BOUNCE, MailEventKind.COMPLAINT}

    @property
    def is_undelivered(self) -> bool:
        """Whether its reader did not get it, or did not want it."""
        return self.suppresses_address or self.kind is MailEventKind.REJECT


def parse_mail_event(text: Any) -> MailEvent:
    """An event from its JSON. A bounce that may pass is a delay, whatever it is called.

    Raises:
        NotAnEventError: it is none of those that we ask for, or of a mail without our tag.
    """
    try:
        kind, part = _KINDS[text["eventType"]]
        if kind is MailEventKind.BOUNCE and text["bounce"]["bounceType"] != "Permanent":
            kind = MailEventKind.DELAY
        (mail_id,) = text["mail"]["tags"][MAIL_ID_TAG]
        (address,) = text["mail"]["destination"]
        at = _parse_time(text[part])
    except (KeyError, TypeError, ValueError) as e:
        raise NotAMailEventError from e
    if not isinstance(mail_id, str) or not isinstance(address, str):
        raise NotAMailEventError
    return MailEvent(mail_id, kind, at, address)


def _parse_time(value: Mapping[str, Any]) -> datetime:
    at = datetime.fromisoformat(value["timestamp"])
    if at.tzinfo is None:
        raise ValueError("no zone")
    return at
