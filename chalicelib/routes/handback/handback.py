"""The transition-of-care summary (in the API: handback), and the follow-up dates after it."""

import json

from chalicelib import wiring
from chalicelib.errors import NotFoundError
from chalicelib.routes.handback import ical
from chalicelib.routes.handback.request_bodies import HandbackRequest
from chalicelib.routes.handback.responses import (
    CalendarAddressResponse,
    CalendarFeedResponse,
    FollowUpResponse,
    HandbackResponse,
    build_handback_etag,
    to_follow_up_response,
    to_handback_response,
)
from chalicelib.routes.platform.conditional import with_content_tag
from chalicelib.routes.platform.endpoint import ApiResponse, declare_endpoint, from_stored_response
from chalicelib.routes.platform.operations import RouteAccess
from chalicelib.routes.platform.request import ApiRequest
from chalicelib.routes.platform.timestamps import format_timestamp
from chalicelib.services.handback import calendar as follow_ups
from chalicelib.services.handback import package as handbacks
from chalicelib.services.platform.rate_limit import enforce_rate_limit
from chalicelib.store.platform.idempotency import StoredResponse

_ICS_SUFFIX = ".ics"


@declare_endpoint("GET", "/v1/referrals/{referral_id}/handback")
def read_handback(request: ApiRequest, referral_id: str) -> ApiResponse[HandbackResponse]:
    """Get the transition-of-care summary, or a prefilled starting point."""
    view = handbacks.read_handback(referral_id, member=request.member, action="handback.read", context=request.context)
    response = to_handback_response(view, request.member)
    if response["may_write"] and view.handback is None:
        response["proposal"] = handbacks.propose_package(view.referral, context=request.context)
    return ApiResponse(body=response, headers=build_handback_etag(view))


@declare_endpoint("PUT", "/v1/referrals/{referral_id}/handback", needs_if_match=True)
def write_handback(request: ApiRequest, referral_id: str, body: HandbackRequest) -> ApiResponse[HandbackResponse]:
    """Save the transition-of-care summary; the practice is notified."""
    view = handbacks.write_handback(
        referral_id,
        json.loads(body.model_dump_json()),
        version=request.version,
        member=request.member,
        context=request.context,
    )
    return ApiResponse(body=to_handback_response(view, request.member), headers=build_handback_etag(view))


@declare_endpoint("GET", "/v1/referrals/{referral_id}/follow-up")
def read_follow_up(request: ApiRequest, referral_id: str) -> ApiResponse[FollowUpResponse]:
    """Get the follow-up dates after infusion and the emergency card."""
    return ApiResponse(body=to_follow_up_response(_read_follow_up(request, referral_id), now=request.now))


@declare_endpoint("GET", "/v1/referrals/{referral_id}/follow-up.ics")
def download_follow_up(request: ApiRequest, referral_id: str) -> ApiResponse[str]:
    """Download the planned and follow-up dates as an iCalendar file, without clinical details."""
    entries = follow_ups.read_calendar_file(referral_id, member=request.member, context=request.context)
    return ical.build_calendar(entries, name="follow-up")


@declare_endpoint("GET", "/v1/me/calendar")
def read_calendar(request: ApiRequest) -> ApiResponse[CalendarFeedResponse]:
    """Get the status of your calendar link."""
    made_at = wiring.get_stores().calendar_feeds.get_created_at(request.member.member_id)
    return ApiResponse(body={"active": made_at is not None, "made_at": format_timestamp(made_at) if made_at else None})


@declare_endpoint("POST", "/v1/me/calendar", status=201, needs_idempotency_key=True)
def create_calendar_feed(request: ApiRequest) -> ApiResponse[CalendarAddressResponse]:
    """Create your calendar link; an earlier link stops working."""

    def build_response(address: str) -> StoredResponse:
        url = f"{wiring.get_settings().public_url}/v1/calendars/{address}{_ICS_SUFFIX}"
        body: CalendarAddressResponse = {"url": url, "made_at": format_timestamp(request.now)}
        return StoredResponse(status=201, headers={}, body=body)

    stored = follow_ups.create_calendar_address(
        member=request.member,
        request=request.idempotent_request,
        build_response=build_response,
        context=request.context,
    )
    return from_stored_response(stored)


@declare_endpoint("DELETE", "/v1/me/calendar", status=204)
def delete_calendar_feed(request: ApiRequest) -> ApiResponse[None]:
    """Turn off your calendar link immediately; no If-Match needed."""
    # A link that leaked must stop working at once, so there is no version to check.
    follow_ups.revoke_calendar_address(member=request.member, context=request.context)
    return ApiResponse(body=None, status=204)


@declare_endpoint("GET", "/v1/calendars/{calendar}", access=RouteAccess.PUBLIC)
def read_calendar_feed(request: ApiRequest, calendar: str) -> ApiResponse[str]:
    """Get a calendar by its secret link, as calendar apps do."""
    if not calendar.endswith(_ICS_SUFFIX):
        raise NotFoundError
    address = calendar.removesuffix(_ICS_SUFFIX)
    limit = wiring.get_member_rate_limit()
    # Only requests with the right address count toward its rate limit: others cannot use it up.
    entries = follow_ups.read_calendar_feed(address, context=request.context)
    enforce_rate_limit(f"calendar#{address.partition('.')[0]}", limit, context=request.context)
    response = ical.build_calendar(entries, name="follow-up")
    return with_content_tag(response, request)


def _read_follow_up(request: ApiRequest, referral_id: str) -> follow_ups.FollowUp:
    return follow_ups.read_follow_up(referral_id, member=request.member, context=request.context)
