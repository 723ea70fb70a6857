"""The request bodies of coverage moves: one model for each move, with the facts that it needs."""

import json
from typing import Annotated, Any, Literal

from pydantic import Field, RootModel

from chalicelib.domain.coverage.checklist import CHECKLIST
from chalicelib.domain.coverage.moves import MoveName
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


class _Call(StrictModel):
    """How the payer's word reached the reporter. A phone call needs its time, representative and number."""

    how: How
    called_at: Timestamp | None = None
    representative: SingleLineText | None = None
    reference_number: SingleLineText | None = None


class VerificationRequestedBody(StrictModel):
    """The benefits are to be verified."""

    move: Literal["verification_requested"]


class VerificationStartedBody(StrictModel):
    """The payer was asked."""

    move: Literal["verification_started"]


class ResultRecordedBody(_Call):
    """The result of a benefits check, entered by hand. A fact that is left out stays as it is."""

    move: Literal["result_recorded"]
    outcome: Literal["verified", "verified_with_conditions", "unable_to_verify"]
    benefits: Literal["active", "inactive", "not_stated"] | None = None
    benefits_detail: MultiLineText | None = None
    plan_name: SingleLineText | None = None
    authorization: Literal["required", "not_required", "not_stated"] | None = None
    authorization_detail: MultiLineText | None = None
    network: (
        Literal["in_network", "out_of_network", "designated_provider_required", "not_applicable", "not_stated"] | None
    ) = None
    network_detail: MultiLineText | None = None
    valid_until: CalendarDate | None = None
    plan_year: Literal["calendar", "other"] | None = None
    conditions: MultiLineText | None = None


class PlanChangedBody(StrictModel):
    """The patient has another plan."""

    move: Literal["plan_changed"]
    reason: SingleLineText


class AuthorizationNotRequiredBody(_Call):
    """The payer requires no authorization."""

    move: Literal["authorization_not_required"]
    conditions: MultiLineText | None = None


class AuthorizationRequiredBody(_Call):
    """The payer requires an authorization."""

    move: Literal["authorization_required"]
    conditions: MultiLineText | None = None


class AuthorizationConfirmedBody(_Call):
    """The new plan accepts the authorization of the earlier one."""

    move: Literal["authorization_confirmed"]
    ends_on: CalendarDate | None = None


class AuthorizationSubmittedBody(StrictModel):
    """The request was submitted. `decision_by` is a date that the payer named."""

    move: Literal["authorization_submitted"]
    submitted_on: PastDate
    channel: Channel
    case_number: SingleLineText
    review: Review
    kind: Kind | None = None
    decision_by: CalendarDate | None = None


class InformationAskedBody(StrictModel):
    """The payer asks for more information before it decides."""

    move: Literal["information_asked"]
    items: MultiLineText
    deadline: CalendarDate


class InformationSentBody(StrictModel):
    """The information was sent to the payer."""

    move: Literal["information_sent"]
    items: MultiLineText
    sent_on: PastDate
    channel: Channel | None = None
    decision_by: CalendarDate | None = None


class AuthorizationApprovedBody(StrictModel):
    """The payer approved the request."""

    move: Literal["authorization_approved"]
    authorization_number: SingleLineText
    begins_on: CalendarDate
    ends_on: CalendarDate
    product_id: Identifier
    site: SingleLineText
    decided_on: PastDate | None = None
    conditions: MultiLineText | None = None
    how: How | None = None


class AuthorizationDeniedBody(StrictModel):
    """The payer denied the request, as its letter says. `deadline` is the last day to appeal."""

    move: Literal["authorization_denied"]
    letter_on: PastDate
    received_on: PastDate | None = None
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
    words: MultiLineText
    policy: SingleLineText | None = None
    deadline: CalendarDate
    appeal_to: MultiLineText | None = None
    external_review: bool | None = None
    peer_to_peer_offered: bool | None = None
    peer_to_peer_phone: Phone | None = None
    peer_to_peer_until: CalendarDate | None = None
    how: How | None = None


