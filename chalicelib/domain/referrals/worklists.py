"""Worklists: which referrals somebody has to look at, and why."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from chalicelib.domain.referrals.monitoring_window import to_local_day
from chalicelib.domain.referrals.reason_codes import ReasonCode
from chalicelib.domain.referrals.referral import Referral
from chalicelib.domain.referrals.stages import STAGE_FACTS, TERMINAL_STAGES, NextActor, Stage
from chalicelib.domain.referrals.turnaround import Turnaround, TurnaroundLevel, compute_turnaround

ENDS_SOON_WITHIN = timedelta(days=7)
"""How long before its end a monitoring window is on the list. This product's choice."""


class Worklist(StrEnum):
    """A list that a team works through."""

    NEEDS_MY_ACTION = "needs_my_action"
    NEEDS_INFORMATION = "needs_information"
    AWAITING_BOOKING = "awaiting_booking"
    NO_SHOW_OR_CANCELLED = "no_show_or_cancelled"
    UPDATE_OVERDUE = "update_overdue"
    MONITORING_ENDS_SOON = "monitoring_ends_soon"
    HANDBACK_AWAITING_ACKNOWLEDGEMENT = "handback_awaiting_acknowledgement"
    RETURNED_OR_DECLINED = "returned_or_declined"
    CHANGED_SINCE_SEEN = "changed_since_seen"
    """What others changed since this member looked: by `domain.news`, not by how it stands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StageSummary:
    """How one referral stands, as far as lists need to know.

    Attributes:
        window_ends_on: The day of hand-back, once the patient was infused.
        revisit_on: When a deferred patient is looked at again.
        referred_at: When it was submitted; None once it was deferred, which begins the way to a
            consultation anew.
        has_gap: Whether updates of the center's feed are missing.
        withdrawal_requested: Whether the practice asks the center to stop.
    """

    stage: Stage
    since: datetime
    on_hold: bool = False
    reason_code: str | None = None
    window_ends_on: date | None = None
    revisit_on: date | None = None
    referred_at: datetime | None = None
    has_gap: bool = False
    withdrawal_requested: bool = False

    @property
    def owner(self) -> NextActor:
        """Who has to make the next move; a request to withdraw is the center's to answer."""
        return NextActor.CENTER if self.withdrawal_requested else STAGE_FACTS[self.stage].owner

    @property
    def ends_on(self) -> date | None:
        """The day of the referral's own that a dated stage lasts until."""
        return self.revisit_on if self.stage is Stage.DEFERRED else self.window_ends_on

    def compute_turnaround(self, *, now: datetime, time_zone: str) -> Turnaround:
        """How the stage stands against its limits."""
        return compute_turnaround(
            self.stage,
            since=self.since,
            referred_at=self.referred_at,
            ends_on=self.ends_on,
            on_hold=self.on_hold,
            now=now,
            time_zone=time_zone,
        )


def summarize_stage(referral: Referral) -> StageSummary:
    """How a referral stands."""
    overlay = referral.status
    return StageSummary(
        stage=referral.stage,
        since=referral.stage_since,
        on_hold=overlay.hold is not None,
        reason_code=overlay.reason_code,
        window_ends_on=referral.window.ends_on if referral.window else None,
        revisit_on=overlay.revisit_on,
        referred_at=None if Stage.DEFERRED in referral.stage_entered_at else referral.submitted_at,
        has_gap=bool(overlay.feed.missing or overlay.updates_lost),
        withdrawal_requested=overlay.withdrawal_requested_at is not None,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ListViewer:
    """Who looks, when, and by which calendar."""

    side: NextActor
    now: datetime
    time_zone: str


def is_late(stage_summary: StageSummary, viewer: ListViewer) -> bool:
    """Whether the stage has lasted longer than it should."""
    level = stage_summary.compute_turnaround(now=viewer.now, time_zone=viewer.time_zone).level
    return level in {TurnaroundLevel.AMBER, TurnaroundLevel.RED}


def _is_window_ending_soon(stage_summary: StageSummary, viewer: ListViewer) -> bool:
    if stage_summary.window_ends_on is None or stage_summary.stage not in _MONITORED_STAGES:
        return False
    today = to_local_day(viewer.now, viewer.time_zone)
    return stage_summary.window_ends_on - today <= ENDS_SOON_WITHIN


_MONITORED_STAGES = frozenset({Stage.INFUSED, Stage.MONITORING, Stage.WINDOW_COMPLETE})
_RETURNED_STAGES = frozenset({Stage.DECLINED, Stage.REDIRECTED, Stage.NOT_PROCEEDING, Stage.DEFERRED})

WORKLIST_RULES: Mapping[Worklist, Callable[[StageSummary, ListViewer], bool]] = {
    Worklist.NEEDS_MY_ACTION: lambda s, r: s.owner is r.side and s.stage not in TERMINAL_STAGES,
    Worklist.NEEDS_INFORMATION: lambda s, _: s.stage is Stage.INFO_REQUESTED,
    Worklist.AWAITING_BOOKING: lambda s, _: s.stage is Stage.ACCEPTED,
    Worklist.NO_SHOW_OR_CANCELLED: lambda s, _: (
        s.stage is Stage.CONSULT_SCHEDULED and s.reason_code == ReasonCode.NO_SHOW
    ),
    Worklist.UPDATE_OVERDUE: lambda s, r: s.has_gap or is_late(s, r),
    Worklist.MONITORING_ENDS_SOON: _is_window_ending_soon,
    Worklist.HANDBACK_AWAITING_ACKNOWLEDGEMENT: lambda s, _: s.stage is Stage.HANDBACK_READY,
    Worklist.RETURNED_OR_DECLINED: lambda s, _: s.stage in _RETURNED_STAGES,
}
"""What puts a referral on each list."""
