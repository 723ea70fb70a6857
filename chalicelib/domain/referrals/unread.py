"""What is new to somebody: what others changed since this person looked last."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

KEPT = timedelta(days=90)
"""How long it is remembered that somebody looked, and how long a change is news."""


@dataclass(frozen=True, slots=True)
class Touch:
    """Who changed a referral last, and the last version that was somebody else's."""

    by: str = ""
    after: int = 0

    def then(self, actor_id: str, version: int) -> "Touch":
        """After one more change, which made `version`."""
        return self if actor_id == self.by else Touch(actor_id, version - 1)

    def newest_for(self, member_id: str, version: int) -> int:
        """The newest version that is not this member's own work; 0 if there is none."""
        return self.after if self.by == member_id else version


@dataclass(frozen=True, slots=True, kw_only=True)
class Looks:
    """Which version of each referral a member saw when looking last."""

    member_id: str
    versions: Mapping[str, int]
    now: datetime

    def are_before(
        self, touch: Touch, *, referral_id: str, version: int, updated_at: datetime
    ) -> bool:
        """Whether the referral has news for the member."""
        newest = touch.newest_for(self.member_id, version)
        return self.versions.get(referral_id, 0) < newest and self.now - updated_at <= KEPT