class PeerToPeerArrangedBody(StrictModel):
    """A peer-to-peer call was arranged; `caller` calls the payer's reviewer."""

    move: Literal["peer_to_peer_arranged"]
    phone: Phone
    caller: SingleLineText
    callback: Phone | None = None
    case_number: SingleLineText | None = None
    hours: SingleLineText | None = None
    reviewer: SingleLineText | None = None
    specialty: SingleLineText | None = None
    call_at: Timestamp | None = None
    until: CalendarDate | None = None


class PeerToPeerEndedBody(StrictModel):
    """The call was held, or no one was reached."""

    move: Literal["peer_to_peer_ended"]
    outcome: Literal["overturned", "upheld", "partly", "not_reached"]
    held_at: Timestamp | None = None
    reviewer: SingleLineText | None = None
    notes: MultiLineText | None = None


class AppealFiledBody(StrictModel):
    """An appeal was filed; `deadline` is when the payer decides."""

    move: Literal["appeal_filed"]
    level: Annotated[int, Field(ge=1, le=5)]
    filed_on: PastDate
    deadline: CalendarDate
    review: Review | None = None
    channel: Channel | None = None
    case_number: SingleLineText | None = None


class AppealLostBody(StrictModel):
    """The payer upheld the denial; `deadline` is the last day for the next step."""

    move: Literal["appeal_lost"]
    decided_on: PastDate
    words: MultiLineText | None = None
    deadline: CalendarDate | None = None


class ExternalReviewRequestedBody(StrictModel):
    """An external review was requested."""

    move: Literal["external_review_requested"]
    requested_on: PastDate
    reviewer: SingleLineText
    case_number: SingleLineText | None = None
    deadline: CalendarDate | None = None


class ExternalReviewLostBody(StrictModel):
    """The external review upheld the denial."""

    move: Literal["external_review_lost"]
    decided_on: PastDate
    words: MultiLineText | None = None


class AuthorizationWithdrawnBody(StrictModel):
    """The request was withdrawn."""

    move: Literal["authorization_withdrawn"]
    reason: MultiLineText


class AgreementNeededBody(StrictModel):
    """The center needs a single case agreement with the payer."""

    move: Literal["agreement_needed"]
    reason: Literal["out_of_network", "no_contract_rate", "product_not_listed", "other"]
    payer_contact: SingleLineText | None = None
    phone: Phone | None = None
    owner: SingleLineText | None = None


class AgreementNotNeededBody(StrictModel):
    """No agreement is needed after all."""

    move: Literal["agreement_not_needed"]
    reason: MultiLineText


class AgreementStartedBody(StrictModel):
    """The center asked the payer for the agreement. `rate_basis` is shown to the center only."""

    move: Literal["agreement_started"]
    requested_on: PastDate
    owner: SingleLineText | None = None
    rate_basis: MultiLineText | None = None
    scope: MultiLineText | None = None


class AgreementSignedBody(StrictModel):
    """The agreement was signed. `rate_basis` is shown to the center only."""

    move: Literal["agreement_signed"]
    signed_on: PastDate
    begins_on: CalendarDate
    ends_on: CalendarDate | None = None
    rate_basis: MultiLineText | None = None
    scope: MultiLineText | None = None


class AgreementFailedBody(StrictModel):
    """No agreement was reached."""

    move: Literal["agreement_failed"]
    reason: MultiLineText


class ClearedBody(StrictModel):
    """The center clears the coverage until a day. A person says what it rests on."""

    move: Literal["cleared"]
    until: CalendarDate
    basis: Literal["authorization", "not_required", "medicare_no_authorization", "agreement", "other"]
    note: MultiLineText | None = None


class ClearanceEndedBody(StrictModel):
    """The center takes the clearance back."""

    move: Literal["clearance_ended"]
    reason: MultiLineText


class ItemVerifiedBody(_Call):
    """An item of the checklist, as the payer answered it."""

    move: Literal["item_verified"]
    how: How | None = None  # type: ignore[assignment] # An answer may come from the patient.
    item: ItemCode
    answer: MultiLineText


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


class CoverageMoveBody(RootModel[AnyMoveBody]):
    """A move of the coverage; `move` determines the fields."""


def read_move(body: CoverageMoveBody) -> tuple[MoveName, dict[str, Any]]:
    """Split a body into the move and its facts, as plain JSON values without what was left out."""
    facts: dict[str, Any] = json.loads(body.root.model_dump_json(exclude_none=True))
    return MoveName(facts.pop("move")), facts
