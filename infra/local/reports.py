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
from chalicelib.domain.notices.ses_events import TAG
from chalicelib.services.notices.sns_verifier import PostVerifier
from infra.local.environment import REGION
from infra.local.mailbox import Mail, Mailbox

log = logging.getLogger(__name__)

TOPIC = f"arn:aws:sns:{REGION}:000000000000:mail-events"
CERTIFICATE = f"https://sns.{REGION}.amazonaws.com/SimpleNotificationService-local.pem"
"""No such file is there: whoever else asked for it would get nothing."""

BOUNCES = "bounce"
"""How an address begins that does not exist."""

TRIES = 3
POLL_S = 0.5

Post = Callable[[bytes], None]
"""Posts to the product. Raises OSError where it does not take it."""


@dataclass(frozen=True, slots=True)
class Signer:
    """A topic's key, made for this run."""

    key: rsa.RSAPrivateKey = field(
        default_factory=lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048)
    )

    def certificate(self) -> bytes:
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

    def notification(self, event: Mapping[str, Any], *, at: datetime) -> bytes:
        """An event as the topic posts it to a subscriber, with version 2 of the signature."""
        told = {
            "Message": json.dumps(event),
            "MessageId": str(uuid.uuid4()),
            "Timestamp": _stamp(at),
            "TopicArn": TOPIC,
            "Type": "Notification",
        }
        signed = "".join(f"{name}\n{value}\n" for name, value in told.items())
        signature = self.key.sign(signed.encode(), padding.PKCS1v15(), SHA256())
        told |= {
            "SignatureVersion": "2",
            "Signature": base64.b64encode(signature).decode(),
            "SigningCertURL": CERTIFICATE,
        }
        return json.dumps(told).encode()


def believed(signer: Signer) -> None:
    """Let the product of this process believe a signer, and nobody else."""
    certificate = signer.certificate()

    def fetch(address: str) -> bytes:
        if address != CERTIFICATE:
            raise ConnectionError("nothing else is to be had here")
        return certificate

    verifier = PostVerifier(topic=wiring.settings().mail_topic, fetch=fetch)
    setattr(wiring, "posts", cache(lambda: verifier))  # noqa: B010 a function of the product is replaced


@dataclass(slots=True)
class Reports:
    """Tells the product what becomes of the mail that is sent from now on."""

    mailbox: Mailbox
    signer: Signer
    post: Post
    stopping: threading.Event = field(default_factory=threading.Event)
    _told: int = 0

    def start(self) -> None:
        """Pass over what was sent before, and follow the mailbox."""
        self._told = len(self.mailbox.mails())
        threading.Thread(target=self._follow, daemon=True).start()

    def stop(self) -> None:
        """Tell nothing more."""
        self.stopping.set()

    def tell(self) -> None:
        """Tell of the mails that are new."""
        mails = self.mailbox.mails()[::-1]
        for mail in mails[self._told :]:
            self._told += 1
            if TAG in mail["tags"]:
                now = datetime.now(UTC)
                self._posted(self.signer.notification(event_of(mail, at=now), at=now))

    def _follow(self) -> None:
        while not self.stopping.wait(POLL_S):
            self.tell()

    def _posted(self, told: bytes) -> None:
        for number in range(1, TRIES + 1):
            try:
                self.post(told)
            except OSError as error:
                log.warning("An event of a mail was not taken: %s", error)
                self.stopping.wait(number)
            else:
                return


def event_of(mail: Mail, *, at: datetime) -> dict[str, Any]:
    """What the mail service tells of a mail: it arrived, or its address does not exist."""
    (address,) = mail["to"]
    told = {
        "mail": {
            "timestamp": _stamp(at),
            "source": mail["from"],
            "messageId": mail["mail_id"],
            "destination": [address],
            "tags": {TAG: [mail["tags"][TAG]]},
        }
    }
    if address.startswith(BOUNCES):
        bounce = {"bounceType": "Permanent", "timestamp": _stamp(at)}
        return {"eventType": "Bounce", "bounce": bounce, **told}
    return {"eventType": "Delivery", "delivery": {"timestamp": _stamp(at)}, **told}


def posting_to(url: str) -> Post:
    """Posts to a running product as Amazon SNS does."""

    def post(told: bytes) -> None:
        request = urllib.request.Request(  # noqa: S310 our own
            f"{url}/v1/mail-events",
            data=told,
            headers={"Content-Type": "text/plain; charset=UTF-8"},
        )
        with urllib.request.urlopen(request, timeout=10):  # noqa: S310 as above
            pass

    return post


def _stamp(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
