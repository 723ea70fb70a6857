"""What is new to somebody: what others changed since this person looked last."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

VIEWED_VERSIONS_KEPT_FOR = timedelta(days=90)
"""How long it is remembered that somebody looked, and how long a change is news."""


@dataclass(frozen=True, slots=True)
class LastWriter:
    """Who changed a referral last, and the last version that was somebody else's."""

    by: str = ""
    after: int = 0

    def add_change(self, actor_id: str, version: int) -> "LastWriter":
        """After one more change, which made `version`."""
        return self if actor_id == self.by else LastWriter(actor_id, version - 1)

    def get_newest_version_for(self, member_id: str, version: int) -> int:
        """The newest version that is not this member's own work; 0 if there is none."""
        return self.after if self.by == member_id else version


@dataclass(frozen=True, slots=True, kw_only=True)
class LastViewed:
    """Which version of each referral a member saw when looking last."""

    member_id: str
    versions: Mapping[str, int]
    now: datetime

    def has_unread(self, last_writer: LastWriter, *, referral_id: str, version: int, updated_at: datetime) -> bool:
        """Whether the referral has news for the member."""
        newest = last_writer.get_newest_version_for(self.member_id, version)
        return self.versions.get(referral_id, 0) < newest and self.now - updated_at <= VIEWED_VERSIONS_KEPT_FOR
