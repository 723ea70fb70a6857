"""A referral, as a value."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

from chalicelib.domain.audit.hash_chain import EMPTY_CHAIN, ChainHead
from chalicelib.domain.referrals.events import EventOrder
from chalicelib.domain.referrals.monitoring_window import MonitoringWindow
from chalicelib.domain.referrals.stages import STAGE_FACTS, Actor, NextActor, Phase, Stage
from chalicelib.domain.referrals.unread import LastWriter

Details = Mapping[str, Any]
"""What the practice tells of the patient: `patient`, `clinical`, `insurance`,
`referring_provider`, `consent_to_share` and `note`, as the API contract spells them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """A pause over whatever stage a referral is in."""

    since: datetime
    reason_code: str | None
    until: date | None
    by: Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class SequenceTracker:
    """What is known of a center's numbering of its events.

    Attributes:
        lowest: The lowest sequence seen, where the count starts; None before the first.
        highest: The highest sequence seen.
        missing: Sequences between them that have not arrived, at most `MAX_MISSING`.
    """

    lowest: int | None = None
    highest: int = 0
    missing: tuple[int, ...] = ()

    def with_sequence(self, sequence: int) -> "SequenceTracker":
        """The feed with one more number seen; the lowest one seen starts the count."""
        if self.lowest is None:
            return SequenceTracker(lowest=sequence, highest=sequence)
        if sequence in self.missing:
            return replace(self, missing=tuple(n for n in self.missing if n != sequence))
        # Told by lengths first: a feed's next number may be a thousand million away.
        before, after = range(sequence + 1, self.lowest), range(self.highest + 1, sequence)
        is_gap = len(before) + len(after) + len(self.missing) <= MAX_MISSING_SEQUENCES
        skipped = (*before, *after) if is_gap else ()
        return SequenceTracker(
            lowest=min(self.lowest, sequence),
            highest=max(self.highest, sequence),
            missing=tuple(sorted({*self.missing, *skipped})),
        )


MAX_MISSING_SEQUENCES = 50
"""A wider gap is a feed that numbers otherwise, not fifty lost updates."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferralStatus:
    """What lies over the stage and does not move it.

    Attributes:
        hold_head: The place of the last event about a hold, an ending too; what was true
            earlier is history.
        reason_code: Why the referral ended, was deferred or turned back.
        revisit_on: When a deferred patient is looked at again.
        suggested_center_id: Where a redirecting center would send the patient.
        first_visit_on: When the practice sees the patient first after the hand-back.
        withdrawal_requested_at: Since when the practice asks the center to stop.
        toxicity_at: When the center last noticed a toxicity.
        corrected: Whether something in the history counts no more, so that every later
            decision has to fold it.
        updates_lost: Deliveries that waited for a day for what did not arrive.
        continues: The ended referral that this one goes on from.
        continued_by: The referral that goes on from this one.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Referral:
    """One patient sent by one practice to one center.

    Attributes:
        alias: The practice's nickname for the patient, the only name that mail may carry.
        head: The place of the last event that moved it; an earlier one is history.
        reached: When each stage was last entered, by when it was true.
        part: How many infusions of a split dose have been given, of how many.
        version: Grows by one with each write; the ETag.
        audited: The head of the chain of audit rows about its writes.
        touched: Whose work the newest versions are; kept by the store with each write.
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
    audit_chain_head: ChainHead = EMPTY_CHAIN
    last_writer: LastWriter = field(default=LastWriter(), compare=False)

    @property
    def phase(self) -> Phase:
        """The part of the journey that the stage belongs to."""
        return STAGE_FACTS[self.stage].phase

    @property
    def owner(self) -> NextActor:
        """Who has to make the next move; a request to withdraw is the center's to answer."""
        if self.status.withdrawal_requested_at:
            return NextActor.CENTER
        return STAGE_FACTS[self.stage].owner

    @property
    def is_with_center(self) -> bool:
        """Whether the center may see it: from submission on, never as a draft."""
        return self.submitted_at is not None and self.center_id is not None
