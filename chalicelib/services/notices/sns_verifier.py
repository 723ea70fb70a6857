"""Verify that a message comes from our own SNS topic: its signature, with a certificate of Amazon SNS."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from chalicelib.domain.notices import sns_message as topic
from chalicelib.domain.notices.sns_message import SnsMessage
from chalicelib.errors import UnauthenticatedError, UnavailableError

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

_CACHED_CERTIFICATES = 4
"""SNS signs with one certificate per region at a time, and changes it about once a year."""


@dataclass(frozen=True, slots=True)
class SnsVerifier:
    """Accepts messages from one topic.

    Attributes:
        topic: Its ARN; empty if there is none, and then every message is rejected.
        fetch: Gets the content of an address, with limits on time and size.
    """

    topic: str
    fetch: Callable[[str], bytes]
    _cache: "dict[str, Certificate]" = field(default_factory=dict)

    def require_valid_signature(self, message: SnsMessage, *, now: datetime) -> None:
        """Accept only a recent message that is signed by our topic.

        Raises:
            UnauthenticatedError: it is from another topic, too old, or not signed by Amazon SNS.
            UnavailableError: the certificate could not be fetched; SNS will send the message again.
        """
        from cryptography.exceptions import InvalidSignature  # noqa: PLC0415 as in `EnvelopeEncryption`
        from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15  # noqa: PLC0415
        from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey  # noqa: PLC0415
        from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415

        if not self.topic or message.topic != self.topic or not topic.is_timely(message, now):
            raise UnauthenticatedError
        certificate = self._get_certificate(message.certificate_url)
        if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
            raise UnauthenticatedError
        key = certificate.public_key()
        if not isinstance(key, RSAPublicKey):
            raise UnauthenticatedError
        try:
            key.verify(message.signature, message.signed_text, PKCS1v15(), SHA256())
        except InvalidSignature as e:
            raise UnauthenticatedError from e

    def confirm_subscription(self, message: SnsMessage) -> None:
        """Confirm that we subscribe to our topic.

        Raises:
            UnauthenticatedError: the address does not belong to Amazon SNS.
            UnavailableError: it did not respond; SNS will ask again.
        """
        if not topic.is_confirmation_url(message.subscribe_url, self.topic):
            raise UnauthenticatedError
        self._fetch(message.subscribe_url)

    def _get_certificate(self, address: str) -> "Certificate":
        from cryptography.x509 import load_pem_x509_certificate  # noqa: PLC0415 as above

        if not topic.is_certificate_url(address, self.topic):
            raise UnauthenticatedError
        if address not in self._cache:
            if len(self._cache) >= _CACHED_CERTIFICATES:
                self._cache.clear()
            try:
                self._cache[address] = load_pem_x509_certificate(self._fetch(address))
            except ValueError as e:
                raise UnavailableError from e
        return self._cache[address]

    def _fetch(self, address: str) -> bytes:
        try:
            return self.fetch(address)
        except OSError as e:
            raise UnavailableError from e
