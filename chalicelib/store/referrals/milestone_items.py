"""The milestones of a referral in its list row: minutes since 1970, in the order of `Milestone`, null if not reached.

Rows are read by the hundred, so they are short. A milestone that a later release adds comes at the end.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

from chalicelib.domain.insights.milestones import Milestone, MilestoneTimes

MILESTONES_MEMBER = "steps"
"""The member of the summary. Rows of releases before 0.5.0 do not have it."""

_S_PER_MINUTE = 60


def milestones_to_members(times: MilestoneTimes) -> dict[str, list[int | None]]:
    """Convert milestones to a member of the summary; none for a draft."""
    minutes = [int(times[m].timestamp()) // _S_PER_MINUTE if m in times else None for m in Milestone]
    return {MILESTONES_MEMBER: minutes} if times else {}


def read_milestones(minutes: Sequence[int | None] | None) -> MilestoneTimes | None:
    """Convert them back; None for a row without them."""
    if minutes is None:
        return None
    return {
        milestone: datetime.fromtimestamp(minute * _S_PER_MINUTE, UTC)
        for milestone, minute in zip(Milestone, minutes, strict=False)
        if minute is not None
    }
