"""Telling a member what others changed since they looked last."""

from collections.abc import Callable
from datetime import datetime

from chalicelib.domain.members import Member
from chalicelib.domain.news import Looks
from chalicelib.domain.referral import Referral
from chalicelib.store.referral_items import Summary
from chalicelib.store.stores import Stores

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


def look(referral: Referral, *, member: Member, stores: Stores, now: datetime) -> bool:
    """Whether a referral has news for the member who opens it now; from now on it has none.

    Not a write of the referral: looking makes no version, and is one small item at most.
    """
    referral_id, version = referral.referral_id, referral.version
    versions = stores.looks.at(member.member_id, referral_id, now=now)
    if versions.get(referral_id) != version:
        stores.looks.remember(member.member_id, referral_id, version=version, now=now)
    looks = Looks(member_id=member.member_id, versions=versions, now=now)
    return looks.are_before(
        referral.touched,
        referral_id=referral_id,
        version=version,
        updated_at=referral.updated_at,
    )
