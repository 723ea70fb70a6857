"""The events of a referral: append-only, with the time when each was true and the time we received it.

Two limits are here: how far in the future an event may be dated (`FUTURE_TOLERANCE`), and how
long an early event stays parked (`PARKED_FOR`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from chalicelib.domain.referrals.adverse_events import AdverseEventKind, AdverseEventStatus
from chalicelib.domain.referrals.care_terms import BridgingStatus, BridgingTeam, DiseaseResponse, RelapseStatus
from chalicelib.domain.referrals.plan_terms import PlanKind, VisitMode
from chalicelib.domain.referrals.stages import Actor, Stage

FUTURE_TOLERANCE = timedelta(minutes=10)
"""How far ahead of our clock `occurred_at` may be before the event is rejected.

Source: the product's API contract, section 3. Without a limit, one event dated 2099 would
always be the latest and freeze the referral.
"""

PARKED_FOR = timedelta(hours=24)
"""How long an early delivery stays parked. Source: the API contract, section 4."""


_LAST_MOMENT_OF_DAY = timedelta(days=1) - timedelta(seconds=1)


class EventSource(StrEnum):
    """The way an event reached us."""

    PRACTICE = "practice"
    CENTER = "center"
    CENTER_FEED = "center_feed"
    SYSTEM = "system"
    BOOKING = "booking"
    """A person of either side booked, moved or canceled a time that the center publishes."""


class EventStatus(StrEnum):
    """Whether an event changed the referral, or is kept in the history only."""

    APPLIED = "applied"
    RECORDED = "recorded"


class EventOrder(NamedTuple):
    """The sort key of an event in a referral's history.

    Ordered by the time it was true, then by the sender's sequence, then by id, so that every
    order of arrival leads to the same state. Never ordered by our clock, because deliveries
    overtake each other.
    """

    occurred_at: datetime
    sequence: int
    event_id: str


class EventType(StrEnum):
    """The types of events, with their names in the API."""

    STAGE_CHANGED = "stage.changed"
    HOLD_STARTED = "hold.started"
    HOLD_ENDED = "hold.ended"
    TOXICITY_NOTICED = "toxicity.noticed"
    """The older name of `adverse_event.reported`."""
    ADVERSE_EVENT_REPORTED = "adverse_event.reported"
    RELAPSE_REPORTED = "relapse.reported"
    BRIDGING_REPORTED = "bridging.reported"
    WINDOW_EXTENDED = "window.extended"
    WITHDRAWAL_REQUESTED = "withdrawal.requested"
    REOPENED = "referral.reopened"
    CORRECTED = "event.corrected"
    INFORMATION_REQUESTED = "information.requested"
    INFORMATION_ANSWERED = "information.answered"
    INFORMATION_CLOSED = "information.closed"
    MESSAGE_SENT = "message.sent"
    FACTS_CHANGED = "facts.changed"
    PLAN_CHANGED = "plan.changed"
    DOCUMENT_SHARED = "document.shared"
    DOCUMENT_DELETED = "document.deleted"
    DOCUMENT_ARRIVAL = "document.arrival"
    CONSULTATION_REQUESTED = "consultation.requested"
    COVERAGE_CHANGED = "coverage.changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferralEvent:
    """One event of one referral, from any source.

    Attributes:
        event_id: `evt_…`, derived from the sender's own id, so that a repeat has the same id.
        reason_code: A `ReasonCode`, or for a hold the sender's own text.
        is_whole_day: The sender reported a date without a time; `occurred_at` is the start of that day.
    """

    event_id: str
    referral_id: str
    occurred_at: datetime
    recorded_at: datetime
    actor: Actor
    source: EventSource
    actor_id: str
    actor_name: str
    sequence: int | None = None
    reason_code: str | None = None
    note: str | None = None
    is_whole_day: bool = False

    @property
    def order(self) -> EventOrder:
        """The position of this event in the referral's history."""
        return EventOrder(self.occurred_at.astimezone(UTC), self.sequence or 0, self.event_id)

    @property
    def latest(self) -> datetime:
        """The latest time when the event may have been true: a date without a time means the whole day."""
        return self.occurred_at + _LAST_MOMENT_OF_DAY if self.is_whole_day else self.occurred_at

    @property
    def is_in_the_future(self) -> bool:
        """Whether it is dated later than a wrong clock can explain (`FUTURE_TOLERANCE`)."""
        return self.occurred_at - self.recorded_at > FUTURE_TOLERANCE

    @property
    def type(self) -> EventType:
        """The event's type in the API."""
        return EVENT_TYPE_BY_CLASS[type(self)]


