"""Amazon SNS as it posts to a subscriber: a key and a certificate of the tests' own."""

import base64
import json
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256, HashAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from chalicelib import wiring
from chalicelib.domain.notices.notice_rules import Category
from chalicelib.services.notices.sns_verifier import PostVerifier
from chalicelib.services.notices.unsubscribe import address_for
from tests.support import factories
from tests.support.clinic import Clinic
from tests.support.cloud import TOPIC

SNS = "Amazon SNS"
CERTIFICATE = "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-0123abcd.pem"
CONFIRMATION = (
    "https://sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn="
    f"{TOPIC}&Token=2336412f37fb687f"
)
_NOTIFICATION = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")
_SUBSCRIPTION = (
    *("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
)


@cache
def key(name: str) -> rsa.RSAPrivateKey:
    """A key by a name; making one takes longer than most tests."""
    del name
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@cache
def certificate() -> bytes:
    """The certificate of the key that posts are signed with."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
    begins = datetime(2020, 1, 1, tzinfo=UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key(SNS).public_key())
        .serial_number(1)
        .not_valid_before(begins)
        .not_valid_after(begins + timedelta(days=365 * 200))
        .sign(key(SNS), SHA256())
    )
    return made.public_bytes(Encoding.PEM)


def verifier(asked: list[str] | None = None, **changed: Any) -> PostVerifier:
    """What believes the tests' own posts; `asked` gets each address that is asked for."""

    def fetch(address: str) -> bytes:
        if asked is not None:
            asked.append(address)
        return certificate()

    made: dict[str, Any] = {"topic": TOPIC, "fetch": fetch} | changed
    return PostVerifier(**made)


def posted(
    message: Any,
    *,
    at: datetime,
    signed_by: str = SNS,
    hashed_by: HashAlgorithm | None = None,
    **changed: Any,
) -> bytes:
    """What SNS posts. `changed` is what else it says, and is signed too."""
    told: dict[str, Any] = {
        "Type": "Notification",
        "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
        "TopicArn": TOPIC,
        "Message": message if isinstance(message, str) else json.dumps(message),
        "Timestamp": at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        "SignatureVersion": "2",
        "SigningCertURL": CERTIFICATE,
    } | changed
    names = _NOTIFICATION if told["Type"] == "Notification" else _SUBSCRIPTION
    text = "".join(f"{name}\n{told[name]}\n" for name in names if name in told)
    signature = key(signed_by).sign(text.encode(), padding.PKCS1v15(), hashed_by or SHA256())
    return json.dumps(told | {"Signature": base64.b64encode(signature).decode()}).encode()


def subscription(*, at: datetime, **changed: Any) -> bytes:
    """SNS asking whether a subscription is wanted."""
    said = {"Type": "SubscriptionConfirmation", "Token": "t", "SubscribeURL": CONFIRMATION}
    return posted("You have chosen to subscribe", at=at, **(said | changed))


def event(
    kind: str, mail_id: str, *, at: datetime, to: str = "x@y.example", **details: Any
) -> dict[str, Any]:
    """An event as SES publishes it."""
    stamp = at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    part = {"DeliveryDelay": "deliveryDelay"}.get(kind, kind.lower())
    return {
        "eventType": kind,
        "mail": {
            "timestamp": stamp,
            "source": "notices@dashboard.example",
            "messageId": "0100018f-0000",
            "destination": [to],
            "tags": {"ses:configuration-set": ["cart-mail"], "mail_id": [mail_id]},
        },
        part: {"timestamp": stamp, **details},
    }


def hard_bounce(mail_id: str, *, at: datetime, to: str) -> dict[str, Any]:
    """An address that does not exist."""
    return event("Bounce", mail_id, at=at, to=to, bounceType="Permanent")


def answer_mails(world: Clinic) -> None:
    """Choose how to be mailed, stop one kind, and let the mail service tell something."""
    path = "/v1/me/notification-preferences"
    world.practice.get(path)
    first = {"If-Match": '"0"'}
    world.practice.send("PUT", path, factories.a_preferences_body(), headers=first)
    member_id = world.members["practice"].member_id
    way_out = address_for(member_id, [Category.DIGEST], link="", stores=world.stores)
    for method in ("GET", "POST"):
        world.anyone.send(method, way_out, None)
    with pytest.MonkeyPatch.context() as patch:
        believing = verifier()
        patch.setattr(wiring, "posts", cache(lambda: believing))
        told = posted("x", at=wiring.now())
        world.anyone.send("POST", "/v1/mail-events", told)
