"""The response types of referrals; see `chalicelib.routes.platform.responses`."""

from collections.abc import Mapping
from typing import Any, NotRequired

# pydantic needs this one on Python 3.11.
from typing_extensions import TypedDict

from chalicelib.domain.referrals.routing_hints import RoutingHintKind
from chalicelib.routes.coverage.summary_responses import (
    CoverageStateResponse,
    CoverageSummaryResponse,
    CoverageWarningResponse,
)
from chalicelib.routes.platform.label_responses import LabelResponse
from chalicelib.routes.platform.responses import TenantResponse
from chalicelib.routes.referrals.care_responses import AdverseEventResponse, BridgingResponse, RelapseResponse
from chalicelib.routes.referrals.plan_responses import NextPlanResponse, PlanResponse


class ReferralCenterResponse(TypedDict):
    """The center of a referral."""

    center_id: str
    name: str
    time_zone: str
    intake_phone: str | None
    after_hours_phone: str | None


class TurnaroundResponse(TypedDict):
    """Who acts next, since when, and how long that usually takes."""

    owner: str
    since: str
    expected_by: str | None
    amber_on: str | None
    red_on: str | None
    level: str
    unit: str | None
    source: str | None


class JourneyStepResponse(TypedDict):
    """A stage of the main path, and whether the referral reached it."""

    stage: str
    label: str
    state: str
    at: str | None


class JourneyPhaseResponse(TypedDict):
    """A phase with its stages."""

    phase: str
    label: str
    stages: list[JourneyStepResponse]


class ActionResponse(TypedDict):
    """Something that can come next; `why_not` says why the reader cannot do it now.

    An action with a `stage` reports it. The others hold, book, move, cancel or ask for a consultation time. A time
    that is only held is given back with the request that cancels.
    """

    action: str
    stage: str | None
    label: str
    allowed: bool
    why_not: str | None
    needs: list[str]
    reasons: list[str]
    ends: bool


class PacketItemResponse(TypedDict):
    """An item that is missing from a packet."""

    pointer: str
    label: str


class NoneAnswerResponse(TypedDict):
    """An item that has no value, and why."""

    pointer: str
    label: str
    reason: str


class PacketResponse(TypedDict):
    """How complete a packet is."""

    complete: bool
    present: int
    needed: int
    missing: list[PacketItemResponse]
    none_because: list[NoneAnswerResponse]


class MilestoneResponse(TypedDict):
    """A date of a monitoring window."""

    day: int
    on: str
    kind: str
    label: str


class PlannedNoticeResponse(TypedDict):
    """A scheduled notice; `why` is the reason why it was skipped, or would be."""

    rule: str
    title: str
    due_on: str
    sides: list[str]
    state: str
    why: str | None


class WindowExtensionResponse(TypedDict):
    """The center reported that monitoring ends on another day."""

    ends_on: str
    told_at: str
    reason_code: str | None


class MonitoringWindowResponse(TypedDict):
    """A monitoring window. `ended_on` is the day on which the referral ended; a death leaves no date after it."""

    time_zone: str
    infused_on: str
    ends_on: str
    ended_on: str | None
    label_as_of: str
    catalogue_version: str | None
    product_named: bool
    product_name: str | None
    milestones: list[MilestoneResponse]
    extensions: list[WindowExtensionResponse]
    late_effects: list[str]
    label: LabelResponse | None
    open_adverse_events: list[AdverseEventResponse]
    notices: list[PlannedNoticeResponse]


class HoldResponse(TypedDict):
    """Treatment is paused; the stage stays the same."""

    since: str
    reason_code: str | None
    expected_until: str | None
    by: str


class ContradictionResponse(TypedDict):
    """An ending and a later step that cannot both be right; both sides were asked to check."""

    ending: str
    ending_label: str
    ending_event_id: str
    ended_at: str
    reported_by: str
    step: str
    step_label: str
    step_at: str
    is_ended: bool


class OutcomeReasonResponse(TypedDict):
    """Why a referral ended or waits, and what its practice can do next."""

    reason_code: str
    label: str
    next_step: str | None


class ProductResponse(TypedDict):
    """The product of a referral: requested by the practice, planned and given by the center.

    `current` is the one that counts: the given one, else the planned one, else the requested one.
    `is_listed` says whether the center's directory entry lists it; null if no product is named. `offered` lists the
    products that the center may name.
    """

    requested: str | None
    planned: str | None
    given: str | None
    current: str | None
    name: str | None
    is_listed: bool | None
    offered: list[str]


class RoutingHintResponse(TypedDict):
    """What may not fit: the center, the product, or the code. It blocks nothing and decides nothing."""

    kind: RoutingHintKind
    pointer: str
    message: str