@dataclass(frozen=True, slots=True, kw_only=True)
class StageChange(ReferralEvent):
    """The referral entered a stage.

    Attributes:
        part: The number of this infusion in a split dose, from 1; only for `infused`. A stored
            and published name.
        of: The number of infusions that the dose is split into. A stored and published name.
        local_date: The calendar day at the center, if it is not the UTC day.
        revisit_on: The day on which a deferred patient is evaluated again.
        suggested_center_id: The center that a redirecting center suggests.
        first_visit_on: The day of the first visit after the patient returned to the practice.
        product_id: The planned product with `center_proceed`, the given one with `infused`.
        starts_at, on: When the step that was scheduled is planned: a time, or a day at the center.
        mode, place, contact: How and where the patient attends, and whom to call.
    """

    stage: Stage
    part: int = 1
    of: int = 1
    local_date: date | None = None
    revisit_on: date | None = None
    suggested_center_id: str | None = None
    first_visit_on: date | None = None
    product_id: str | None = None
    starts_at: datetime | None = None
    on: date | None = None
    mode: VisitMode | None = None
    place: str | None = None
    contact: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldStarted(ReferralEvent):
    """The referral is on hold; `until` is the day when it is expected to resume."""

    until: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldEnded(ReferralEvent):
    """The referral is no longer on hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToxicityNoticed(ReferralEvent):
    """A toxicity: the older form of `AdverseEventReported`, which centers' systems still send.

    Attributes:
        kind: An `AdverseEventKind` or `neurotoxicity`, as it was reported.
        grade: 1 to 5, if it was reported.
    """

    kind: str = "other"
    grade: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AdverseEventReported(ReferralEvent):
    """Either side reports an adverse event, an update of it, or that it has resolved.

    Attributes:
        grade: 1 to 5 on the published scale of the kind, if it was reported.
        status: If it was not reported, ongoing without `resolved_on`, and resolved with it.
    """

    kind: AdverseEventKind
    grade: int | None = None
    status: AdverseEventStatus | None = None
    resolved_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RelapseReported(ReferralEvent):
    """Either side reports a relapse after the infusion; confirmed if no `status` was reported."""

    status: RelapseStatus | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BridgingReported(ReferralEvent):
    """Either side reports therapy that bridges the time until the infusion; `by` is who gives it."""

    status: BridgingStatus
    by: BridgingTeam | None = None
    regimen: str | None = None
    response: DiseaseResponse | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowExtended(ReferralEvent):
    """The center extended the monitoring window; `ends_on` is the new day of return to the practice."""

    ends_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawalRequested(ReferralEvent):
    """The practice asks the center to stop, because it can no longer withdraw the referral itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reopened(ReferralEvent):
    """An ended referral returns to its last open stage.

    Attributes:
        reopens: The ids of the endings that were known and that no longer count. Rows of version
            0.2.0 and earlier have none; they cancel the endings dated before them. An ending that
            arrives later, such as a death reported late, is not canceled.
    """

    reopens: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Corrected(ReferralEvent):
    """A correction: an earlier event was wrong. It stays in the history and no longer counts.

    Attributes:
        supersedes: The id of the wrong event.
        replacement: What really happened; None if nothing did. It has the id of this event.
    """

    supersedes: str
    replacement: StageChange | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InformationRequested(ReferralEvent):
    """The center asks the practice for information; at least one item or a text.

    Attributes:
        items: Codes of `requestable_items`, or names that the center chose.
        text: What the center needs, in its own words.
    """

    items: tuple[str, ...] = ()
    text: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InformationAnswered(ReferralEvent):
    """The practice answered items of an information request. The answers are in the request's own row.

    Attributes:
        items: How many items were answered.
        open_items: How many items are still open; at 0 the request closes.
    """

    request_id: str
    items: int
    open_items: int


