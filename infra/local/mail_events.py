"""Posts delivery and bounce events of sent mail to the product, signed as Amazon SNS signs them.

The key and its certificate are created for each run. The product accepts them because this process
replaces the function that fetches the certificate. No setting does this, and it is not possible from
outside. The product verifies each post as it does in production.

Mail to an address that starts with `bounce` bounces permanently. All other mail is delivered.
"""

import base64
import json
import logging
import threading
import urllib.request
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from chalicelib import wiring
from chalicelib.domain.notices.ses_events import MAIL_ID_TAG
from chalicelib.services.notices.sns_verifier import SnsVerifier
from infra.local.environment import REGION
from infra.local.mailbox import Mail, SentMailbox

log = logging.getLogger(__name__)

TOPIC = f"arn:aws:sns:{REGION}:000000000000:mail-events"
CERTIFICATE = f"https://sns.{REGION}.amazonaws.com/SimpleNotificationService-local.pem"
"""The address of the certificate. No such file exists at AWS."""

BOUNCE_PREFIX = "bounce"
"""Mail to addresses that start with this word bounces."""

MAX_ATTEMPTS = 3
POLL_S = 0.5

Post = Callable[[bytes], None]
"""Posts to the product. Raises OSError if the product does not accept it."""


@dataclass(frozen=True, slots=True)
class TopicSigner:
    """The signing key of the topic, created for this run."""

    key: rsa.RSAPrivateKey = field(
        default_factory=lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048)
    )

    def create_certificate(self) -> bytes:
        """Create the key's certificate. It is valid for longer than a run lasts."""
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "local")])
        now = datetime.now(UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(self.key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(days=366))
            .sign(self.key, SHA256())
        )
        return certificate.public_bytes(Encoding.PEM)

    def build_notification(self, event: Mapping[str, Any], *, at: datetime) -> bytes:
        """Build the post with which the topic delivers an event, with signature version 2."""
        message = {
            "Message": json.dumps(event),
            "MessageId": str(uuid.uuid4()),
            "Timestamp": _format_time(at),
            "TopicArn": TOPIC,
            "Type": "Notification",
        }
        signed_text = "".join(f"{name}\n{value}\n" for name, value in message.items())
        signature = self.key.sign(signed_text.encode(), padding.PKCS1v15(), SHA256())
        message |= {
            "SignatureVersion": "2",
            "Signature": base64.b64encode(signature).decode(),
            "SigningCertURL": CERTIFICATE,
        }
        return json.dumps(message).encode()


def trust_signer(signer: TopicSigner) -> None:
    """Make the product in this process accept the signer, and no one else."""
    certificate = signer.create_certificate()

    def fetch(address: str) -> bytes:
        if address != CERTIFICATE:
            raise ConnectionError("only the certificate of the local run is available")
        return certificate

    verifier = SnsVerifier(topic=wiring.get_settings().mail_topic, fetch=fetch)
    setattr(wiring, "get_sns_verifier", cache(lambda: verifier))  # noqa: B010 a function of the product is replaced


@dataclass(slots=True)
class MailEventReporter:
    """Reports delivery and bounce events of new mail to the product."""

    mailbox: SentMailbox
    signer: TopicSigner
    post: Post
    stopping: threading.Event = field(default_factory=threading.Event)
    _reported: int = 0

    def start(self) -> None:
        """Skip the mail that was sent before, and start to follow the mailbox."""
        self._reported = len(self.mailbox.list_mails())
        threading.Thread(target=self._poll, daemon=True).start()

    def stop(self) -> None:
        """Stop reporting."""
        self.stopping.set()

    def report_new(self) -> None:
        """Report the events of new mail."""
        mails = self.mailbox.list_mails()[::-1]
        for mail in mails[self._reported :]:
            self._reported += 1
            if MAIL_ID_TAG in mail["tags"]:
                now = datetime.now(UTC)
                self._post_with_retries(self.signer.build_notification(build_mail_event(mail, at=now), at=now))

    def _poll(self) -> None:
        while not self.stopping.wait(POLL_S):
            self.report_new()

    def _post_with_retries(self, body: bytes) -> None:
        for attempt in range(1, MAX_ATTEMPTS + 1):
            try:
                self.post(body)
            except OSError as error:
                log.warning("The product did not accept a mail event: %s", error)
                self.stopping.wait(attempt)
            else:
                return


def build_mail_event(mail: Mail, *, at: datetime) -> dict[str, Any]:
    """Build the event of a mail: it was delivered, or it bounced."""
    (address,) = mail["to"]
    event = {
        "mail": {
            "timestamp": _format_time(at),
            "source": mail["from"],
            "messageId": mail["mail_id"],
            "destination": [address],
            "tags": {MAIL_ID_TAG: [mail["tags"][MAIL_ID_TAG]]},
        }
    }
    if address.startswith(BOUNCE_PREFIX):
        bounce = {"bounceType": "Permanent", "timestamp": _format_time(at)}
        return {"eventType": "Bounce", "bounce": bounce, **event}
    return {"eventType": "Delivery", "delivery": {"timestamp": _format_time(at)}, **event}


def build_post(url: str) -> Post:
    """Return a function that posts to the running product as Amazon SNS does."""

    def post(body: bytes) -> None:
        request = urllib.request.Request(  # noqa: S310 the local site
            f"{url}/v1/mail-events", data=body, headers={"Content-Type": "text/plain; charset=UTF-8"}
        )
        with urllib.request.urlopen(request, timeout=10):  # noqa: S310 see above
            pass

    return post


def _format_time(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
