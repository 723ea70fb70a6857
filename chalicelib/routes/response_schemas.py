"""The shapes of answers, for the OpenAPI document alone.

Nothing is checked against them at run time; a test does that for every route.
"""

from typing import Any, NotRequired

# pydantic asks for this one on Python 3.11.
from typing_extensions import TypedDict

from chalicelib.routes.notices.response_schemas import MailLifeShape, MailProblemShape


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
    may_refer: bool
    unread_notices: int
    mail_problem: MailProblemShape | None
    idle_minutes: int


class CapacityShape(TypedDict):
    """How soon a center sees a new patient, as it said at a time."""

    days_to_consultation: int | None
    as_of: str


class PayerNetworkShape(TypedDict):
    """A payer in whose network a center was, on a day."""

    payer: str
    as_of: str


class PlaceShape(TypedDict):
    """About where a ZIP code is, in degrees north and east."""

    zip: str
    latitude: float
    longitude: float


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
    age_group: NotRequired[str]
    capacity: NotRequired[CapacityShape]
    payer_networks: NotRequired[list[PayerNetworkShape]]
    source: NotRequired[str | None]
    verified_on: NotRequired[str | None]
    listed: NotRequired[bool]
    fictional: NotRequired[bool]


class FoundCenterShape(CenterShape):
    """A center of a search. Miles are a straight line between ZIP codes, never a way to drive."""

    distance_miles: float | None
    place: PlaceShape | None


class NoticeShape(TypedDict):
    """Something that the member was told."""

    notice_id: str
    rule: str
    title: str
    referral_id: str | None
    alias: str | None
    category: str
    created_at: str
    read_at: str | None
    mail: MailLifeShape


class NoticePageShape(TypedDict):
    """A part of a list of notices."""

    items: list[NoticeShape]
    next_cursor: str | None
    unread: int


class CenterPageShape(TypedDict):
    """A part of the directory."""

    items: list[FoundCenterShape]
    next_cursor: str | None
    near: PlaceShape | None
    sorted_by: str
    distances_are: str


class ProductListShape(TypedDict):
    """The catalogue."""

    items: list[dict[str, Any]]


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
    stage_label: str | None
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


class ResourceSourceShape(TypedDict):
    """Where a fact was read, and the day it speaks for; if not `dated`, the day it was read."""

    title: str
    url: str
    as_of: str
    dated: bool


class ResourceShape(TypedDict):
    """A national resource. `confirm` says what to ask before relying on it."""

    resource_id: str
    name: str
    organization: str
    kind: str
    topics: list[str]
    what: str
    asked_by: str
    url: str
    phone: str
    phone_as_printed: str
    hours: str | None
    languages: list[str]
    last_checked: str
    confirm: str | None
    sources: list[ResourceSourceShape]


class ResourceListShape(TypedDict):
    """The resources that fit, with the words for topics and languages."""

    items: list[ResourceShape]
    topics: dict[str, str]
    languages: dict[str, str]
    reviewed_on: str


class DiagnosisShape(TypedDict):
    """A billable ICD-10-CM code."""

    code: str
    description: str
    diseases: list[str]


class DiagnosisListShape(TypedDict):
    """The codes to choose from, and the release that they are of."""

    release: dict[str, str]
    items: list[DiagnosisShape]