@dataclass(frozen=True, slots=True, kw_only=True)
class InformationClosed(ReferralEvent):
    """The center closed an information request, because it no longer needs the open items."""

    request_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageSent(ReferralEvent):
    """A person of one side sent a message to the other side. The text is in the message's own row."""

    message_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FactsChanged(ReferralEvent):
    """A side corrected its own facts. It changes no status; the values are in the history of facts.

    Attributes:
        facts: The JSON pointers of the facts that changed, without their values.
        withdrew_consent: Whether the practice recorded that the patient withdrew consent to share.
    """

    facts: tuple[str, ...] = ()
    withdrew_consent: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanChanged(ReferralEvent):
    """A date was planned, moved or canceled. It never changes the stage.

    Attributes:
        starts_at, on: A time, or a day at the center. One of the two, unless the plan is canceled.
        mode, place, contact: How and where the patient attends, and whom to call.
    """

    plan: PlanKind
    starts_at: datetime | None = None
    on: date | None = None
    mode: VisitMode | None = None
    place: str | None = None
    contact: str | None = None
    canceled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentShared(ReferralEvent):
    """The other side can see a document: a file that passed its checks, or a record of what was sent another way.

    Attributes:
        kind: The item of the packet that it fills, a code.
        sent_outside: Whether it was sent another way, such as by fax.
        request_id: The information request that has the item that it answers.
        open_items: How many items of that request are still open; at 0 the request closes.
    """

    document_id: str
    kind: str
    sent_outside: bool = False
    request_id: str | None = None
    open_items: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentDeleted(ReferralEvent):
    """A document that the other side could see was removed.

    Attributes:
        reason: A `DeletionReason`.
        request_id: The information request that it answered, and that is open again.
        open_items: How many items of that request are open now.
    """

    document_id: str
    kind: str
    reason: str
    request_id: str | None = None
    open_items: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentArrivalReported(ReferralEvent):
    """The other side received, or did not find, a document that was sent another way.

    Attributes:
        arrival: An `Arrival`.
        request_id: The information request whose item it answers, or no longer answers.
        open_items: How many items of that request are open now.
    """

    document_id: str
    kind: str
    arrival: str
    request_id: str | None = None
    open_items: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsultationRequested(ReferralEvent):
    """The practice asks the center for a consultation time. The days that suit are in the consultation's own row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageChanged(ReferralEvent):
    """The coverage moved. It changes no status; what was entered is in the history of the coverage.

    Attributes:
        move: The name of the move.
        machine: What moved: verification, authorization, agreement, clearance or checklist.
        before, after: Its state before and after. Empty if an answer was only filed.
        how: How the payer's word reached the reporter, such as `phone` or `electronic`.
        reference_number: The payer's number of the call, case or authorization.
    """

    move: str
    machine: str
    before: str = ""
    after: str = ""
    how: str | None = None
    reference_number: str | None = None


EVENT_TYPE_BY_CLASS: Mapping[type[ReferralEvent], EventType] = {
    StageChange: EventType.STAGE_CHANGED,
    HoldStarted: EventType.HOLD_STARTED,
    HoldEnded: EventType.HOLD_ENDED,
    ToxicityNoticed: EventType.TOXICITY_NOTICED,
    AdverseEventReported: EventType.ADVERSE_EVENT_REPORTED,
    RelapseReported: EventType.RELAPSE_REPORTED,
    BridgingReported: EventType.BRIDGING_REPORTED,
    WindowExtended: EventType.WINDOW_EXTENDED,
    WithdrawalRequested: EventType.WITHDRAWAL_REQUESTED,
    Reopened: EventType.REOPENED,
    Corrected: EventType.CORRECTED,
    InformationRequested: EventType.INFORMATION_REQUESTED,
    InformationAnswered: EventType.INFORMATION_ANSWERED,
    InformationClosed: EventType.INFORMATION_CLOSED,
    MessageSent: EventType.MESSAGE_SENT,
    FactsChanged: EventType.FACTS_CHANGED,
    PlanChanged: EventType.PLAN_CHANGED,
    DocumentShared: EventType.DOCUMENT_SHARED,
    DocumentDeleted: EventType.DOCUMENT_DELETED,
    DocumentArrivalReported: EventType.DOCUMENT_ARRIVAL,
    ConsultationRequested: EventType.CONSULTATION_REQUESTED,
    CoverageChanged: EventType.COVERAGE_CHANGED,
}
