"""Worklists: which referrals a team must review, and why."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from chalicelib.domain.referrals.consent import is_sharing_stopped
from chalicelib.domain.referrals.coverage_status import NO_COVERAGE, TrackStatus
from chalicelib.domain.referrals.insurance_status import find_coverage_status
from chalicelib.domain.referrals.monitoring_window import to_local_day
from chalicelib.domain.referrals.plan_terms import DatedPlan, PlanKind
from chalicelib.domain.referrals.planned_dates import find_next, is_consultation_missed, list_open_plans
from chalicelib.domain.referrals.reason_codes import ReasonCode
from chalicelib.domain.referrals.referral import Referral
from chalicelib.domain.referrals.stages import STAGE_FACTS, TERMINAL_STAGES, NextActor, Stage
from chalicelib.domain.referrals.turnaround import NO_LIMIT, Turnaround, compute_turnaround

ENDS_SOON_WITHIN = timedelta(days=7)
"""How long before its end a monitoring window is on the list. Our own choice."""


class Worklist(StrEnum):
    """A list of referrals that a team reviews."""

    NEEDS_ACTION = "needs_action"
    """The reader's team acts next, or a step of either team is late."""
    NEEDS_MY_ACTION = "needs_my_action"
    WAITING_FOR_OTHER_TEAM = "waiting_for_other_team"
    """The other team acts next, and the reader's team has nothing to answer."""
    NEW_REFERRALS = "new_referrals"
    """Submitted, and not answered by the center."""
    ALL_OPEN = "all_open"
    NEEDS_INFORMATION = "needs_information"
    AWAITING_BOOKING = "awaiting_booking"
    NO_SHOW_OR_CANCELLED = "no_show_or_cancelled"
    LATE = "late"
    """A step is overdue. Either team may be the one to act."""
    UPDATE_MISSING = "update_missing"
    """The center's system left out updates, so the status may be old. No one is late because of that."""
    UPDATE_OVERDUE = "update_overdue"
    """Both of them, for programs that were written before there were two lists."""
    MONITORING_ENDS_SOON = "monitoring_ends_soon"
    HANDBACK_AWAITING_ACKNOWLEDGEMENT = "handback_awaiting_acknowledgement"
    RETURNED_OR_DECLINED = "returned_or_declined"
    CHANGED_SINCE_SEEN = "changed_since_seen"
    """Changed by others since this member last viewed it: decided in `unread`, not from the `StageSummary`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StageSummary:
    """The state of one referral, as far as lists need it. Field names are stored.

    Attributes:
        since: When the referral entered the stage.
        window_ends_on: The day of return to the practice, once the patient was infused.
        revisit_on: The day on which a deferred patient is evaluated again.
        referred_at: When it was submitted; None once it was deferred, because a deferral restarts
            the time to the consultation.
        has_gap: Whether updates from the center's system are missing.
        withdrawal_requested: Whether the practice asked the center to stop.
        requested_items: Items of information requests that the practice has not answered; 0 after an ending.
        practice_messages: How many messages the practice sent.
        center_messages: How many messages the center sent.
        last_message_at: When the last message was sent.
        plans: The planned dates that are neither canceled nor carried out, without their places.
        sharing_stopped: Whether the patient withdrew consent, so that the center gets no routine email.
        coverage: The states and dates of the coverage, also that there is no insurance.
        product_id: The product that the center named; None if only the practice's request counts.
        time_asked: Whether the practice asked the center for a consultation time.
        consultation_canceled: Whether the scheduled consultation was canceled, and no new one is planned.
        replanned: Whether the consultation was planned again, or canceled, after the patient missed it.
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
    requested_items: int = 0
    practice_messages: int = 0
    center_messages: int = 0
    last_message_at: datetime | None = None
    sharing_stopped: bool = False
    product_id: str | None = None
    plans: tuple[DatedPlan, ...] = ()
    time_asked: bool = False
    consultation_canceled: bool = False
    replanned: bool = False
    coverage: TrackStatus = NO_COVERAGE

    @property
    def awaits_information(self) -> bool:
        """Whether the practice must answer an information request, before acceptance or later."""
        return self.requested_items > 0 or self.stage is Stage.INFO_REQUESTED

    def needs_action_of(self, side: NextActor) -> bool:
        """Whether a side acts next, or must answer a request of the other side while that side acts."""
        is_asked = self.awaits_information if side is NextActor.PRACTICE else self.time_asked
        return self.owner is side or (side in {NextActor.PRACTICE, NextActor.CENTER} and is_asked)

    @property
    def owner(self) -> NextActor:
        """Who must act next.

        A withdrawal request must be answered by the center. After a missed consultation the practice acts: it
        reaches the patient, and books another time or asks for one.
        """
        if self.withdrawal_requested:
            return NextActor.CENTER
        is_practice = self.has_missed_consultation and not self.time_asked
        return NextActor.PRACTICE if is_practice else STAGE_FACTS[self.stage].owner

    @property
    def has_missed_consultation(self) -> bool:
        """Whether the patient missed the consultation, and no later one is planned."""
        is_no_show = self.stage is Stage.CONSULT_SCHEDULED and self.reason_code == ReasonCode.NO_SHOW
        return is_no_show and not self.replanned

    @property
    def has_consultation(self) -> bool:
        """Whether a consultation is planned, also if it was booked before the center accepted."""
        return any(plan.plan is PlanKind.CONSULTATION for plan in self.plans)

    @property
    def ends_on(self) -> date | None:
        """The date until which a stage in `STAGES_WITH_OWN_DATE` lasts."""
        return self.revisit_on if self.stage is Stage.DEFERRED else self.window_ends_on

    def find_next_plan(self, *, now: datetime, time_zone: str) -> DatedPlan | None:
        """Find the earliest planned date of today or later at the center, whose time zone this is."""
        return find_next(self.plans, now=now, time_zone=time_zone)

    def compute_turnaround(self, *, now: datetime, time_zone: str) -> Turnaround:
        """Compute whether the stage is overdue, and by when the next step is expected."""
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
    """Summarize the current state of a referral for lists."""
    status = referral.status
    return StageSummary(
        stage=referral.stage,
        since=referral.stage_since,
        on_hold=status.hold is not None,
        reason_code=status.reason_code,
        window_ends_on=referral.window.ends_on if referral.window else None,
        revisit_on=status.revisit_on,
        referred_at=None if Stage.DEFERRED in referral.stage_entered_at else referral.submitted_at,
        has_gap=bool(status.feed.missing or status.updates_lost),
        withdrawal_requested=status.withdrawal_requested_at is not None,
        requested_items=0 if referral.stage in TERMINAL_STAGES else referral.conversation.count_open_items(),
        practice_messages=referral.conversation.practice_messages,
        center_messages=referral.conversation.center_messages,
        last_message_at=referral.conversation.last_message_at,
        sharing_stopped=is_sharing_stopped(referral),
        product_id=status.products.current,
        plans=tuple(DatedPlan(plan.plan, plan.day) for plan in list_open_plans(referral)),
        time_asked=referral.conversation.time_asked_at is not None and referral.stage not in TERMINAL_STAGES,
        consultation_canceled=_is_consultation_canceled(referral),
        replanned=status.reason_code == ReasonCode.NO_SHOW and not is_consultation_missed(referral),
        coverage=find_coverage_status(referral),
    )