class UnfinishedValueResponse(TypedDict):
    """A value of a draft as it was typed, because its field refuses it. Only the practice sees it."""

    pointer: str
    value: Any


class ReferralResponse(TypedDict):
    """A referral."""

    referral_id: str
    version: int
    changed_since_seen: bool
    requested_items: int
    unread_messages: int
    stage: str
    stage_label: str
    phase: str
    stage_since: str
    created_at: str
    updated_at: str
    submitted_at: str | None
    referred_on: str | None
    practice: TenantResponse
    center: ReferralCenterResponse | None
    alias: str
    patient: Mapping[str, Any]
    clinical: Mapping[str, Any]
    insurance: Mapping[str, Any] | None
    referring_provider: Mapping[str, Any]
    consent_to_share: Mapping[str, Any] | None
    consent_state: str
    none_because: list[dict[str, str]]
    financial_help_needed: bool
    center_contact: Mapping[str, Any] | None
    can_change: list[str]
    note: str | None
    unfinished: list[UnfinishedValueResponse]
    product_id: str | None
    product: ProductResponse
    urgency: str
    clock: TurnaroundResponse
    journey: list[JourneyPhaseResponse]
    actions: list[ActionResponse]
    may_report: list[str]
    packet: PacketResponse
    coverage: CoverageSummaryResponse
    window: MonitoringWindowResponse | None
    hold: HoldResponse | None
    outcome: OutcomeReasonResponse | None
    contradiction: ContradictionResponse | None
    revisit_on: str | None
    suggested_center_id: str | None
    first_visit_on: str | None
    withdrawal_requested_at: str | None
    toxicity_noticed_at: str | None
    adverse_events: list[AdverseEventResponse]
    relapse: RelapseResponse | None
    bridging: BridgingResponse | None
    plans: list[PlanResponse]
    consultation: PlanResponse | None
    next_plan: NextPlanResponse | None
    missing_updates: list[int]
    updates_lost: int
    continues: str | None
    continued_by: str | None
    routing_hints: list[RoutingHintResponse]
    disclaimers: list[str]
    emergency_note: str


class ReferralSummaryResponse(TypedDict):
    """A row in a list of referrals."""

    referral_id: str
    referred_on: str | None
    alias: str
    patient: Mapping[str, str | None]
    stage: str
    stage_label: str
    phase: str
    owner: str
    stage_since: str
    clock_level: str
    expected_by: str | None
    window_ends_on: str | None
    next_plan: NextPlanResponse | None
    missing_updates: bool
    product_id: str | None
    disease: str | None
    urgency: str
    practice: TenantResponse
    center: ReferralCenterResponse | None
    updated_at: str
    version: int
    changed_since_seen: bool
    requested_items: int
    unread_messages: int
    routing_hints: list[RoutingHintKind]
    coverage: CoverageStateResponse


class EventResponse(TypedDict):
    """A row of the timeline. `data` has the fields that only some types of events have."""

    event_id: str
    type: str
    stage: str | None
    stage_label: str
    occurred_at: str
    recorded_at: str
    source: str
    actor_name: str
    sequence: int | None
    reason_code: str | None
    reason: str | None
    note: str | None
    status: str
    data: Mapping[str, Any]


class ReportResultResponse(TypedDict):
    """What a reported event changed: applied, recorded in the history, or parked.

    `waiting_for` lists the stages that must come before a parked update; it is absent if the referral is not known.
    `warnings` says what both sides should notice, such as leukapheresis without a coverage clearance.
    """

    status: str
    referral_id: str
    event_id: str
    stage: str | None
    contradiction: NotRequired[bool]
    waiting_for: NotRequired[list[str]]
    warnings: NotRequired[list[CoverageWarningResponse]]


class PossibleDuplicateResponse(TypedDict):
    """An open referral that may be about the same patient: the same names and date of birth."""

    referral_id: str
    alias: str
    stage: str
    stage_label: str
    practice: TenantResponse
    center: ReferralCenterResponse | None
    updated_at: str


class NewReferralResponse(ReferralResponse):
    """A new referral, with the open referrals that may be about the same patient, if there are any."""

    possible_duplicates: NotRequired[list[PossibleDuplicateResponse]]


class PossibleDuplicatesResponse(TypedDict):
    """Open referrals that may be about the same patient."""

    items: list[PossibleDuplicateResponse]


class ReferralPageResponse(TypedDict):
    """A page of a list of referrals."""

    items: list[ReferralSummaryResponse]
    next_cursor: str | None


class EventPageResponse(TypedDict):
    """A page of a timeline."""

    items: list[EventResponse]
    next_cursor: str | None


class ReferralCountsResponse(TypedDict):
    """The number of referrals, in total and by phase and worklist."""

    total: int
    phases: dict[str, int]
    worklists: dict[str, int]
