"""The link in a mail by which its reader stops mails like it, without signing in.

What it names is sealed: nobody can make one, read one, or turn one into another member's.
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
    """Where a member turns these categories off."""
    plain = "/".join([member_id, *sorted(categories)]).encode()
    token = _encode_token(stores.encryption.encrypt(plain, scope=_ENCRYPTION_SCOPE, context=_ENCRYPTION_CONTEXT))
    return f"{sign_in_url}{UNSUBSCRIBE_PATH}/{token}"


def parse_unsubscribe_token(token: str, *, stores: Stores) -> tuple[str, frozenset[Category]]:
    """Whose mails of which categories a token stands for. A category that is gone is left out.

    Raises:
        NotFoundError: it is not one of ours.
    """
    from cryptography.exceptions import InvalidTag  # noqa: PLC0415 loaded with the vault

    try:
        plain = stores.encryption.decrypt(
            _decode_token(token), scope=_ENCRYPTION_SCOPE, context=_ENCRYPTION_CONTEXT
        ).decode()
    except (binascii.Error, InvalidTag, ValueError) as e:
        raise NotFoundError from e
    member_id, *categories = plain.split("/")
    return member_id, frozenset(known for known in Category if known in categories)


def unsubscribe_member(token: str, *, stores: Stores) -> None:
    """Mail the member no more of what a token names. Doing it again changes nothing.

    Raises:
        NotFoundError: the token is not one of ours.
        UnavailableError: the member kept changing the preferences meanwhile.
    """
    member_id, categories = parse_unsubscribe_token(token, stores=stores)

    def attempt() -> None:
        now = stores.recipients.get_preferences(member_id)
        off = dict.fromkeys(categories & set(OPTIONAL_CATEGORIES), MailTiming.NEVER)
        preferences = replace(now, timings={**now.timings, **off})
        if preferences == now:
            return
        # Neither the hour nor the zone: the next digest comes when it would have come.
        _, saving = stores.recipients.prepare_save(member_id, preferences, version=now.version)
        stores.transactions.commit(saving)

    commit_with_retry(attempt)


def _decode_token(token: str) -> bytes:
    sealed = urlsafe_b64decode(token.encode("ascii") + b"=" * (-len(token) % 4))
    # The decoder overlooks strange letters and spare bits; ours has one spelling.
    if _encode_token(sealed) != token:
        raise ValueError("not as it was given")
    return sealed


def _encode_token(ciphertext: bytes) -> str:
    return urlsafe_b64encode(ciphertext).decode().rstrip("=")