def _is_consultation_canceled(referral: Referral) -> bool:
    plan = referral.plans.find(PlanKind.CONSULTATION)
    return referral.stage is Stage.CONSULT_SCHEDULED and plan is not None and plan.canceled


@dataclass(frozen=True, slots=True, kw_only=True)
class ListViewer:
    """Who views a list, when, and in which time zone."""

    side: NextActor
    now: datetime
    time_zone: str


def is_late(stage_summary: StageSummary, viewer: ListViewer) -> bool:
    """Whether the stage is overdue (amber or red), as on the page of the referral and in alerts.

    Missing updates change nothing: a gap may never close, and the patient waits.
    """
    if stage_summary.stage in NO_LIMIT:
        return False
    return stage_summary.compute_turnaround(now=viewer.now, time_zone=viewer.time_zone).is_late


def _is_window_ending_soon(stage_summary: StageSummary, viewer: ListViewer) -> bool:
    if stage_summary.window_ends_on is None or stage_summary.stage not in _MONITORED_STAGES:
        return False
    today = to_local_day(viewer.now, viewer.time_zone)
    return stage_summary.window_ends_on - today <= ENDS_SOON_WITHIN


_MONITORED_STAGES = frozenset({Stage.INFUSED, Stage.MONITORING, Stage.WINDOW_COMPLETE})
_RETURNED_STAGES = frozenset({Stage.DECLINED, Stage.REDIRECTED, Stage.NOT_PROCEEDING, Stage.DEFERRED})
_NEW_STAGES = frozenset({Stage.SUBMITTED, Stage.RECEIVED})


