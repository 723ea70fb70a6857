"""Unread changes: what other people changed in a referral since a member last viewed it."""

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
class LastViewed:
    """The version of each referral that a member last viewed."""

    member_id: str
    versions: Mapping[str, int]
    now: datetime

    def has_unread(self, last_writer: LastWriter, *, referral_id: str, version: int, updated_at: datetime) -> bool:
        """Whether the referral has unread changes for the member."""
        newest = last_writer.get_newest_version_for(self.member_id, version)
        return self.versions.get(referral_id, 0) < newest and self.now - updated_at <= VIEWED_VERSIONS_KEPT_FOR
