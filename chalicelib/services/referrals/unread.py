"""What others changed in a referral, and wrote about it, since a member viewed it last."""

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass

from chalicelib.domain.identity.members import Member
from chalicelib.domain.referrals.referral import Referral
from chalicelib.domain.referrals.stages import Actor
from chalicelib.domain.referrals.unread import LastViewed
from chalicelib.errors import PreconditionFailedError
from chalicelib.services.platform.run_context import RunContext
from chalicelib.services.referrals.access import get_visible_or_404
from chalicelib.store.referrals.items import ReferralSummary

HasUnread = Callable[[ReferralSummary], bool]
"""Whether a row of a list has changes that its reader has not viewed."""


@dataclass(frozen=True, slots=True)
class UnreadRows:
    """Says what is unread in the rows of a list, for one member."""

    member: Member
    loading: Future[LastViewed]

    @property
    def last_viewed(self) -> LastViewed:
        """What the member viewed. Waits until it is loaded."""
        return self.loading.result()

    def has_changes(self, row: ReferralSummary) -> bool:
        """Whether a row has changes that the member has not viewed."""
        return self.last_viewed.has_unread(
            row.last_writer, referral_id=row.referral_id, version=row.version, updated_at=row.updated_at
        )

    def count_messages(self, row: ReferralSummary) -> int:
        """Count the other side's messages that the member has not read."""
        summary, is_practice = row.stage_summary, self.member.actor is Actor.PRACTICE
        return self.last_viewed.count_unread_messages(
            row.referral_id,
            count=summary.center_messages if is_practice else summary.practice_messages,
            last_message_at=summary.last_message_at,
        )


def load_unread_rows(member: Member, *, context: RunContext) -> UnreadRows:
    """Start to load what is unread in lists for this member. Takes one read, while the list is read."""

    def load() -> LastViewed:
        viewed = context.stores.last_viewed.list_viewed(member.member_id, now=context.now)
        return LastViewed(member_id=member.member_id, referrals=viewed, now=context.now)

    return UnreadRows(member, context.calls.start(load))


@dataclass(frozen=True, slots=True, kw_only=True)
class UnreadCounts:
    """What is unread in one referral for a member."""

    has_changes: bool = False
    messages: int = 0


NOTHING_UNREAD = UnreadCounts()


def load_unread(referral: Referral, *, member: Member, context: RunContext) -> UnreadCounts:
    """Load what is unread in a referral for a member. One read and no write, because a program may be reading."""
    viewed = context.stores.last_viewed.get_viewed(member.member_id, referral.referral_id, now=context.now)
    last_viewed = LastViewed(member_id=member.member_id, referrals=viewed, now=context.now)
    conversation = referral.conversation
    return UnreadCounts(
        has_changes=last_viewed.has_unread(
            referral.last_writer,
            referral_id=referral.referral_id,
            version=referral.version,
            updated_at=referral.updated_at,
        ),
        messages=last_viewed.count_unread_messages(
            referral.referral_id,
            count=conversation.count_messages_for(member.actor),
            last_message_at=conversation.last_message_at,
        ),
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