def _needs_my_action(stage_summary: StageSummary, viewer: ListViewer) -> bool:
    return stage_summary.needs_action_of(viewer.side) and stage_summary.stage not in TERMINAL_STAGES


def _waits_for_other_team(stage_summary: StageSummary, viewer: ListViewer) -> bool:
    return stage_summary.stage not in TERMINAL_STAGES and not stage_summary.needs_action_of(viewer.side)


WORKLIST_RULES: Mapping[Worklist, Callable[[StageSummary, ListViewer], bool]] = {
    Worklist.NEEDS_ACTION: lambda s, v: _needs_my_action(s, v) or is_late(s, v),
    Worklist.NEEDS_MY_ACTION: _needs_my_action,
    Worklist.WAITING_FOR_OTHER_TEAM: _waits_for_other_team,
    Worklist.NEW_REFERRALS: lambda s, _: s.stage in _NEW_STAGES,
    Worklist.ALL_OPEN: lambda s, _: s.stage not in TERMINAL_STAGES,
    Worklist.NEEDS_INFORMATION: lambda s, _: s.awaits_information,
    Worklist.AWAITING_BOOKING: lambda s, _: s.time_asked or (s.stage is Stage.ACCEPTED and not s.has_consultation),
    Worklist.NO_SHOW_OR_CANCELLED: lambda s, _: s.has_missed_consultation or s.consultation_canceled,
    Worklist.LATE: is_late,
    Worklist.UPDATE_MISSING: lambda s, _: s.has_gap,
    Worklist.UPDATE_OVERDUE: lambda s, v: s.has_gap or is_late(s, v),
    Worklist.MONITORING_ENDS_SOON: _is_window_ending_soon,
    Worklist.HANDBACK_AWAITING_ACKNOWLEDGEMENT: lambda s, _: s.stage is Stage.HANDBACK_READY,
    Worklist.RETURNED_OR_DECLINED: lambda s, _: s.stage in _RETURNED_STAGES,
}
"""The condition for each list."""


def list_worklists(stage_summary: StageSummary, viewer: ListViewer) -> frozenset[Worklist]:
    """List the worklists that a referral is on, without `CHANGED_SINCE_SEEN`."""
    return frozenset(name for name, matches in WORKLIST_RULES.items() if matches(stage_summary, viewer))


OPEN_WORKLISTS: frozenset[Worklist] = frozenset(
    {
        *(Worklist.NEEDS_ACTION, Worklist.NEEDS_MY_ACTION, Worklist.WAITING_FOR_OTHER_TEAM, Worklist.NEW_REFERRALS),
        *(Worklist.ALL_OPEN, Worklist.LATE, Worklist.AWAITING_BOOKING, Worklist.MONITORING_ENDS_SOON),
        Worklist.HANDBACK_AWAITING_ACKNOWLEDGEMENT,
    }
)
"""The lists without referrals that have ended, which they need not read. A test compares them with the rules."""
