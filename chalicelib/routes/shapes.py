"""The shapes of answers, for the OpenAPI document alone.

Nothing is checked against them at run time; a test does that for every route.
"""

from typing import Any, NotRequired

# pydantic asks for this one on Python 3.11.
from typing_extensions import TypedDict


class FaultShape(TypedDict):
    """One thing wrong with a request."""

    pointer: str
    code: str
    message: str


class ProblemShape(TypedDict):
    """A refusal, as RFC 9457 spells it."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    request_id: str
    errors: list[FaultShape]


class TenantShape(TypedDict):
    """An organisation."""

    tenant_id: str
    name: str | None
    kind: NotRequired[str]
    time_zone: NotRequired[str]


class SessionShape(TypedDict, total=False):
    """Tokens, or the question that comes before them."""

    access_token: str
    refresh_token: str
    expires_in: int
    challenge: str
    session: str


class MeShape(TypedDict):
    """Who is signed in."""

    member_id: str
    name: str
    email: str
    tenant: TenantShape
    roles: list[str]
    unread_notices: int
    idle_minutes: int


class CenterShape(TypedDict):
    """A treatment center of the directory."""

    center_id: str
    name: str
    city: str
    state: str
    zip: str
    time_zone: str
    intake_phone: str
    after_hours_phone: str
    accepts_new: bool
    products: list[dict[str, Any]]
    contacts: list[dict[str, Any]]


class CenterRefShape(TypedDict):
    """The center of a referral."""

    center_id: str
    name: str
    time_zone: str
    intake_phone: str | None
    after_hours_phone: str | None


class ClockShape(TypedDict):
    """Whose move it is, since when."""

    owner: str
    since: str


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
    """A notice of a window."""

    rule: str
    to: str
    due_on: str
    state: str


class WindowShape(TypedDict):
    """A monitoring window."""

    time_zone: str
    infused_on: str
    ends_on: str
    label_as_of: str
    milestones: list[MilestoneShape]
    extensions: list[dict[str, Any]]
    notices: list[PlannedNoticeShape]


class ReferralShape(TypedDict):
    """A referral."""

    referral_id: str
    version: int
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
    packet: PacketShape
    window: WindowShape | None
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
    product_id: str | None
    disease: str | None
    urgency: str
    practice: TenantShape
    center: CenterRefShape | None
    updated_at: str
    version: int


class EventShape(TypedDict):
    """A row of the timeline."""

    event_id: str
    type: str
    stage: str
    stage_label: str
    occurred_at: str
    recorded_at: str
    source: str
    actor_name: str
    sequence: int | None
    part: int
    of: int
    local_date: str | None
    reason_code: str | None
    note: str | None
    status: str


class OutcomeShape(TypedDict):
    """What became of a report."""

    status: str
    referral_id: str
    event_id: str
    stage: str | None


class NoticeShape(TypedDict):
    """Something that the member was told."""

    notice_id: str
    rule: str
    title: str
    referral_id: str
    alias: str
    created_at: str
    read_at: str | None


class ReferralPageShape(TypedDict):
    """A part of a list of referrals."""

    items: list[SummaryShape]
    next_cursor: str | None


class EventPageShape(TypedDict):
    """A part of a timeline."""

    items: list[EventShape]
    next_cursor: str | None


class NoticePageShape(TypedDict):
    """A part of a list of notices."""

    items: list[NoticeShape]
    next_cursor: str | None
    unread: int


class CenterPageShape(TypedDict):
    """A part of the directory."""

    items: list[CenterShape]
    next_cursor: str | None


class ProductListShape(TypedDict):
    """The catalogue."""

    items: list[dict[str, Any]]


class CountsShape(TypedDict):
    """How many referrals where."""

    total: int
    phases: dict[str, int]
    worklists: dict[str, int]


class StatementsShape(TypedDict):
    """What is always on screen."""

    statements: list[str]
    emergency_note: str


class HealthShape(TypedDict):
    """That it runs, and which revision."""

    status: str
    version: str
    commit: str | None


class ReadinessShape(TypedDict):
    """Which dependency answers."""

    ready: bool
    dependencies: dict[str, bool]


class MemberShape(TypedDict):
    """One of the people of an organisation."""

    member_id: str
    name: str
    email: str
    roles: list[str]
    active: bool
    version: int


class MemberListShape(TypedDict):
    """The people of an organisation."""

    items: list[MemberShape]


class DeliveryShape(TypedDict):
    """A line of a center's log."""

    delivery_id: str
    received_at: str
    status: str
    referral_id: str
    event_id: str
    stage: str | None
    code: str | None


class DeliveryPageShape(TypedDict):
    """A part of a center's log."""

    items: list[DeliveryShape]
    next_cursor: str | None


class SecretShape(TypedDict):
    """A new webhook secret."""

    secret_id: str
    secret: str


class TouchShape(TypedDict):
    """One touch of a referral."""

    at: str
    actor_id: str
    tenant_id: str
    action: str
    outcome: str
    version: int | None
    request_id: str | None


class TrailShape(TypedDict):
    """Who touched a referral."""

    items: list[TouchShape]
