"""The shapes of answers about referrals; what `shapes` says of shapes holds here too."""

from typing import Any

# pydantic asks for this one on Python 3.11.
from typing_extensions import TypedDict

from chalicelib.routes.response_schemas import TenantShape


class CenterRefShape(TypedDict):
    """The center of a referral."""

    center_id: str
    name: str
    time_zone: str
    intake_phone: str | None
    after_hours_phone: str | None


class ClockShape(TypedDict):
    """Whose move it is, since when, and how that stands against what is usual."""

    owner: str
    since: str
    expected_by: str | None
    amber_on: str | None
    red_on: str | None
    level: str
    unit: str | None
    source: str | None


class StepShape(TypedDict):
    """A stage of the journey."""

    stage: str
    label: str
    state: str
    at: str | None


class PhaseShape(TypedDict):
    """A phase of the journey."""

    phase: str
    label: str
    stages: list[StepShape]


class ActionShape(TypedDict):
    """A move that may come next."""

    stage: str
    label: str
    allowed: bool
    why_not: str | None
    needs: list[str]
    reasons: list[str]
    ends: bool


class MissingShape(TypedDict):
    """Something that a packet lacks."""

    pointer: str
    label: str


class PacketShape(TypedDict):
    """How complete a packet is."""

    complete: bool
    present: int
    needed: int
    missing: list[MissingShape]


class MilestoneShape(TypedDict):
    """A dated day of a window."""

    day: int
    on: str
    kind: str
    label: str


class PlannedNoticeShape(TypedDict):
    """A notice of a window's plan; `why` says what it was, or would be, skipped for."""

    rule: str
    title: str
    due_on: str
    sides: list[str]
    state: str
    why: str | None


class ExtensionShape(TypedDict):
    """The center's word that a window ends on another day."""

    ends_on: str
    told_at: str
    reason_code: str | None


class WindowShape(TypedDict):
    """A monitoring window."""

    time_zone: str
    infused_on: str
    ends_on: str
    label_as_of: str
    catalogue_version: str | None
    milestones: list[MilestoneShape]
    extensions: list[ExtensionShape]
    late_effects: list[str]
    notices: list[PlannedNoticeShape]


class HoldShape(TypedDict):
    """A pause that lies over the stage."""

    since: str
    reason_code: str | None
    expected_until: str | None
    by: str


class OutcomeReasonShape(TypedDict):
    """Why a referral ended or waits, and what its practice may do next."""

    reason_code: str
    label: str
    next_step: str | None


class ReferralShape(TypedDict):
    """A referral."""

    referral_id: str
    version: int
    changed_since_seen: bool
    stage: str
    stage_label: str
    phase: str
    stage_since: str
    created_at: str
    updated_at: str
    submitted_at: str | None
    practice: TenantShape
    center: CenterRefShape | None
    alias: str
    patient: dict[str, Any]
    clinical: dict[str, Any]
    insurance: dict[str, Any] | None
    referring_provider: dict[str, Any]
    consent_to_share: dict[str, Any] | None
    note: str | None
    product_id: str | None
    urgency: str
    clock: ClockShape
    journey: list[PhaseShape]
    actions: list[ActionShape]
    may_report: list[str]
    packet: PacketShape
    window: WindowShape | None
    hold: HoldShape | None
    outcome: OutcomeReasonShape | None
    revisit_on: str | None
    suggested_center_id: str | None
    first_visit_on: str | None
    withdrawal_requested_at: str | None
    toxicity_noticed_at: str | None
    missing_updates: list[int]
    updates_lost: int
    continues: str | None
    continued_by: str | None
    disclaimers: list[str]
    emergency_note: str


class SummaryShape(TypedDict):
    """A row of a list of referrals."""

    referral_id: str
    alias: str
    patient: dict[str, str | None]
    stage: str
    stage_label: str
    phase: str
    owner: str
    stage_since: str
    clock_level: str
    expected_by: str | None
    window_ends_on: str | None
    missing_updates: bool
    product_id: str | None
    disease: str | None
    urgency: str
    practice: TenantShape
    center: CenterRefShape | None
    updated_at: str
    version: int
    changed_since_seen: bool


class EventShape(TypedDict):
    """A row of the timeline."""

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
    data: dict[str, Any]


class OutcomeShape(TypedDict):
    """What became of a report."""

    status: str
    referral_id: str
    event_id: str
    stage: str | None


class ReferralPageShape(TypedDict):
    """A part of a list of referrals."""

    items: list[SummaryShape]
    next_cursor: str | None


class EventPageShape(TypedDict):
    """A part of a timeline."""

    items: list[EventShape]
    next_cursor: str | None


class CountsShape(TypedDict):
    """How many referrals where."""

    total: int
    phases: dict[str, int]
    worklists: dict[str, int]
