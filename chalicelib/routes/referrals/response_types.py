"""The response types of referrals; see `chalicelib.routes.platform.responses`."""

from collections.abc import Mapping
from typing import Any, NotRequired

# pydantic needs this one on Python 3.11.
from typing_extensions import TypedDict

from chalicelib.routes.coverage.summary_responses import (
    CoverageSummaryResponse,
    CoverageWarningResponse,
)
from chalicelib.routes.platform.responses import TenantResponse
from chalicelib.routes.referrals.care_responses import AdverseEventResponse, BridgingResponse, RelapseResponse
from chalicelib.routes.referrals.plan_responses import NextPlanResponse, PlanResponse
from chalicelib.routes.referrals.referral_part_types import (
    ActionResponse,
    ContradictionResponse,
    HoldResponse,
    JourneyPhaseResponse,
    MonitoringWindowResponse,
    OutcomeReasonResponse,
    PacketResponse,
    ProductResponse,
    ReferralCenterResponse,
    RoutingHintResponse,
    TurnaroundResponse,
    UnfinishedValueResponse,
)


class ReferralResponse(TypedDict):
    """A referral."""

    referral_id: str
    """The ID of the referral: `ref_` and 26 characters."""
    version: int
    """The version of the object. Send it in `If-Match` with a change."""
    changed_since_seen: bool
    """Whether something changed since the caller last opened it."""
    requested_items: int
    """How many requested items the practice has not answered."""
    unread_messages: int
    """How many messages of the other side the caller has not read."""
    stage: str
    """The status of the referral, as a code such as `accepted`."""
    stage_label: str
    """The status, for display."""
    phase: str
    """The phase of the referral, as a code."""
    stage_since: str
    """Since when the referral has this status (RFC 3339, UTC)."""
    created_at: str
    """When it was created (RFC 3339, UTC)."""
    updated_at: str
    """When the referral last changed (RFC 3339, UTC)."""
    submitted_at: str | None
    """When it was submitted (RFC 3339, UTC); null for a draft."""
    referred_on: str | None
    """The day of the referral, if it was made before it was entered (YYYY-MM-DD); null otherwise."""
    practice: TenantResponse
    """The referring practice."""
    center: ReferralCenterResponse | None
    """The treatment center; null while none is chosen."""
    alias: str
    """The name that the practice chose for the patient; the only name in email and calendars."""
    patient: Mapping[str, Any]
    """The patient, with the fields of the request."""
    clinical: Mapping[str, Any]
    """Disease and treatment so far, with the fields of the request."""
    insurance: Mapping[str, Any] | None
    """Who pays, with the fields of the request; null if not entered."""
    referring_provider: Mapping[str, Any]
    """The physician who refers, with the fields of the request."""
    consent_to_share: Mapping[str, Any] | None
    """The consent, with the fields of the request; null if not entered."""
    consent_state: str
    """Where the consent is now: `not_recorded`, `recorded`, `expired` or `withdrawn`."""
    none_because: list[dict[str, str]]
    """Required items that have no value: `item` and `reason` of each."""
    financial_help_needed: bool
    """Whether the patient has no insurance, so that help with cost matters."""
    center_contact: Mapping[str, Any] | None
    """The center's coordinator for this patient; null if not entered."""
    can_change: list[str]
    """The sections that the caller can change."""
    note: str | None
    """The practice's note to the center; null without one."""
    unfinished: list[UnfinishedValueResponse]
    """Values of a draft that their fields refuse. Only the practice sees them."""
    product_id: str | None
    """The product that the practice asked for, by its ID; null if none."""
    product: ProductResponse
    """The product: requested, planned and given."""
    urgency: str
    """`routine` or `urgent`."""
    clock: TurnaroundResponse
    """Who acts next, since when, and how long it usually takes."""
    journey: list[JourneyPhaseResponse]
    """The main path, phase by phase."""
    actions: list[ActionResponse]
    """What can come next, and whether the caller can do it."""
    may_report: list[str]
    """The types of events that the caller can report now."""
    packet: PacketResponse
    """How complete the packet is."""
    coverage: CoverageSummaryResponse
    """The coverage in short; `GET …/coverage` has all of it."""
    window: MonitoringWindowResponse | None
    """The monitoring window; null before the infusion."""
    hold: HoldResponse | None
    """The hold; null if treatment is not paused."""
    outcome: OutcomeReasonResponse | None
    """Why the referral ended or waits; null if it does neither."""
    contradiction: ContradictionResponse | None
    """An ending and a later step that cannot both be right; null without one."""
    revisit_on: str | None
    """The day on which to look at it again (YYYY-MM-DD); null without one."""
    suggested_center_id: str | None
    """Another center that the declining center suggested; null without one."""
    first_visit_on: str | None
    """The day of the first visit at the practice after the return (YYYY-MM-DD); null if not known."""
    withdrawal_requested_at: str | None
    """When the practice asked the center to stop (RFC 3339, UTC); null if it did not."""
    toxicity_noticed_at: str | None
    """When a toxicity was last noticed (RFC 3339, UTC); null if none was."""
    adverse_events: list[AdverseEventResponse]
    """The latest state of each kind of adverse event."""
    relapse: RelapseResponse | None
    """The latest report of a relapse; null without one."""
    bridging: BridgingResponse | None
    """Bridging therapy as last reported; null without a report."""
    plans: list[PlanResponse]
    """The planned dates as last reported."""
    consultation: PlanResponse | None
    """The first visit at the center; null without a date."""
    next_plan: NextPlanResponse | None
    """The next planned date; null without one."""
    missing_updates: list[int]
    """The numbers that the center's system skipped."""
    updates_lost: int
    """How many updates expired while they waited for another."""
    continues: str | None
    """The referral that this one continues; null without one."""
    continued_by: str | None
    """The referral that continues this one; null without one."""
    routing_hints: list[RoutingHintResponse]
    """What may not fit. It blocks nothing and decides nothing."""
    disclaimers: list[str]
    """The statements to show with it."""
    emergency_note: str
    """What to do in an emergency, for display next to clinical content."""


