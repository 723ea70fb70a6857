"""The unsubscribe link: a reader turns off emails of the same categories without signing in.

Its token is encrypted, so no one can create one, read one, or change one into another member's.
"""

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable
from dataclasses import replace

from chalicelib.domain.notices.mail_timing import OPTIONAL_CATEGORIES, MailTiming
from chalicelib.domain.notices.notice_rules import Category
from chalicelib.errors import NotFoundError
from chalicelib.services.platform.optimistic import commit_with_retry
from chalicelib.store.all_stores import Stores

UNSUBSCRIBE_PATH = "/v1/unsubscribe"

_ENCRYPTION_SCOPE, _ENCRYPTION_CONTEXT = "service", "unsubscribe"


def build_unsubscribe_url(member_id: str, categories: Iterable[Category], *, sign_in_url: str, stores: Stores) -> str:
    """Build the address that turns these categories off for a member."""
    plaintext = "/".join([member_id, *sorted(categories)]).encode()
    token = _encode_token(stores.encryption.encrypt(plaintext, scope=_ENCRYPTION_SCOPE, context=_ENCRYPTION_CONTEXT))
    return f"{sign_in_url}{UNSUBSCRIBE_PATH}/{token}"


def parse_unsubscribe_token(token: str, *, stores: Stores) -> tuple[str, frozenset[Category]]:
    """Read the member and the categories from a token. A category that no longer exists is left out.

    Raises:
        NotFoundError: it is not one of ours.
    """
    from cryptography.exceptions import InvalidTag  # noqa: PLC0415 as in `EnvelopeEncryption`

    try:
        plaintext = stores.encryption.decrypt(
            _decode_token(token), scope=_ENCRYPTION_SCOPE, context=_ENCRYPTION_CONTEXT
        ).decode()
    except (binascii.Error, InvalidTag, ValueError) as e:
        raise NotFoundError from e
    member_id, *categories = plaintext.split("/")
    return member_id, frozenset(category for category in Category if category in categories)


def unsubscribe_member(token: str, *, stores: Stores) -> None:
    """Turn off the email categories of a token. It is idempotent.

    Raises:
        NotFoundError: the token is not one of ours.
        UnavailableError: the member changed the preferences at every attempt.
    """
    member_id, categories = parse_unsubscribe_token(token, stores=stores)

    def attempt() -> None:
        current = stores.recipients.get_preferences(member_id)
        turned_off = dict.fromkeys(categories & set(OPTIONAL_CATEGORIES), MailTiming.NEVER)
        preferences = replace(current, timings={**current.timings, **turned_off})
        if preferences == current:
            return
        # The hour and the time zone stay, so the next digest is sent at its usual time.
        _, write = stores.recipients.prepare_save(member_id, preferences, version=current.version)
        stores.transactions.commit(write)

    commit_with_retry(attempt)


def _decode_token(token: str) -> bytes:
    ciphertext = urlsafe_b64decode(token.encode("ascii") + b"=" * (-len(token) % 4))
    # The decoder ignores invalid characters and spare bits, but each of our tokens has only one spelling.
    if _encode_token(ciphertext) != token:
        raise ValueError("not in the form that we issued")
    return ciphertext


def _encode_token(ciphertext: bytes) -> str:
    return urlsafe_b64encode(ciphertext).decode().rstrip("=")
