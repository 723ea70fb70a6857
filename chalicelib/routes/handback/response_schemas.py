"""The shapes of answers about the hand-back and what follows it; see `shapes`."""

from typing import Any

# pydantic asks for this one on Python 3.11.
from typing_extensions import TypedDict

from chalicelib.routes.response_schemas import TenantShape


class CareSourceShape(TypedDict):
    """Where something was read."""

    title: str
    url: str | None
    as_of: str


class PackageItemShape(TypedDict):
    """Something that a package needs, and whether it is there."""

    pointer: str
    label: str
    done: bool


class PackageCompletenessShape(TypedDict):
    """How complete a package is."""

    complete: bool
    present: int
    needed: int
    items: list[PackageItemShape]


class CarePointShape(TypedDict):
    """A care point of a package; `source` speaks for the text only where it is not `edited`."""

    care_point_id: str | None
    topic: str
    text: str
    due_on: str | None
    edited: bool
    source: CareSourceShape | None


class HandbackShape(TypedDict):
    """The hand-back package."""

    referral_id: str
    version: int
    state: str
    may_write: bool
    written_at: str | None
    written_by: str | None
    package: dict[str, Any] | None
    proposal: dict[str, Any] | None
    completeness: PackageCompletenessShape
    checklist: list[CarePointShape]
    grades: CareSourceShape
    handed_back_at: str | None
    first_visit_on: str | None


class FollowUpDayShape(TypedDict):
    """A dated day of the follow-up."""

    key: str
    kind: str
    date: str
    label: str
    source: str


class EmergencyLineShape(TypedDict):
    """A line of the emergency card."""

    label: str
    text: str
    source: str


class EmergencyCardShape(TypedDict):
    """What an emergency card says, beside whose it is."""

    product: str | None
    infused_on: str
    center: str | None
    phone: str | None
    lines: list[EmergencyLineShape]
    statements: list[str]
    emergency_call: str


class FollowUpShape(TypedDict):
    """The follow-up calendar of a referral, and its emergency card."""

    referral_id: str
    alias: str
    practice: TenantShape
    time_zone: str
    infused_on: str
    first_visit_on: str | None
    package_version: int
    items: list[FollowUpDayShape]
    card: EmergencyCardShape


class CalendarShape(TypedDict):
    """Whether a member has a calendar feed."""

    active: bool
    made_at: str | None


class CalendarAddressShape(TypedDict):
    """The secret address of a calendar feed, told this once."""

    url: str
    made_at: str
