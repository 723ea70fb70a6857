"""What is unread: what others changed in a referral, or wrote about it, since a member last viewed it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

VIEWED_VERSIONS_KEPT_FOR = timedelta(days=90)
"""How long a member's last view is kept, and how long a change counts as unread."""


@dataclass(frozen=True, slots=True)
class LastWriter:
    """The member who last changed a referral (`by`), and the last version made by someone else (`after`)."""

    by: str = ""
    after: int = 0

    def add_change(self, actor_id: str, version: int) -> "LastWriter":
        """Add a change by `actor_id`, which produced `version`."""
        return self if actor_id == self.by else LastWriter(actor_id, version - 1)

    def get_newest_version_for(self, member_id: str, version: int) -> int:
        """Get the newest version that was not made by this member; 0 if there is none."""
        return self.after if self.by == member_id else version


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewedReferral:
    """What a member viewed of one referral: its version, and how many of the other side's messages."""

    version: int = 0
    messages: int = 0


_NOTHING_VIEWED = ViewedReferral()


@dataclass(frozen=True, slots=True, kw_only=True)
class LastViewed:
    """What a member last viewed of each referral."""

    member_id: str
    referrals: Mapping[str, ViewedReferral]
    now: datetime

    def has_unread(self, last_writer: LastWriter, *, referral_id: str, version: int, updated_at: datetime) -> bool:
        """Whether the referral has unread changes for the member."""
        newest = last_writer.get_newest_version_for(self.member_id, version)
        viewed = self.referrals.get(referral_id, _NOTHING_VIEWED)
        return viewed.version < newest and self.now - updated_at <= VIEWED_VERSIONS_KEPT_FOR

    def count_unread_messages(self, referral_id: str, *, count: int, last_message_at: datetime | None) -> int:
        """Count the unread messages among the `count` messages that the other side sent."""
        if last_message_at is None or self.now - last_message_at > VIEWED_VERSIONS_KEPT_FOR:
            return 0
        return max(0, count - self.referrals.get(referral_id, _NOTHING_VIEWED).messages)
