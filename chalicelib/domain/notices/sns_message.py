"""What Amazon SNS posts, and what of it is signed.

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

OLDEST = timedelta(minutes=75)
"""SNS tries for an hour at most; what is older was kept by somebody.

Source: Amazon SNS Developer Guide, "Message delivery retries": 3,600 seconds for HTTPS.
"""

AHEAD = timedelta(minutes=5)
"""By how much the sender's clock may be ahead of ours."""

_ARN = re.compile(r"arn:aws[a-z-]*:sns:([a-z0-9-]{1,30}):[0-9]{12}:[A-Za-z0-9_-]{1,256}", re.ASCII)
_CERTIFICATE = re.compile(r"/SimpleNotificationService-[A-Za-z0-9]{1,64}\.pem", re.ASCII)
_CONFIRMATION = re.compile(r"Action=ConfirmSubscription&[A-Za-z0-9&=%:._-]{1,1000}", re.ASCII)


class PostKind(StrEnum):
    """What is posted to a subscriber."""

    NOTIFICATION = "Notification"
    SUBSCRIPTION = "SubscriptionConfirmation"
    UNSUBSCRIPTION = "UnsubscribeConfirmation"


_OF_A_NOTIFICATION = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")
_OF_A_SUBSCRIPTION = (
    *("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
)
"""What a signature covers, in this order. A notification without a subject leaves it out."""


class NotAPostError(ValueError):
    """It is not what SNS posts, or not for us."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """A post whose form is right; whether it is genuine its signature has to tell."""

    kind: PostKind
    topic: str
    at: datetime
    message: str
    signature: bytes
    signed: bytes
    certificate: str
    subscribe: str = ""


def read(told: Any) -> Post:
    """A post from its JSON.

    Raises:
        NotAPostError: something is missing or of another kind. Version 1 of the signature is
            refused as well: it rests on SHA-1.
    """
    try:
        kind = PostKind(_text(told, "Type"))
        fields = _OF_A_NOTIFICATION if kind is PostKind.NOTIFICATION else _OF_A_SUBSCRIPTION
        names = [name for name in fields if name != "Subject" or told.get(name) is not None]
        at = datetime.fromisoformat(_text(told, "Timestamp"))
        if _text(told, "SignatureVersion") != "2" or at.tzinfo is None:
            raise NotAPostError
        return Post(
            kind=kind,
            topic=_text(told, "TopicArn"),
            at=at,
            message=_text(told, "Message"),
            signature=b64decode(_text(told, "Signature"), validate=True),
            signed="".join(f"{name}\n{_text(told, name)}\n" for name in names).encode(),
            certificate=_text(told, "SigningCertURL"),
            subscribe="" if kind is PostKind.NOTIFICATION else _text(told, "SubscribeURL"),
        )
    except (AttributeError, KeyError, TypeError, ValueError) as e:
        raise NotAPostError from e


def _text(told: Any, name: str) -> str:
    value = told[name]
    if not isinstance(value, str):
        raise NotAPostError
    return value


def is_timely(post: Post, now: datetime) -> bool:
    """Whether a post is neither old nor of a time to come."""
    return now - OLDEST <= post.at <= now + AHEAD


def is_certificate_of(address: str, topic: str) -> bool:
    """Whether an address is where SNS keeps certificates in the topic's own region."""
    return _is_at_sns(address, topic, path=_CERTIFICATE, query=re.compile(""))


def is_confirmation_of(address: str, topic: str) -> bool:
    """Whether to get an address is to confirm a subscription in the topic's own region."""
    return _is_at_sns(address, topic, path=re.compile("/"), query=_CONFIRMATION)


def _is_at_sns(
    address: str, topic: str, *, path: "re.Pattern[str]", query: "re.Pattern[str]"
) -> bool:
    region = _ARN.fullmatch(topic)
    if region is None or not address.isascii() or not address.isprintable():
        return False
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    return (
        parts.scheme == "https"
        # The whole of it: no port, no user before an @, no other spelling of the host.
        and parts.netloc == f"sns.{region[1]}.amazonaws.com"
        and path.fullmatch(parts.path) is not None
        and query.fullmatch(parts.query) is not None
        and not parts.fragment
    )
