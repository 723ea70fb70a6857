"""Write referrals: create them, correct them, and report events."""

from functools import partial
from typing import Any, cast

from chalicelib.domain.identity.members import TenantKind
from chalicelib.domain.platform.ids import derive_id
from chalicelib.domain.referrals.events import EventSource
from chalicelib.domain.referrals.referral import Referral
from chalicelib.domain.referrals.worklists import ListViewer
from chalicelib.errors import MalformedError, NotFoundError
from chalicelib.routes.platform.endpoint import ApiResponse, declare_endpoint, from_stored_response
from chalicelib.routes.platform.operations import EarlyRead
from chalicelib.routes.platform.request import ApiRequest
from chalicelib.routes.referrals import responses
from chalicelib.routes.referrals.event_bodies import EventRequest
from chalicelib.routes.referrals.new_referrals import to_new_referral, to_plain_json
from chalicelib.routes.referrals.reported_events import EventReporter, build_event, require_same_referral
from chalicelib.routes.referrals.request_bodies import ReferralPatchRequest, ReferralRequest
from chalicelib.routes.referrals.response_types import (
    NewReferralResponse,
    ReferralResponse,
    ReportResultResponse,
)
from chalicelib.services.referrals import amend, create, duplicates
from chalicelib.services.referrals.list_filters import build_list_viewer
from chalicelib.services.referrals.report_event import report_by_member
from chalicelib.services.referrals.report_results import ReportResult
from chalicelib.store.platform.idempotency import StoredResponse


@declare_endpoint("POST", "/v1/referrals", status=201, needs_idempotency_key=True)
def create_referral(request: ApiRequest, body: ReferralRequest) -> ApiResponse[NewReferralResponse]:
    """Create a referral as a draft, or submit it right away."""
    member, context, new_referral = request.member, request.context, to_new_referral(body)
    # A repeat of the request names the same referral, also if a restore lost the record of the first.
    referral_id = derive_id("ref", request.idempotent_request.scope_key)
    possible_duplicates = request.calls.start(
        partial(duplicates.find_possible_duplicates, referral_id, new_referral.details, member=member, context=context)
    )

    def build_response(referral: Referral) -> StoredResponse:
        location = f"/v1/referrals/{referral.referral_id}"
        headers = {"Location": location, **responses.build_referral_etag(referral)}
        body = cast(
            "NewReferralResponse",
            responses.to_referral_response(referral, member, viewer=_build_list_viewer(request)),
        )
        if found := possible_duplicates.result():
            body["possible_duplicates"] = [responses.to_possible_duplicate_response(row) for row in found]
        return StoredResponse(status=201, headers=headers, body=body)

    stored = create.create_referral(
        new_referral,
        submit=body.submit,
        referral_id=referral_id,
        member=member,
        request=request.idempotent_request,
        build_response=build_response,
        context=context,
    )
    return from_stored_response(stored)


@declare_endpoint("PATCH", "/v1/referrals/{referral_id}", needs_if_match=True)
def amend_referral(request: ApiRequest, referral_id: str, body: ReferralPatchRequest) -> ApiResponse[ReferralResponse]:
    """Correct your organization's own facts of a referral, until it is closed."""
    changes = to_plain_json(body, exclude_unset=True)
    patient = changes.get("patient")
    if patient and patient.get("alias"):
        changes["alias"] = patient["alias"]
    _reject_emptied_sections(changes)
    referral = amend.amend_referral(
        referral_id,
        changes,
        version=request.version,
        member=request.member,
        context=request.context,
    )
    return ApiResponse(
        body=responses.to_referral_response(referral, request.member, viewer=_build_list_viewer(request)),
        headers=responses.build_referral_etag(referral),
    )


@declare_endpoint(
    "POST",
    "/v1/referrals/{referral_id}/events",
    needs_idempotency_key=True,
    early_read=EarlyRead.DECISION,
)
def report_event(request: ApiRequest, referral_id: str, body: EventRequest) -> ApiResponse[ReportResultResponse]:
    """Report an event; the only way to change a referral's stage."""

    def build_response(result: ReportResult) -> StoredResponse:
        return StoredResponse(status=200, headers={}, body=responses.to_report_response(result))

    require_same_referral(body.root, referral_id)
    event = build_event(body.root, referral_id=referral_id, reporter=_build_reporter(request))
    stored = report_by_member(
        event,
        member=request.member,
        is_old_date_confirmed=body.root.confirm_old_date,
        request=request.idempotent_request,
        build_response=build_response,
        context=request.context,
    )
    return from_stored_response(stored)


def _build_reporter(request: ApiRequest) -> EventReporter:
    """The signed-in member as the reporter; the event's id comes from the Idempotency-Key.

    Raises:
        NotFoundError: an operator belongs to neither organization and sees no referral.
    """
    member = request.member
    if member.kind is TenantKind.OPERATOR:
        raise NotFoundError
    return EventReporter(
        event_id=derive_id("evt", request.idempotent_request.scope_key),
        actor=member.actor,
        source=EventSource.PRACTICE if member.kind is TenantKind.PRACTICE else EventSource.CENTER,
        actor_id=member.member_id,
        actor_name=member.name,
        recorded_at=request.now,
    )


def _build_list_viewer(request: ApiRequest) -> ListViewer:
    return build_list_viewer(request.member, context=request.context)


def _reject_emptied_sections(changes: dict[str, Any]) -> None:
    required = ("patient", "clinical", "referring_provider", "urgency")
    if any(name in changes and changes[name] is None for name in required):
        raise MalformedError("section_needed", "This section is required and cannot be removed.")
