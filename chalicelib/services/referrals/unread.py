"""What others changed in a referral since a member viewed it last."""

from collections.abc import Callable

from chalicelib.domain.identity.members import Member
from chalicelib.domain.referrals.referral import Referral
from chalicelib.domain.referrals.unread import LastViewed
from chalicelib.errors import PreconditionFailedError
from chalicelib.services.platform.run_context import RunContext
from chalicelib.services.referrals.access import get_visible_or_404
from chalicelib.store.referrals.items import ReferralSummary

HasUnread = Callable[[ReferralSummary], bool]
"""Whether a row of a list has changes that its reader has not viewed."""


def load_unread_check(member: Member, *, context: RunContext) -> HasUnread:
    """Load the check that says which rows of a list are unread for this member. Takes one read."""
    versions = context.stores.last_viewed.list_viewed(member.member_id, now=context.now)
    last_viewed = LastViewed(member_id=member.member_id, versions=versions, now=context.now)
    return lambda row: last_viewed.has_unread(
        row.last_writer, referral_id=row.referral_id, version=row.version, updated_at=row.updated_at
    )


def has_unread_changes(referral: Referral, *, member: Member, context: RunContext) -> bool:
    """Whether a referral is unread for a member. One read and no write, because a program may be reading."""
    versions = context.stores.last_viewed.get_viewed(member.member_id, referral.referral_id, now=context.now)
    last_viewed = LastViewed(member_id=member.member_id, versions=versions, now=context.now)
    return last_viewed.has_unread(
        referral.last_writer, referral_id=referral.referral_id, version=referral.version, updated_at=referral.updated_at
    )


def mark_viewed(referral_id: str, *, version: int, member: Member, context: RunContext) -> None:
    """Mark the referral as viewed at this version.

    The referral itself is not written: a view creates no version and is one small item.

    Raises:
        NotFoundError: no such referral, or another tenant's.
        PreconditionFailedError: it has changed since; that change stays unread.
    """
    referral = get_visible_or_404(referral_id, member, "referral.look", context=context)
    if version != referral.version:
        raise PreconditionFailedError
    context.stores.last_viewed.record_viewed(member.member_id, referral_id, version=version, now=context.now)
