"""What happened to an email after Amazon SES accepted it, as SES publishes events.

Source: Amazon SES Developer Guide, "Contents of event data that Amazon SES publishes to Amazon
SNS", read 2026-11-22.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

MAIL_ID_TAG = "mail_id"
"""The tag by which an SES event identifies our email."""


class MailEventKind(StrEnum):
    """What can happen to an email after SES accepted it."""

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
"""Each event type, and the part of the event that has its time."""


class NotAMailEventError(ValueError):
    """The text is not an SES event about one of our emails."""


@dataclass(frozen=True, slots=True)
class MailEvent:
    """Something that happened to one of our emails. `address` is its recipient."""

    mail_id: str
    kind: MailEventKind
    at: datetime
    address: str

    @property
    def suppresses_address(self) -> bool:
        """Whether no further email may be sent to the address."""
        return self.kind in {MailEventKind.BOUNCE, MailEventKind.COMPLAINT}

    @property
    def is_undelivered(self) -> bool:
        """Whether the recipient did not get the email, or reported it as spam."""
        return self.suppresses_address or self.kind is MailEventKind.REJECT


def parse_mail_event(body: Any) -> MailEvent:
    """Parse an event from its JSON. A bounce that is not permanent counts as a delay.

    Raises:
        NotAMailEventError: It is not an event that we subscribe to, or the email has no tag of ours.
    """
    try:
        kind, part = _KINDS[body["eventType"]]
        if kind is MailEventKind.BOUNCE and body["bounce"]["bounceType"] != "Permanent":
            kind = MailEventKind.DELAY
        (mail_id,) = body["mail"]["tags"][MAIL_ID_TAG]
        (address,) = body["mail"]["destination"]
        at = _parse_time(body[part])
    except (KeyError, TypeError, ValueError) as e:
        raise NotAMailEventError from e
    if not isinstance(mail_id, str) or not isinstance(address, str):
        raise NotAMailEventError
    return MailEvent(mail_id, kind, at, address)


def _parse_time(value: Mapping[str, Any]) -> datetime:
    at = datetime.fromisoformat(value["timestamp"])
    if at.tzinfo is None:
        raise ValueError("no time zone")
    return at
