"""Consultation times of a center: practices read the free ones, the center publishes and removes them."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from chalicelib.domain.referrals.monitoring_window import to_local_day
from chalicelib.routes.consultation.request_bodies import NewSlotsRequest, SlotQuery, list_new_slots, read_range
from chalicelib.routes.consultation.responses import (
    PublishedSlotsResponse,
    SlotPageResponse,
    to_published_slots_response,
    to_slot_page_response,
)
from chalicelib.routes.platform.endpoint import ApiResponse, declare_endpoint, from_stored_response
from chalicelib.routes.platform.request import ApiRequest
from chalicelib.services.consultation import slots
from chalicelib.services.consultation.access import get_center_or_404
from chalicelib.services.consultation.slots import SlotPage
from chalicelib.store.platform.idempotency import StoredResponse

_MINUTE = timedelta(minutes=1)


@declare_endpoint("GET", "/v1/centers/{center_id}/slots")
def list_slots(request: ApiRequest, center_id: str, query: SlotQuery) -> ApiResponse[SlotPageResponse]:
    """List consultation times: the free ones for a practice, all of them for the center's team."""
    zone_name = get_center_or_404(center_id, request.member, context=request.context).tenant.time_zone
    first, last = read_range(query, today=to_local_day(request.now, zone_name))
    zone = ZoneInfo(zone_name)
    page = slots.list_slots(
        center_id,
        datetime.combine(first, time(), zone),
        datetime.combine(last + timedelta(days=1), time(), zone) - _MINUTE,
        referral_id=query.referral_id,
        mode=query.mode,
        member=request.member,
        context=request.context,
    )
    return ApiResponse(body=to_slot_page_response(page, now=request.now))


@declare_endpoint("POST", "/v1/centers/{center_id}/slots", status=201, needs_idempotency_key=True)
def publish_slots(request: ApiRequest, center_id: str, body: NewSlotsRequest) -> ApiResponse[PublishedSlotsResponse]:
    """Publish one consultation time, or a list of them (treatment centers)."""
    new_slots, pointer = list_new_slots(body)

    def build_response(page: SlotPage) -> StoredResponse:
        return StoredResponse(status=201, headers={}, body=to_published_slots_response(page, now=request.now))

    stored = slots.publish_slots(
        center_id,
        new_slots,
        pointer=pointer,
        member=request.member,
        request=request.idempotent_request,
        build_response=build_response,
        context=request.context,
    )
    return from_stored_response(stored)


@declare_endpoint("DELETE", "/v1/centers/{center_id}/slots/{slot_id}", status=204, needs_if_match=True)
def remove_slot(request: ApiRequest, center_id: str, slot_id: str) -> ApiResponse[None]:
    """Remove a consultation time that no one has booked (treatment centers)."""
    slots.remove_slot(center_id, slot_id, version=request.version, member=request.member, context=request.context)
    return ApiResponse(body=None, status=204)
