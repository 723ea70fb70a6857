"""The messages that Amazon SNS posts to us, and which of their fields are signed.

Source: Amazon SNS Developer Guide, "Verifying the signatures of Amazon SNS messages" and
"Parsing Amazon SNS message formats", read 2026-11-22.
"""

import re
from base64 import b64decode
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

MAX_MESSAGE_AGE = timedelta(minutes=75)
"""SNS retries for an hour at most; an older message may be a replay.

Source: Amazon SNS Developer Guide, "Message delivery retries": 3,600 seconds for HTTPS.
"""

MAX_CLOCK_SKEW = timedelta(minutes=5)
"""How far the sender's clock may be ahead of ours."""

_ARN = re.compile(r"arn:aws[a-z-]*:sns:([a-z0-9-]{1,30}):[0-9]{12}:[A-Za-z0-9_-]{1,256}", re.ASCII)
_CERTIFICATE_PATH = re.compile(r"/SimpleNotificationService-[A-Za-z0-9]{1,64}\.pem", re.ASCII)
_CONFIRMATION_QUERY = re.compile(r"Action=ConfirmSubscription&[A-Za-z0-9&=%:._-]{1,1000}", re.ASCII)


class SnsMessageKind(StrEnum):
    """What SNS posts to a subscriber."""

    NOTIFICATION = "Notification"
    SUBSCRIPTION = "SubscriptionConfirmation"
    UNSUBSCRIPTION = "UnsubscribeConfirmation"


_SIGNED_NOTIFICATION_FIELDS = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")
_SIGNED_SUBSCRIPTION_FIELDS = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")
"""The fields that a signature covers, in this order. A notification without a subject omits it."""


class NotAnSnsMessageError(ValueError):
    """The body is not a message of SNS, or it is not for us."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SnsMessage:
    """A message in the right form. Only its signature shows whether it is genuine."""

    kind: SnsMessageKind
    topic: str
    sent_at: datetime
    message: str
    signature: bytes
    signed_text: bytes
    certificate_url: str
    subscribe_url: str = ""


def parse_sns_message(message: Any) -> SnsMessage:
    """Parse a message from its JSON.

    Raises:
        NotAnSnsMessageError: A field is missing or of another type. Signature version 1 is rejected
            as well, because it uses SHA-1.
    """
    try:
        kind = SnsMessageKind(_read_text(message, "Type"))
        fields = _SIGNED_NOTIFICATION_FIELDS if kind is SnsMessageKind.NOTIFICATION else _SIGNED_SUBSCRIPTION_FIELDS
        names = [name for name in fields if name != "Subject" or message.get(name) is not None]
        at = datetime.fromisoformat(_read_text(message, "Timestamp"))
        if _read_text(message, "SignatureVersion") != "2" or at.tzinfo is None:
            raise NotAnSnsMessageError
        return SnsMessage(
            kind=kind,
            topic=_read_text(message, "TopicArn"),
            sent_at=at,
            message=_read_text(message, "Message"),
            signature=b64decode(_read_text(message, "Signature"), validate=True),
            signed_text="".join(f"{name}\n{_read_text(message, name)}\n" for name in names).encode(),
            certificate_url=_read_text(message, "SigningCertURL"),
            subscribe_url="" if kind is SnsMessageKind.NOTIFICATION else _read_text(message, "SubscribeURL"),
        )
    except (AttributeError, KeyError, TypeError, ValueError) as e:
        raise NotAnSnsMessageError from e


def _read_text(message: Any, name: str) -> str:
    value = message[name]
    if not isinstance(value, str):
        raise NotAnSnsMessageError
    return value


def is_timely(message: SnsMessage, now: datetime) -> bool:
    """Whether a message is neither too old nor from the future."""
    return now - MAX_MESSAGE_AGE <= message.sent_at <= now + MAX_CLOCK_SKEW


def is_certificate_url(address: str, topic: str) -> bool:
    """Whether a URL is where SNS keeps certificates in the topic's own region."""
    return _is_sns_url(address, topic, path=_CERTIFICATE_PATH, query=re.compile(""))


def is_confirmation_url(address: str, topic: str) -> bool:
    """Whether a GET of the URL confirms a subscription in the topic's own region."""
    return _is_sns_url(address, topic, path=re.compile("/"), query=_CONFIRMATION_QUERY)


def _is_sns_url(address: str, topic: str, *, path: "re.Pattern[str]", query: "re.Pattern[str]") -> bool:
    region = _ARN.fullmatch(topic)
    if region is None or not address.isascii() or not address.isprintable():
        return False
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    return (
        parts.scheme == "https"
        # The whole host: no port, no user before an @, no other spelling of the name.
        and parts.netloc == f"sns.{region[1]}.amazonaws.com"
        and path.fullmatch(parts.path) is not None
        and query.fullmatch(parts.query) is not None
        and not parts.fragment
    )
