"""The link in a mail by which its reader stops mails like it, without signing in.

What it names is sealed: nobody can make one, read one, or turn one into another member's.
"""

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace

from chalicelib.domain.notices.mail_timing import OPTIONAL, Timing
from chalicelib.domain.notices.notice_rules import Category
from chalicelib.errors import NotFoundError, UnavailableError
from chalicelib.store.all_stores import Stores
from chalicelib.store.platform.transactions import ConditionFailed

PATH = "/v1/unsubscribe"

_SCOPE, _PLACE = "service", "unsubscribe"
_TRIES = 5


def address_for(
    member_id: str, categories: Iterable[Category], *, link: str, stores: Stores
) -> str:
    """Where a member turns these categories off."""
    plain = "/".join([member_id, *sorted(categories)]).encode()
    return f"{link}{PATH}/{_spelled(stores.vault.seal(plain, scope=_SCOPE, place=_PLACE))}"


def named_by(token: str, *, stores: Stores) -> tuple[str, frozenset[Category]]:
    """Whose mails of which categories a token stands for. A category that is gone is left out.

    Raises:
        NotFoundError: it is not one of ours.
    """
    from cryptography.exceptions import InvalidTag  # noqa: PLC0415 loaded with the vault

    try:
        plain = stores.vault.open(_decoded(token), scope=_SCOPE, place=_PLACE).decode()
    except (binascii.Error, InvalidTag, ValueError) as e:
        raise NotFoundError from e
    member_id, *categories = plain.split("/")
    return member_id, frozenset(known for known in Category if known in categories)


def turn_off(token: str, *, stores: Stores) -> None:
    """Mail the member no more of what a token names. Doing it again changes nothing.

    Raises:
        NotFoundError: the token is not one of ours.
        UnavailableError: the member kept changing the preferences meanwhile.
    """
    member_id, categories = named_by(token, stores=stores)
    for _ in range(_TRIES):
        now = stores.recipients.preferences(member_id)
        off = dict.fromkeys(categories & set(OPTIONAL), Timing.NEVER)
        wanted = replace(now, timings={**now.timings, **off})
        if wanted == now:
            return
        # Neither the hour nor the zone: the next digest comes when it would have come.
        _, saving = stores.recipients.saving(member_id, wanted, version=now.version)
        with suppress(ConditionFailed):
            stores.ledger.commit(saving)
            return
    raise UnavailableError("busy")


def _decoded(token: str) -> bytes:
    sealed = urlsafe_b64decode(token.encode("ascii") + b"=" * (-len(token) % 4))
    # The decoder overlooks strange letters and spare bits; ours has one spelling.
    if _spelled(sealed) != token:
        raise ValueError("not as it was given")
    return sealed


def _spelled(sealed: bytes) -> str:
    return urlsafe_b64encode(sealed).decode().rstrip("=")
