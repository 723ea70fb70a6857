"""The request bodies of coverage moves: one model for each move, with the facts that it needs."""

import json
from typing import Annotated, Any, Literal

from pydantic import Field

from chalicelib.domain.coverage.checklist import CHECKLIST
from chalicelib.domain.coverage.moves import MoveName
from chalicelib.routes.coverage.denial_bodies import (
    AppealFiledBody,
    AppealLostBody,
    AuthorizationDeniedBody,
    ExternalReviewLostBody,
    ExternalReviewRequestedBody,
    PeerToPeerArrangedBody,
    PeerToPeerEndedBody,
)
from chalicelib.routes.platform.fields import (
    CalendarDate,
    Identifier,
    LazyRootModel,
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


class _Call(StrictModel):
    """How the payer's word reached the reporter. A phone call needs its time, representative and number."""

    how: How
    """How the payer's word arrived: by phone, portal, letter or fax."""
    called_at: Timestamp | None = None
    """When the call was, with an offset (RFC 3339). Required for a call."""
    representative: SingleLineText | None = None
    """The name of the payer's representative. Required for a call."""
    reference_number: SingleLineText | None = None
    """The payer's reference number. Required for a call."""


class VerificationRequestedBody(StrictModel):
    """The benefits are to be verified."""

    move: Literal["verification_requested"]
    """Which move this is; it decides the other fields."""


class VerificationStartedBody(StrictModel):
    """The payer was asked."""

    move: Literal["verification_started"]
    """Which move this is; it decides the other fields."""


class ResultRecordedBody(_Call):
    """The result of a benefits check, entered by hand. A fact that is left out stays as it is."""

    move: Literal["result_recorded"]
    """Which move this is; it decides the other fields."""
    outcome: Literal["verified", "verified_with_conditions", "unable_to_verify"]
    """Whether the benefits could be verified."""
    benefits: Literal["active", "inactive", "not_stated"] | None = None
    """What the payer said about the benefits."""
    benefits_detail: MultiLineText | None = None
    """Details about the benefits, in the reporter's words."""
    plan_name: SingleLineText | None = None
    """The name of the plan; null or left out if it is not known."""
    authorization: Literal["required", "not_required", "not_stated"] | None = None
    """Whether the payer requires an authorization."""
    authorization_detail: MultiLineText | None = None
    """Details about the authorization, in the reporter's words."""
    network: (
        Literal["in_network", "out_of_network", "designated_provider_required", "not_applicable", "not_stated"] | None
    ) = None
    """Whether the center is in the plan's network."""
    network_detail: MultiLineText | None = None
    """Details about the network, in the reporter's words."""
    valid_until: CalendarDate | None = None
    """The last day for which the result counts (YYYY-MM-DD)."""
    plan_year: Literal["calendar", "other"] | None = None
    """When the plan year starts: with the calendar year or another day."""
    conditions: MultiLineText | None = None
    """Conditions that the payer named."""


class PlanChangedBody(StrictModel):
    """The patient has another plan."""

    move: Literal["plan_changed"]
    """Which move this is; it decides the other fields."""
    reason: SingleLineText
    """What changed, such as a new employer."""


class AuthorizationNotRequiredBody(_Call):
    """The payer requires no authorization."""

    move: Literal["authorization_not_required"]
    """Which move this is; it decides the other fields."""
    conditions: MultiLineText | None = None
    """Conditions that the payer named."""


class AuthorizationRequiredBody(_Call):
    """The payer requires an authorization."""

    move: Literal["authorization_required"]
    """Which move this is; it decides the other fields."""
    conditions: MultiLineText | None = None
    """Conditions that the payer named."""


class AuthorizationConfirmedBody(_Call):
    """The new plan accepts the authorization of the earlier one."""

    move: Literal["authorization_confirmed"]
    """Which move this is; it decides the other fields."""
    ends_on: CalendarDate | None = None
    """The last day of the authorization under the new plan (YYYY-MM-DD)."""


class AuthorizationSubmittedBody(StrictModel):
    """The request was submitted. `decision_by` is a date that the payer named."""

    move: Literal["authorization_submitted"]
    """Which move this is; it decides the other fields."""
    submitted_on: PastDate
    """The day on which the request was submitted (YYYY-MM-DD)."""
    channel: Channel
    """How it was sent."""
    case_number: SingleLineText
    """The payer's case number."""
    review: Review
    """Whether the payer reviews it as standard or expedited."""
    kind: Kind | None = None
    """Whether the plan treats CAR T as a drug or as a service."""
    decision_by: CalendarDate | None = None
    """The day that the payer named for its decision (YYYY-MM-DD)."""


class InformationAskedBody(StrictModel):
    """The payer asks for more information before it decides."""

    move: Literal["information_asked"]
    """Which move this is; it decides the other fields."""
    items: MultiLineText
    """What the payer asks for."""
    deadline: CalendarDate
    """The last day for it, as the payer's letter says (YYYY-MM-DD)."""


class InformationSentBody(StrictModel):
    """The information was sent to the payer."""

    move: Literal["information_sent"]
    """Which move this is; it decides the other fields."""
    items: MultiLineText
    """What was sent to the payer."""
    sent_on: PastDate
    """The day on which it was sent (YYYY-MM-DD)."""
    channel: Channel | None = None
    """How it was sent."""
    decision_by: CalendarDate | None = None
    """The day that the payer named for its decision (YYYY-MM-DD)."""


class AuthorizationApprovedBody(StrictModel):
    """The payer approved the request."""

    move: Literal["authorization_approved"]
    """Which move this is; it decides the other fields."""
    authorization_number: SingleLineText
    """The number of the authorization."""
    begins_on: CalendarDate
    """The first day of the authorization (YYYY-MM-DD)."""
    ends_on: CalendarDate
    """The last day of the authorization (YYYY-MM-DD)."""
    product_id: Identifier
    """The ID of a CAR T product in the catalog."""
    site: SingleLineText
    """The place of treatment that the payer named."""
    decided_on: PastDate | None = None
    """The day of the payer's decision (YYYY-MM-DD)."""
    conditions: MultiLineText | None = None
    """Conditions that the payer named."""
    how: How | None = None
    """How the payer's word arrived: by phone, portal, letter or fax."""


class AuthorizationWithdrawnBody(StrictModel):
    """The request was withdrawn."""

    move: Literal["authorization_withdrawn"]
    """Which move this is; it decides the other fields."""
    reason: MultiLineText
    """Why, in plain words."""


class AgreementNeededBody(StrictModel):
    """The center needs a single case agreement with the payer."""

    move: Literal["agreement_needed"]
    """Which move this is; it decides the other fields."""
    reason: Literal["out_of_network", "no_contract_rate", "product_not_listed", "other"]
    """Why an agreement is needed."""
    payer_contact: SingleLineText | None = None
    """Whom to reach at the payer about the agreement."""
    phone: Phone | None = None
    """The phone of the payer's contact."""
    owner: SingleLineText | None = None
    """Who at the center follows up."""


class AgreementNotNeededBody(StrictModel):
    """No agreement is needed after all."""

    move: Literal["agreement_not_needed"]
    """Which move this is; it decides the other fields."""
    reason: MultiLineText
    """Why, in plain words."""


class AgreementStartedBody(StrictModel):
    """The center asked the payer for the agreement. `rate_basis` is shown to the center only."""

    move: Literal["agreement_started"]
    """Which move this is; it decides the other fields."""
    requested_on: PastDate
    """The day on which it was requested (YYYY-MM-DD)."""
    owner: SingleLineText | None = None
    """Who at the center follows up."""
    rate_basis: MultiLineText | None = None
    """How the rate is agreed. Only the center sees it."""
    scope: MultiLineText | None = None
    """What the agreement covers."""


class AgreementSignedBody(StrictModel):
    """The agreement was signed. `rate_basis` is shown to the center only."""

    move: Literal["agreement_signed"]
    """Which move this is; it decides the other fields."""
    signed_on: PastDate
    """The day on which the agreement was signed (YYYY-MM-DD)."""
    begins_on: CalendarDate
    """The first day of the agreement (YYYY-MM-DD)."""
    ends_on: CalendarDate | None = None
    """The last day of the agreement (YYYY-MM-DD); no end if it is left out."""
    rate_basis: MultiLineText | None = None
    """How the rate is agreed. Only the center sees it."""
    scope: MultiLineText | None = None
    """What the agreement covers."""


class AgreementFailedBody(StrictModel):
    """No agreement was reached."""

    move: Literal["agreement_failed"]
    """Which move this is; it decides the other fields."""
    reason: MultiLineText
    """Why, in plain words."""


class ClearedBody(StrictModel):
    """The center clears the coverage until a day. A person says what it rests on."""

    move: Literal["cleared"]
    """Which move this is; it decides the other fields."""
    until: CalendarDate
    """The last day for which the coverage is cleared (YYYY-MM-DD)."""
    basis: Literal["authorization", "not_required", "medicare_no_authorization", "agreement", "other"]
    """What the clearance rests on."""
    note: MultiLineText | None = None
    """A note in plain words."""


class ClearanceEndedBody(StrictModel):
    """The center takes the clearance back."""

    move: Literal["clearance_ended"]
    """Which move this is; it decides the other fields."""
    reason: MultiLineText
    """Why, in plain words."""


class ItemVerifiedBody(_Call):
    """An item of the checklist, as the payer answered it."""

    move: Literal["item_verified"]
    """Which move this is; it decides the other fields."""
    how: How | None = None  # type: ignore[assignment] # An answer may come from the patient.
    """How the answer arrived."""
    item: ItemCode
    """The item of the checklist."""
    answer: MultiLineText
    """What the payer answered."""


AnyMoveBody = Annotated[
    VerificationRequestedBody
    | VerificationStartedBody
    | ResultRecordedBody
    | PlanChangedBody
    | AuthorizationNotRequiredBody
    | AuthorizationRequiredBody
    | AuthorizationConfirmedBody
    | AuthorizationSubmittedBody
    | InformationAskedBody
    | InformationSentBody
    | AuthorizationApprovedBody
    | AuthorizationDeniedBody
    | PeerToPeerArrangedBody
    | PeerToPeerEndedBody
    | AppealFiledBody
    | AppealLostBody
    | ExternalReviewRequestedBody
    | ExternalReviewLostBody
    | AuthorizationWithdrawnBody
    | AgreementNeededBody
    | AgreementNotNeededBody
    | AgreementStartedBody
    | AgreementSignedBody
    | AgreementFailedBody
    | ClearedBody
    | ClearanceEndedBody
    | ItemVerifiedBody,
    Field(discriminator="move"),
]


class CoverageMoveBody(LazyRootModel[AnyMoveBody]):
    """A move of the coverage; `move` determines the fields."""


def read_move(body: CoverageMoveBody) -> tuple[MoveName, dict[str, Any]]:
    """Split a body into the move and its facts, as plain JSON values without what was left out."""
    facts: dict[str, Any] = json.loads(body.root.model_dump_json(exclude_none=True))
    return MoveName(facts.pop("move")), facts
