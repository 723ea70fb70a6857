"""What the mail service tells of a mail that it took, as Amazon SES publishes events.

Source: Amazon SES Developer Guide, "Contents of event data that Amazon SES publishes to Amazon
SNS", read 2026-11-22.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

TAG = "mail_id"
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


class NotAnEventError(ValueError):
    """The text is not an event of the mail service about one of our mails."""


@dataclass(frozen=True, slots=True)
class MailEvent:
    """Something that happened to a mail of ours; `address` is whom it was for."""

    mail_id: str
    kind: MailEventKind
    at: datetime
    address: str

    @property
    def ends_writing(self) -> bool:
        """Whether nothing more may be sent to the address."""
        return self.kind in {MailEventKind.BOUNCE, MailEventKind.COMPLAINT}

    @property
    def was_lost(self) -> bool:
        """Whether its reader did not get it, or did not want it."""
        return self.ends_writing or self.kind is MailEventKind.REJECT


def read(told: Any) -> MailEvent:
    """An event from its JSON. A bounce that may pass is a delay, whatever it is called.

    Raises:
        NotAnEventError: it is none of those that we ask for, or of a mail without our tag.
    """
    try:
        kind, part = _KINDS[told["eventType"]]
        if kind is MailEventKind.BOUNCE and told["bounce"]["bounceType"] != "Permanent":
            kind = MailEventKind.DELAY
        (mail_id,) = told["mail"]["tags"][TAG]
        (address,) = told["mail"]["destination"]
        at = _instant(told[part])
    except (KeyError, TypeError, ValueError) as e:
        raise NotAnEventError from e
    if not isinstance(mail_id, str) or not isinstance(address, str):
        raise NotAnEventError
    return MailEvent(mail_id, kind, at, address)


def _instant(part: Mapping[str, Any]) -> datetime:
    at = datetime.fromisoformat(part["timestamp"])
    if at.tzinfo is None:
        raise ValueError("no zone")
    return at
