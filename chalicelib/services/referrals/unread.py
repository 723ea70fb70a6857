"""Telling a member what others changed since they looked last."""

from collections.abc import Callable
from datetime import datetime

from chalicelib.domain.identity.members import Member
from chalicelib.domain.referrals.referral import Referral
from chalicelib.domain.referrals.unread import Looks
from chalicelib.errors import StaleError
from chalicelib.services.referrals.access import seen
from chalicelib.store.all_stores import Stores
from chalicelib.store.referrals.items import Summary

IsNews = Callable[[Summary], bool]
"""Whether a row of a list has news for whoever reads it."""


def watching(member: Member, *, stores: Stores, now: datetime) -> IsNews:
    """What tells of each row of a list whether it has news for this member. One read."""
    versions = stores.looks.of(member.member_id, now=now)
    looks = Looks(member_id=member.member_id, versions=versions, now=now)
    return lambda row: looks.are_before(
        row.touched,
        referral_id=row.referral_id,
        version=row.version,
        updated_at=row.updated_at,
    )


def is_new(referral: Referral, *, member: Member, stores: Stores, now: datetime) -> bool:
    """Whether a referral has news for a member. One read, no write: a program may be reading."""
    versions = stores.looks.at(member.member_id, referral.referral_id, now=now)
    looks = Looks(member_id=member.member_id, versions=versions, now=now)
    return looks.are_before(
        referral.touched,
        referral_id=referral.referral_id,
        version=referral.version,
        updated_at=referral.updated_at,
    )


def look(referral_id: str, *, version: int, member: Member, stores: Stores, now: datetime) -> None:
    """A member has seen a referral as it is; from now on what came before is no news.

    Not a write of the referral: looking makes no version, and is one small item.

    Raises:
        NotFoundError: no such referral, or another tenant's.
        StaleError: it was changed since; that is still news.
    """
    referral = seen(referral_id, member, "referral.look", stores=stores, now=now)
    if version != referral.version:
        raise StaleError
    stores.looks.remember(member.member_id, referral_id, version=version, now=now)
