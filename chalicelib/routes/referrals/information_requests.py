"""Information requests: the center asks, the practice answers item by item."""

from chalicelib.domain.referrals.information_requests import InformationRequest
from chalicelib.domain.referrals.referral import Referral
from chalicelib.routes.platform.endpoint import ApiResponse, declare_endpoint, from_stored_response
from chalicelib.routes.platform.request import ApiRequest
from chalicelib.routes.referrals.conversation_bodies import (
    InformationAnswerBody,
    InformationRequestBody,
    require_content,
)
from chalicelib.routes.referrals.conversation_responses import (
    InformationRequestResponse,
    InformationRequestsResponse,
    to_information_request_response,
    to_information_requests_response,
)
from chalicelib.services.referrals import information_requests
from chalicelib.services.referrals.information_requests import BuildResponse, NewAnswer
from chalicelib.store.platform.idempotency import StoredResponse


@declare_endpoint("GET", "/v1/referrals/{referral_id}/information-requests")
def list_information_requests(request: ApiRequest, referral_id: str) -> ApiResponse[InformationRequestsResponse]:
    """List the information requests of a referral with their answers, newest first."""
    referral, requests = information_requests.list_requests(referral_id, member=request.member, context=request.context)
    return ApiResponse(body=to_information_requests_response(referral, list(requests), request.member))


@declare_endpoint(
    "POST",
    "/v1/referrals/{referral_id}/information-requests",
    status=201,
    needs_idempotency_key=True,
)
def request_information(
    request: ApiRequest, referral_id: str, body: InformationRequestBody
) -> ApiResponse[InformationRequestResponse]:
    """Ask the practice for information, at any open stage (treatment centers)."""
    require_content(body.items, body.text, pointer="/items")
    stored = information_requests.request_information(
        referral_id,
        body.items,
        body.text,
        member=request.member,
        request=request.idempotent_request,
        build_response=_build_responder(201),
        context=request.context,
    )
    return from_stored_response(stored)


@declare_endpoint(
    "POST",
    "/v1/referrals/{referral_id}/information-requests/{request_id}/answer",
    needs_idempotency_key=True,
)
def answer_information_request(
    request: ApiRequest, referral_id: str, request_id: str, body: InformationAnswerBody
) -> ApiResponse[InformationRequestResponse]:
    """Answer some or all items of an information request (referring practices)."""
    stored = information_requests.answer_request(
        referral_id,
        request_id,
        [NewAnswer(item_id=item.item_id, kind=item.kind, text=item.text) for item in body.items],
        body.note,
        member=request.member,
        request=request.idempotent_request,
        build_response=_build_responder(200),
        context=request.context,
    )
    return from_stored_response(stored)


@declare_endpoint(
    "POST",
    "/v1/referrals/{referral_id}/information-requests/{request_id}/close",
    needs_idempotency_key=True,
)
def close_information_request(
    request: ApiRequest, referral_id: str, request_id: str
) -> ApiResponse[InformationRequestResponse]:
    """Close an information request that no longer needs an answer (treatment centers)."""
    stored = information_requests.close_request(
        referral_id,
        request_id,
        member=request.member,
        request=request.idempotent_request,
        build_response=_build_responder(200),
        context=request.context,
    )
    return from_stored_response(stored)


def _build_responder(status: int) -> BuildResponse:
    def build_response(referral: Referral, changed: InformationRequest) -> StoredResponse:
        body = to_information_request_response(referral, changed)
        return StoredResponse(status=status, headers={}, body=body)

    return build_response
