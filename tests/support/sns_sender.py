"""Amazon SNS as a sender, with the tests' own key and certificate."""

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
from chalicelib.services.notices.sns_verifier import SnsVerifier
from chalicelib.services.notices.unsubscribe import build_unsubscribe_url
from tests.support import factories
from tests.support.api_driver import ApiDriver
from tests.support.aws_fakes import TOPIC

SENDER_NAME = "Amazon SNS"
CERTIFICATE = "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-0123abcd.pem"
CONFIRMATION = (
    f"https://sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn={TOPIC}&Token=2336412f37fb687f"
)
_NOTIFICATION = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")
_SUBSCRIPTION = (*("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),)


@cache
def get_key(name: str) -> rsa.RSAPrivateKey:
    """Return a key by name; creating one takes longer than most tests."""
    del name
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@cache
def get_certificate() -> bytes:
    """Return the certificate of the key that signs messages."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
    begins = datetime(2020, 1, 1, tzinfo=UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(get_key(SENDER_NAME).public_key())
        .serial_number(1)
        .not_valid_before(begins)
        .not_valid_after(begins + timedelta(days=365 * 200))
        .sign(get_key(SENDER_NAME), SHA256())
    )
    return made.public_bytes(Encoding.PEM)


def build_verifier(asked: list[str] | None = None, **changed: Any) -> SnsVerifier:
    """Build a verifier that trusts the tests' messages; `asked` records each requested address."""

    def fetch(address: str) -> bytes:
        if asked is not None:
            asked.append(address)
        return get_certificate()

    made: dict[str, Any] = {"topic": TOPIC, "fetch": fetch} | changed
    return SnsVerifier(**made)


def build_message(
    message: Any, *, at: datetime, signed_by: str = SENDER_NAME, hashed_by: HashAlgorithm | None = None, **changed: Any
) -> bytes:
    """Build a message of SNS. `changed` is other content, which is signed too."""
    result: dict[str, Any] = {
        "Type": "Notification",
        "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
        "TopicArn": TOPIC,
        "Message": message if isinstance(message, str) else json.dumps(message),
        "Timestamp": at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        "SignatureVersion": "2",
        "SigningCertURL": CERTIFICATE,
    } | changed
    names = _NOTIFICATION if result["Type"] == "Notification" else _SUBSCRIPTION
    text = "".join(f"{name}\n{result[name]}\n" for name in names if name in result)
    signature = get_key(signed_by).sign(text.encode(), padding.PKCS1v15(), hashed_by or SHA256())
    return json.dumps(result | {"Signature": base64.b64encode(signature).decode()}).encode()


def build_subscription(*, at: datetime, **changed: Any) -> bytes:
    """Build the question of SNS whether a subscription is wanted."""
    words = {"Type": "SubscriptionConfirmation", "Token": "t", "SubscribeURL": CONFIRMATION}
    return build_message("You have chosen to subscribe", at=at, **(words | changed))


def build_ses_event(
    kind: str, mail_id: str, *, at: datetime, to: str = "x@y.example", **details: Any
) -> dict[str, Any]:
    """Build an event as SES publishes it."""
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


def build_hard_bounce(mail_id: str, *, at: datetime, to: str) -> dict[str, Any]:
    """An address that does not exist."""
    return build_ses_event("Bounce", mail_id, at=at, to=to, bounceType="Permanent")


def play_mail_lifecycle(world: ApiDriver) -> None:
    """Save email preferences, unsubscribe from one kind, and report an event of the mail service."""
    path = "/v1/me/notification-preferences"
    world.practice.get(path)
    first = {"If-Match": '"0"'}
    world.practice.send("PUT", path, factories.build_preferences_body(), headers=first)
    member_id = world.members["practice"].member_id
    way_out = build_unsubscribe_url(member_id, [Category.DIGEST], sign_in_url="", stores=world.stores)
    for method in ("GET", "POST"):
        world.anyone.send(method, way_out, None)
    with pytest.MonkeyPatch.context() as patch:
        believing = build_verifier()
        patch.setattr(wiring, "get_sns_verifier", cache(lambda: believing))
        result = build_message("x", at=wiring.read_clock())
        world.anyone.send("POST", "/v1/mail-events", result)
