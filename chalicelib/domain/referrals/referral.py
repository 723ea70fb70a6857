"""The state of a referral: its stage, its status besides the stage, and its monitoring window."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from chalicelib.domain.audit.hash_chain import EMPTY_CHAIN, ChainHead
from chalicelib.domain.platform.copying import replace
from chalicelib.domain.platform.kept_unknown import KeepsUnknown
from chalicelib.domain.referrals.care_reports import NO_REPORTS, CareReports
from chalicelib.domain.referrals.conversation import NO_CONVERSATION, Conversation
from chalicelib.domain.referrals.coverage_status import NO_COVERAGE, TrackStatus
from chalicelib.domain.referrals.events import EventOrder
from chalicelib.domain.referrals.monitoring_window import MonitoringWindow
from chalicelib.domain.referrals.named_products import NO_PRODUCTS, NamedProducts
from chalicelib.domain.referrals.plans import NO_PLANS, Plans
from chalicelib.domain.referrals.stages import STAGE_FACTS, Actor, NextActor, Phase, Stage
from chalicelib.domain.referrals.unread import LastWriter

Details = Mapping[str, Any]
"""What the practice enters about the patient: `patient`, `clinical`, `insurance`,
`referring_provider`, `consent_to_share` and `note`, with the names of the API contract."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """A pause of the referral, in any stage."""

    since: datetime
    reason_code: str | None
    until: date | None
    by: Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class Contradiction:
    """An ending and a step dated after it: at least one of the two reports is wrong.

    If `Referral.stage` is the ending, the ending counts; otherwise the step does. Field names are stored.

    Attributes:
        ending_id: The event id of the ending.
        ended_at: When the ending was true, according to its reporter.
        reported_by: Who reported the ending.
        step: The later step.
        step_at: When the step was true, according to its reporter.
    """

    ending: Stage
    ending_id: str
    ended_at: datetime
    reported_by: Actor
    step: Stage
    step_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SequenceTracker:
    """Tracks the sequence numbers of a center's events, to find missing updates.

    Attributes:
        lowest: The lowest sequence received, where counting starts; None before the first.
        highest: The highest sequence received.
        missing: Sequences between them that have not arrived, at most `MAX_MISSING_SEQUENCES`.
    """

    lowest: int | None = None
    highest: int = 0
    missing: tuple[int, ...] = ()

    def with_sequence(self, sequence: int) -> "SequenceTracker":
        """Add a received sequence; counting starts at the lowest one received."""
        if self.lowest is None:
            return SequenceTracker(lowest=sequence, highest=sequence)
        if sequence in self.missing:
            return replace(self, missing=tuple(n for n in self.missing if n != sequence))
        # Compare lengths first: the next number may be a billion away, so never list the range.
        before, after = range(sequence + 1, self.lowest), range(self.highest + 1, sequence)
        is_gap = len(before) + len(after) + len(self.missing) <= MAX_MISSING_SEQUENCES
        skipped = (*before, *after) if is_gap else ()
        return SequenceTracker(
            lowest=min(self.lowest, sequence),
            highest=max(self.highest, sequence),
            missing=tuple(sorted({*self.missing, *skipped})),
        )


MAX_MISSING_SEQUENCES = 50
"""A wider gap means that the system numbers its events differently, not that 50 updates are lost."""


# No slots: a replay copies it often, see `copying`.
@dataclass(frozen=True, kw_only=True)
class ReferralStatus(KeepsUnknown):
    """The state besides the stage: hold, outcome, withdrawal request. Field names are stored.

    Attributes:
        hold_head: The order of the last event about a hold, or of an ending; a hold event that was
            true earlier is kept in the history only.
        reason_code: Why the referral ended or was deferred.
        revisit_on: The day on which a deferred patient is evaluated again.
        suggested_center_id: The center that a redirecting center suggests.
        first_visit_on: The practice's first visit after the patient returned.
        withdrawal_requested_at: When the practice first asked the center to stop.
        toxicity_at: When the center last noticed a toxicity; only in rows of releases before `care`.
        feed: The sequence numbers of the center's system, and which are missing.
        corrected: Whether every later decision must replay the history, because it contains a
            correction or events that fit nowhere yet.
        newest: The order of the newest stage change or extension in the history, applied or not.
        contradiction: An ending and a step that cannot both be right.
        ending_reported_at: When we learned of the ending that counts.
        updates_lost: Deliveries that were parked for a day because an earlier one never arrived.
        continues: The ended referral that this one continues.
        continued_by: The referral that continues this one.
        products: The products that the center named.
    """

    hold: Hold | None = None
    hold_head: EventOrder | None = None
    reason_code: str | None = None
    revisit_on: date | None = None
    suggested_center_id: str | None = None
    first_visit_on: date | None = None
    withdrawal_requested_at: datetime | None = None
    toxicity_at: datetime | None = None
    feed: SequenceTracker = SequenceTracker()
    corrected: bool = False
    updates_lost: int = 0
    continues: str | None = None
    continued_by: str | None = None
    newest: EventOrder | None = None
    contradiction: Contradiction | None = None
    ending_reported_at: datetime | None = None
    products: NamedProducts = NO_PRODUCTS


# No slots: a replay copies it often, see `copying`.
@dataclass(frozen=True, kw_only=True)
class Referral:
    """One patient sent by one practice to one center.

    Attributes:
        product_id: The product that the practice requested; see `current_product_id`.
        alias: The practice's alias for the patient, the only name that an email may contain.
        stage_since: When the referral entered the current stage.
        last_applied_order: The order of the last event that changed the stage; an event before it
            is a late event and kept in the history.
        stage_entered_at: When each stage was last entered, according to its reporter.
        version: Increases by one with each write; the ETag.
        doses_given: How many infusions of a split dose have been given.
        dose_total: How many infusions the dose is split into.
        care: What both sides reported about adverse events, relapse and bridging therapy.
        plans: What was reported about planned dates.
        conversation: Information requests that are open, and how many messages were sent.
        coverage: The states and dates of the coverage; its content is in a row of its own.
        audit_chain_head: The last row of the hash chain of audit rows about the referral's writes.
        last_writer: Who made the newest versions; the store updates it with each write.
        unknown_attributes: What a newer release stored in the referral's row, which is written back unchanged.
    """

    referral_id: str
    practice_id: str
    center_id: str | None
    product_id: str | None
    urgency: str
    alias: str
    details: Details
    stage: Stage
    stage_since: datetime
    last_applied_order: EventOrder | None
    stage_entered_at: Mapping[Stage, datetime]
    window: MonitoringWindow | None
    created_by: str
    created_at: datetime
    updated_at: datetime
    version: int
    submitted_at: datetime | None = None
    doses_given: int = 0
    dose_total: int = 1
    status: ReferralStatus = ReferralStatus()
    care: CareReports = NO_REPORTS
    plans: Plans = NO_PLANS
    conversation: Conversation = NO_CONVERSATION
    coverage: TrackStatus = NO_COVERAGE
    audit_chain_head: ChainHead = EMPTY_CHAIN
    last_writer: LastWriter = field(default=LastWriter(), compare=False)
    unknown_attributes: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)

    @property
    def phase(self) -> Phase:
        """The phase that the stage belongs to."""
        return STAGE_FACTS[self.stage].phase

    @property
    def owner(self) -> NextActor:
        """Who must act next; a withdrawal request must be answered by the center."""
        if self.status.withdrawal_requested_at:
            return NextActor.CENTER
        return STAGE_FACTS[self.stage].owner

    @property
    def current_product_id(self) -> str | None:
        """The product that dates and care follow: the given one, else the planned one, else the requested one."""
        return self.status.products.current or self.product_id

    @property
    def ended_at(self) -> datetime | None:
        """When the referral ended, according to its reporter; None while it is open."""
        return self.stage_since if self.phase is Phase.CLOSED else None

    @property
    def died_at(self) -> datetime | None:
        """When the patient died, according to the reporter."""
        return self.stage_since if self.stage is Stage.DECEASED else None

    @property
    def newest_order(self) -> EventOrder | None:
        """The order of the newest stage change or extension that is known."""
        return max((order for order in (self.last_applied_order, self.status.newest) if order), default=None)

    @property
    def is_with_center(self) -> bool:
        """Whether the center may see the referral: from submission on, never as a draft."""
        return self.submitted_at is not None and self.center_id is not None
