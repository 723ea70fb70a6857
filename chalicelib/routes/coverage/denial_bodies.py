"""The request bodies of the moves after a denial: peer-to-peer review, appeal, and external review."""

from typing import Annotated, Literal

from pydantic import Field

from chalicelib.domain.coverage.checklist import CHECKLIST
from chalicelib.routes.platform.fields import (
    CalendarDate,
    Identifier,
    MultiLineText,
    PastDate,
    Phone,
    SingleLineText,
    StrictModel,
    Timestamp,
)

How = Literal["phone", "portal", "letter", "fax"]
Channel = Literal["phone", "portal", "fax", "letter", "electronic"]
Review = Literal["standard", "expedited"]
Kind = Literal["drug", "service", "unknown"]
ItemCode = Annotated[Identifier, Field(json_schema_extra={"enum": [each.item for each in CHECKLIST]})]


class AuthorizationDeniedBody(StrictModel):
    """The payer denied the request, as its letter says. `deadline` is the last day to appeal."""

    move: Literal["authorization_denied"]
    """Which move this is; it decides the other fields."""
    letter_on: PastDate
    """The date on the payer's letter (YYYY-MM-DD)."""
    received_on: PastDate | None = None
    """The day on which the letter arrived (YYYY-MM-DD)."""
    reason: Literal[
        "not_medically_necessary",
        "experimental",
        "criteria_not_met",
        "out_of_network",
        "not_covered_benefit",
        "missing_information",
        "administrative",
        "other",
    ]
    """The payer's reason, as a code."""
    words: MultiLineText
    """The payer's words."""
    policy: SingleLineText | None = None
    """The policy that the payer cites."""
    deadline: CalendarDate
    """The last day to appeal (YYYY-MM-DD)."""
    appeal_to: MultiLineText | None = None
    """Where to send the appeal."""
    external_review: bool | None = None
    """Whether the letter offers an external review."""
    peer_to_peer_offered: bool | None = None
    """Whether the payer offers a peer-to-peer call."""
    peer_to_peer_phone: Phone | None = None
    """The phone for the peer-to-peer call."""
    peer_to_peer_until: CalendarDate | None = None
    """The last day for the peer-to-peer call (YYYY-MM-DD)."""
    how: How | None = None
    """How the payer's word arrived: by phone, portal, letter or fax."""


class PeerToPeerArrangedBody(StrictModel):
    """A peer-to-peer call was arranged; `caller` calls the payer's reviewer."""

    move: Literal["peer_to_peer_arranged"]
    """Which move this is; it decides the other fields."""
    phone: Phone
    """The phone of the payer's reviewer."""
    caller: SingleLineText
    """The physician who calls the payer's reviewer."""
    callback: Phone | None = None
    """The phone at which the caller can be reached."""
    case_number: SingleLineText | None = None
    """The payer's case number."""
    hours: SingleLineText | None = None
    """When the reviewer can be reached."""
    reviewer: SingleLineText | None = None
    """The name of the reviewer."""
    specialty: SingleLineText | None = None
    """The specialty of the reviewer."""
    call_at: Timestamp | None = None
    """When the call is planned, with an offset (RFC 3339)."""
    until: CalendarDate | None = None
    """The last day for the call (YYYY-MM-DD)."""


class PeerToPeerEndedBody(StrictModel):
    """The call was held, or no one was reached."""

    move: Literal["peer_to_peer_ended"]
    """Which move this is; it decides the other fields."""
    outcome: Literal["overturned", "upheld", "partly", "not_reached"]
    """What the reviewer decided, or that no one was reached."""
    held_at: Timestamp | None = None
    """When the call was held, with an offset (RFC 3339)."""
    reviewer: SingleLineText | None = None
    """The name of the reviewer."""
    notes: MultiLineText | None = None
    """What was said."""


class AppealFiledBody(StrictModel):
    """An appeal was filed; `deadline` is when the payer decides."""

    move: Literal["appeal_filed"]
    """Which move this is; it decides the other fields."""
    level: Annotated[int, Field(ge=1, le=5)]
    """The level of the appeal, 1 to 5."""
    filed_on: PastDate
    """The day on which the appeal was filed (YYYY-MM-DD)."""
    deadline: CalendarDate
    """The day by which the payer decides (YYYY-MM-DD)."""
    review: Review | None = None
    """Whether the payer reviews it as standard or expedited."""
    channel: Channel | None = None
    """How it was sent."""
    case_number: SingleLineText | None = None
    """The payer's case number."""


class AppealLostBody(StrictModel):
    """The payer upheld the denial; `deadline` is the last day for the next step."""

    move: Literal["appeal_lost"]
    """Which move this is; it decides the other fields."""
    decided_on: PastDate
    """The day of the payer's decision (YYYY-MM-DD)."""
    words: MultiLineText | None = None
    """The payer's words."""
    deadline: CalendarDate | None = None
    """The last day for the next step (YYYY-MM-DD)."""


class ExternalReviewRequestedBody(StrictModel):
    """An external review was requested."""

    move: Literal["external_review_requested"]
    """Which move this is; it decides the other fields."""
    requested_on: PastDate
    """The day on which it was requested (YYYY-MM-DD)."""
    reviewer: SingleLineText
    """The organization that reviews."""
    case_number: SingleLineText | None = None
    """The payer's case number."""
    deadline: CalendarDate | None = None
    """The day by which the reviewer decides (YYYY-MM-DD)."""


class ExternalReviewLostBody(StrictModel):
    """The external review upheld the denial."""

    move: Literal["external_review_lost"]
    """Which move this is; it decides the other fields."""
    decided_on: PastDate
    """The day of the payer's decision (YYYY-MM-DD)."""
    words: MultiLineText | None = None
    """The payer's words."""
