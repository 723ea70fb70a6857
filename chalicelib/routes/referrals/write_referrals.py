"""Write referrals: create and correct them."""

from functools import partial
from typing import Any, cast

from chalicelib.domain.platform.ids import derive_id
from chalicelib.domain.referrals.referral import Referral
from chalicelib.domain.referrals.worklists import ListViewer
from chalicelib.errors import MalformedError
from chalicelib.routes.platform.endpoint import ApiResponse, declare_endpoint, from_stored_response
from chalicelib.routes.platform.request import ApiRequest
from chalicelib.routes.referrals import responses
from chalicelib.routes.referrals.new_referrals import to_new_referral, to_plain_json
from chalicelib.routes.referrals.request_bodies import ReferralPatchRequest, ReferralRequest
from chalicelib.routes.referrals.response_types import (
    NewReferralResponse,
    ReferralResponse,
)
from chalicelib.services.referrals import amend, create, duplicates
from chalicelib.services.referrals.list_filters import build_list_viewer
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


def _build_list_viewer(request: ApiRequest) -> ListViewer:
    return build_list_viewer(request.member, context=request.context)


def _reject_emptied_sections(changes: dict[str, Any]) -> None:
    required = ("patient", "clinical", "referring_provider", "urgency")
    if any(name in changes and changes[name] is None for name in required):
        raise MalformedError("section_needed", "This section is required and cannot be removed.")
