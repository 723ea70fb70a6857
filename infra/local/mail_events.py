"""What becomes of mail, told to the product as Amazon SNS would: signed, of one topic, posted.

The key and its certificate are made for each run. What lets the product believe them is that
this process answers for the address of the certificate; there is no setting for that, and no way
to it from outside. The product checks each post as it does in production.

Mail to an address that begins with `bounce` is lost for good; any other arrives.
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
"""No such file is there: whoever else asked for it would get nothing."""

BOUNCE_MARKER = "bounce"
"""How an address begins that does not exist."""

TRIES = 3
POLL_S = 0.5

Post = Callable[[bytes], None]
"""Posts to the product. Raises OSError where it does not take it."""


@dataclass(frozen=True, slots=True)
class TopicSigner:
    """A topic's key, made for this run."""

    key: rsa.RSAPrivateKey = field(
        default_factory=lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048)
    )

    def create_certificate(self) -> bytes:
        """The key's certificate, for as long as a run may last."""
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "local")])
        now = datetime.now(UTC)
        made = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(self.key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(days=366))
            .sign(self.key, SHA256())
        )
        return made.public_bytes(Encoding.PEM)

    def build_notification(self, event: Mapping[str, Any], *, at: datetime) -> bytes:
        """An event as the topic posts it to a subscriber, with version 2 of the signature."""
        message = {
            "Message": json.dumps(event),
            "MessageId": str(uuid.uuid4()),
            "Timestamp": _format_time(at),
            "TopicArn": TOPIC,
            "Type": "Notification",
        }
        signed = "".join(f"{name}\n{value}\n" for name, value in message.items())
        signature = self.key.sign(signed.encode(), padding.PKCS1v15(), SHA256())
        message |= {
            "SignatureVersion": "2",
            "Signature": base64.b64encode(signature).decode(),
            "SigningCertURL": CERTIFICATE,
        }
        return json.dumps(message).encode()


def trust_signer(signer: TopicSigner) -> None:
    """Let the product of this process believe a signer, and nobody else."""
    certificate = signer.create_certificate()

    def fetch(address: str) -> bytes:
        if address != CERTIFICATE:
            raise ConnectionError("nothing else is to be had here")
        return certificate

    verifier = SnsVerifier(topic=wiring.get_settings().mail_topic, fetch=fetch)
    setattr(wiring, "get_sns_verifier", cache(lambda: verifier))  # noqa: B010 a function of the product is replaced


@dataclass(slots=True)
class MailEventReporter:
    """Tells the product what becomes of the mail that is sent from now on."""

    mailbox: SentMailbox
    signer: TopicSigner
    post: Post
    stopping: threading.Event = field(default_factory=threading.Event)
    _reported: int = 0

    def start(self) -> None:
        """Pass over what was sent before, and follow the mailbox."""
        self._reported = len(self.mailbox.list_mails())
        threading.Thread(target=self._poll, daemon=True).start()

    def stop(self) -> None:
        """Tell nothing more."""
        self.stopping.set()

    def report_new(self) -> None:
        """Tell of the mails that are new."""
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
        for number in range(1, TRIES + 1):
            try:
                self.post(body)
            except OSError as error:
                log.warning("An event of a mail was not taken: %s", error)
                self.stopping.wait(number)
            else:
                return


def build_mail_event(mail: Mail, *, at: datetime) -> dict[str, Any]:
    """What the mail service tells of a mail: it arrived, or its address does not exist."""
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
    if address.startswith(BOUNCE_MARKER):
        bounce = {"bounceType": "Permanent", "timestamp": _format_time(at)}
        return {"eventType": "Bounce", "bounce": bounce, **event}
    return {"eventType": "Delivery", "delivery": {"timestamp": _format_time(at)}, **event}


def build_post(url: str) -> Post:
    """Posts to a running product as Amazon SNS does."""

    def post(told: bytes) -> None:
        request = urllib.request.Request(  # noqa: S310 our own
            f"{url}/v1/mail-events", data=told, headers={"Content-Type": "text/plain; charset=UTF-8"}
        )
        with urllib.request.urlopen(request, timeout=10):  # noqa: S310 as above
            pass

    return post


def _format_time(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