class EventResponse(TypedDict):
    """A row of the timeline. `data` has the fields that only some types of events have."""

    event_id: str
    """The ID of the event."""
    type: str
    """The type of the event."""
    stage: str | None
    """The status that it reports; null if it reports none."""
    stage_label: str
    """What happened, for display."""
    occurred_at: str
    """When it happened (RFC 3339, UTC)."""
    recorded_at: str
    """When the product learned it (RFC 3339, UTC)."""
    source: str
    """How it arrived: `practice`, `center`, `center_feed` (the center's system), `booking` or `system`."""
    actor_name: str
    """The name of the person or system that did it."""
    sequence: int | None
    """The number that the sender counted; null without one."""
    reason_code: str | None
    """Why, as a code; null without one."""
    reason: str | None
    """Why, for display; null without one."""
    note: str | None
    """A note in plain words; null without one."""
    status: str
    """`applied`, or `recorded` if it changed only the history."""
    data: Mapping[str, Any]
    """The further fields of this type of event."""


class ReportResultResponse(TypedDict):
    """What a reported event changed: applied, recorded in the history, or parked.

    `waiting_for` lists the stages that must come before a parked update; it is absent if the referral is not known.
    `warnings` says what both sides should notice, such as leukapheresis without a coverage clearance.
    """

    status: str
    """`applied`, `recorded` in the history, or `parked` until an earlier event arrives."""
    referral_id: str
    """The ID of the referral: `ref_` and 26 characters."""
    event_id: str
    """The ID of the event."""
    stage: str | None
    """The status that the event reports; null if it reports none."""
    contradiction: NotRequired[bool]
    """Whether an ending and a later step cannot both be right."""
    waiting_for: NotRequired[list[str]]
    """The statuses whose reports must arrive first."""
    warnings: NotRequired[list[CoverageWarningResponse]]
    """What both sides should notice about the coverage. It blocks nothing."""


class PossibleDuplicateResponse(TypedDict):
    """An open referral that may be about the same patient: the same names and date of birth."""

    referral_id: str
    """The ID of the referral: `ref_` and 26 characters."""
    alias: str
    """The name that the practice chose for the patient; the only name in email and calendars."""
    stage: str
    """The status of the referral, as a code such as `accepted`."""
    stage_label: str
    """The status, for display."""
    practice: TenantResponse
    """The referring practice."""
    center: ReferralCenterResponse | None
    """The treatment center; null while none is chosen."""
    updated_at: str
    """When the referral last changed (RFC 3339, UTC)."""


class NewReferralResponse(ReferralResponse):
    """A new referral, with the open referrals that may be about the same patient, if there are any."""

    possible_duplicates: NotRequired[list[PossibleDuplicateResponse]]
    """Open referrals that may be about the same patient; left out if there are none."""


class PossibleDuplicatesResponse(TypedDict):
    """Open referrals that may be about the same patient."""

    items: list[PossibleDuplicateResponse]
    """The open referrals."""


class EventPageResponse(TypedDict):
    """A page of a timeline."""

    items: list[EventResponse]
    """The events, newest first."""
    next_cursor: str | None
    """Send it as `cursor` to read the next page; null on the last page."""
