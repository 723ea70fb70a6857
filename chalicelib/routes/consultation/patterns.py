"""Weekly patterns of a center's consultation times."""

from chalicelib.domain.referrals.monitoring_window import to_local_day
from chalicelib.routes.consultation.request_bodies import PatternRequest, to_pattern
from chalicelib.routes.consultation.responses import (
    PatternListResponse,
    PatternResponse,
    build_pattern_etag,
    to_pattern_response,
)
from chalicelib.routes.platform.endpoint import ApiResponse, declare_endpoint, from_stored_response
from chalicelib.routes.platform.request import ApiRequest
from chalicelib.services.consultation import patterns
from chalicelib.services.consultation.access import get_own_center_or_404
from chalicelib.services.consultation.patterns import PatternView
from chalicelib.store.platform.idempotency import StoredResponse


@declare_endpoint("GET", "/v1/centers/{center_id}/slot-patterns")
def list_slot_patterns(request: ApiRequest, center_id: str) -> ApiResponse[PatternListResponse]:
    """List the weekly patterns of consultation times, with booked times that need a person (treatment centers)."""
    views = patterns.list_patterns(center_id, member=request.member, context=request.context)
    return ApiResponse(body={"items": [to_pattern_response(view, now=request.now) for view in views]})


@declare_endpoint("POST", "/v1/centers/{center_id}/slot-patterns", status=201, needs_idempotency_key=True)
def publish_slot_pattern(request: ApiRequest, center_id: str, body: PatternRequest) -> ApiResponse[PatternResponse]:
    """Publish a weekly pattern; its times of the next 12 weeks can be booked at once (treatment centers)."""
    zone = get_own_center_or_404(center_id, request.member, context=request.context).tenant.time_zone

    def build_response(view: PatternView) -> StoredResponse:
        response = to_pattern_response(view, now=request.now)
        return StoredResponse(status=201, headers=build_pattern_etag(view), body=response)

    stored = patterns.add_pattern(
        to_pattern(body, center_id=center_id, pattern_id="", today=to_local_day(request.now, zone)),
        member=request.member,
        request=request.idempotent_request,
        build_response=build_response,
        context=request.context,
    )
    return from_stored_response(stored)


@declare_endpoint("PUT", "/v1/centers/{center_id}/slot-patterns/{pattern_id}", needs_if_match=True)
def change_slot_pattern(
    request: ApiRequest, center_id: str, pattern_id: str, body: PatternRequest
) -> ApiResponse[PatternResponse]:
    """Replace a weekly pattern; booked consultations stay as they are (treatment centers)."""
    zone = get_own_center_or_404(center_id, request.member, context=request.context).tenant.time_zone
    view = patterns.change_pattern(
        to_pattern(body, center_id=center_id, pattern_id=pattern_id, today=to_local_day(request.now, zone)),
        version=request.version,
        member=request.member,
        context=request.context,
    )
    return ApiResponse(body=to_pattern_response(view, now=request.now), headers=build_pattern_etag(view))


@declare_endpoint("DELETE", "/v1/centers/{center_id}/slot-patterns/{pattern_id}", needs_if_match=True)
def remove_slot_pattern(request: ApiRequest, center_id: str, pattern_id: str) -> ApiResponse[PatternResponse]:
    """Remove a weekly pattern and its free times; booked consultations stay (treatment centers)."""
    view = patterns.remove_pattern(
        center_id, pattern_id, version=request.version, member=request.member, context=request.context
    )
    return ApiResponse(body=to_pattern_response(view, now=request.now), headers=build_pattern_etag(view))
