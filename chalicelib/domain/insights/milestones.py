"""The milestones of a referral: the steps between which insights count days."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum

from chalicelib.domain.referrals.referral import Referral
from chalicelib.domain.referrals.stages import Stage


class Milestone(StrEnum):
    """A step that insights count, in the order of the journey."""

    SUBMITTED = "submitted"
    RECEIVED = "received"
    ACCEPTED = "accepted"
    CONSULTED = "consult_completed"
    PROCEEDING = "center_proceed"
    COLLECTED = "apheresis_completed"
    INFUSED = "infused"
    SUMMARY_READY = "handback_ready"
    RETURNED = "handed_back"


MilestoneTimes = Mapping[Milestone, datetime]
"""When each milestone was reached, according to its reporter."""

_STAGE_BY_MILESTONE: Mapping[Milestone, Stage] = {milestone: Stage(milestone.value) for milestone in Milestone}


def list_milestone_times(referral: Referral) -> MilestoneTimes:
    """List when a referral reached its milestones, as its replayed history has them.

    The submission is the first one; of every other step the last one counts. So the time until leukapheresis
    includes a collection that had to be repeated.
    """
    times = {
        milestone: referral.stage_entered_at[stage]
        for milestone, stage in _STAGE_BY_MILESTONE.items()
        if stage in referral.stage_entered_at
    }
    if referral.submitted_at:
        times[Milestone.SUBMITTED] = referral.submitted_at
    return times


def find_furthest(times: MilestoneTimes) -> Milestone:
    """Find the latest milestone on the journey that a referral reached. Every milestone before it counts as reached."""
    order: Sequence[Milestone] = tuple(Milestone)
    return max((Milestone.SUBMITTED, *times), key=order.index)
