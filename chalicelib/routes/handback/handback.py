"""The hand-back, and the follow-up after it."""

import json

from chalice import Blueprint

from chalicelib import wiring
from chalicelib.errors import NotFoundError
from chalicelib.routes.handback import ical
from chalicelib.routes.handback import response_schemas as shapes
from chalicelib.routes.handback.request_bodies import HandbackBody
from chalicelib.routes.handback.responses import build_handback_etag, to_follow_up_response, to_handback_response
from chalicelib.routes.platform.endpoint import ApiResponse, declare_endpoint, from_stored_response
from chalicelib.routes.platform.operations import RouteAccess
from chalicelib.routes.platform.request import ApiRequest
from chalicelib.routes.platform.timestamps import format_timestamp
from chalicelib.services.handback import calendar as follow_ups
from chalicelib.services.handback import package as handbacks
from chalicelib.services.platform.rate_limit import enforce_rate_limit
from chalicelib.store.webhooks.idempotency import StoredResponse

blueprint = Blueprint(__name__)

_ICS_SUFFIX = ".ics"


@declare_endpoint(blueprint, "GET", "/v1/referrals/{referral_id}/handback", response_schema=shapes.HandbackShape)
def read_handback(request: ApiRequest, referral_id: str) -> ApiResponse:
    """Read the hand-back package, or what a center may start one from."""
    read = handbacks.read_handback(referral_id, member=request.member, action="handback.read", context=request.context)
    response = to_handback_response(read, request.member)
    if response["may_write"] and read.handback is None:
        response["proposal"] = handbacks.propose_package(read.referral, context=request.context)
    return ApiResponse(body=response, headers=build_handback_etag(read))


@declare_endpoint(
    blueprint, "PUT", "/v1/referrals/{referral_id}/handback", response_schema=shapes.HandbackShape, needs_if_match=True
)
def write_handback(request: ApiRequest, referral_id: str, body: HandbackBody) -> ApiResponse:
    """Write the hand-back package, or correct it; the practice is told."""
    read = handbacks.write_handback(
        referral_id,
        json.loads(body.model_dump_json()),
        version=request.version,
        member=request.member,
        context=request.context,
    )
    return ApiResponse(body=to_handback_response(read, request.member), headers=build_handback_etag(read))


@declare_endpoint(blueprint, "GET", "/v1/referrals/{referral_id}/follow-up", response_schema=shapes.FollowUpShape)
def read_follow_up(request: ApiRequest, referral_id: str) -> ApiResponse:
    """Read the dated days after an infusion, and the emergency card."""
    return ApiResponse(body=to_follow_up_response(_read_follow_up(request, referral_id)))


@declare_endpoint(blueprint, "GET", "/v1/referrals/{referral_id}/follow-up.ics")
def read_follow_up_file(request: ApiRequest, referral_id: str) -> ApiResponse:
    """Take the same days as an iCalendar file, in neutral words."""
    follow_up = _read_follow_up(request, referral_id)
    entries = ((follow_up.referral, day) for day in follow_up.dates)
    return ical.build_calendar(entries, name="follow-up")


@declare_endpoint(blueprint, "GET", "/v1/me/calendar", response_schema=shapes.CalendarShape)
def read_calendar(request: ApiRequest) -> ApiResponse:
    """Ask whether one has a calendar feed."""
    made_at = wiring.get_stores().calendar_feeds.get_created_at(request.member.member_id)
    return ApiResponse(body={"active": made_at is not None, "made_at": format_timestamp(made_at) if made_at else None})


@declare_endpoint(
    blueprint,
    "POST",
    "/v1/me/calendar",
    response_schema=shapes.CalendarAddressShape,
    status=201,
    needs_idempotency_key=True,
)
def make_calendar(request: ApiRequest) -> ApiResponse:
    """Make the secret address of one's own calendar feed; the one before it ends."""
    base = f"{wiring.get_settings().public_url}/v1/calendars/"
    answered = follow_ups.create_calendar_address(
        member=request.member,
        request=request.idempotent_request,
        build_response=lambda address: StoredResponse(
            status=201,
            headers={},
            body={"url": f"{base}{address}{_ICS_SUFFIX}", "made_at": format_timestamp(request.now)},
        ),
        context=request.context,
    )
    return from_stored_response(answered)


@declare_endpoint(blueprint, "DELETE", "/v1/me/calendar", status=204)
def end_calendar(request: ApiRequest) -> ApiResponse:
    """End one's own calendar feed. An address that got about must end at once: no If-Match."""
    follow_ups.revoke_calendar_address(member=request.member, context=request.context)
    return ApiResponse(status=204)


@declare_endpoint(blueprint, "GET", "/v1/calendars/{calendar}", access=RouteAccess.PUBLIC)
def read_feed(request: ApiRequest, calendar: str) -> ApiResponse:
    """Read a calendar feed by its secret address, as calendar programs do."""
    if not calendar.endswith(_ICS_SUFFIX):
        raise NotFoundError
    address = calendar.removesuffix(_ICS_SUFFIX)
    limit = wiring.get_member_rate_limit()
    # Only whoever has the address draws on its allowance: others cannot use it up.
    entries = follow_ups.read_calendar_feed(address, context=request.context)
    enforce_rate_limit(f"calendar#{address.partition('.')[0]}", limit, context=request.context)
    return ical.build_calendar(((follow_up.referral, day) for follow_up, day in entries), name="follow-up")


def _read_follow_up(request: ApiRequest, referral_id: str) -> follow_ups.FollowUp:
    return follow_ups.read_follow_up(referral_id, member=request.member, context=request.context)
