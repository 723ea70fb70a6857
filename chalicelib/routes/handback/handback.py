"""The hand-back, and the follow-up after it."""

import json

from chalice import Blueprint

from chalicelib import wiring
from chalicelib.errors import NotFoundError
from chalicelib.routes.handback import ical
from chalicelib.routes.handback import response_schemas as shapes
from chalicelib.routes.handback.request_bodies import HandbackBody
from chalicelib.routes.handback.responses import etag, follow_up_told, handback_told
from chalicelib.routes.platform.endpoint import Reply, endpoint, replied
from chalicelib.routes.platform.operations import Access
from chalicelib.routes.platform.request import Call
from chalicelib.routes.platform.timestamps import instant
from chalicelib.services.handback import calendar as follow_ups
from chalicelib.services.handback import package as handbacks
from chalicelib.services.platform.rate_limit import require_room
from chalicelib.store.webhooks.idempotency import Answer

blueprint = Blueprint(__name__)

_FILE = ".ics"


@endpoint(blueprint, "GET", "/v1/referrals/{referral_id}/handback", returns=shapes.HandbackShape)
def read_handback(call: Call, referral_id: str) -> Reply:
    """Read the hand-back package, or what a center may start one from."""
    stores = wiring.stores()
    read = handbacks.read(
        referral_id, member=call.member, action="handback.read", stores=stores, now=call.now
    )
    told = handback_told(read, call.member)
    if told["may_write"] and read.handback is None:
        told["proposal"] = handbacks.proposal(read.referral, stores=stores, now=call.now)
    return Reply(body=told, headers=etag(read))


@endpoint(
    blueprint,
    "PUT",
    "/v1/referrals/{referral_id}/handback",
    returns=shapes.HandbackShape,
    matched=True,
)
def write_handback(call: Call, referral_id: str, body: HandbackBody) -> Reply:
    """Write the hand-back package, or correct it; the practice is told."""
    read = handbacks.write(
        referral_id,
        json.loads(body.model_dump_json()),
        version=call.version,
        member=call.member,
        stores=wiring.stores(),
        now=call.now,
    )
    return Reply(body=handback_told(read, call.member), headers=etag(read))


@endpoint(blueprint, "GET", "/v1/referrals/{referral_id}/follow-up", returns=shapes.FollowUpShape)
def read_follow_up(call: Call, referral_id: str) -> Reply:
    """Read the dated days after an infusion, and the emergency card."""
    return Reply(body=follow_up_told(_follow_up(call, referral_id)))


@endpoint(blueprint, "GET", "/v1/referrals/{referral_id}/follow-up.ics")
def read_follow_up_file(call: Call, referral_id: str) -> Reply:
    """Take the same days as an iCalendar file, in neutral words."""
    follow_up = _follow_up(call, referral_id)
    entries = ((follow_up.referral, day) for day in follow_up.days)
    return ical.calendar(entries, name="follow-up")


@endpoint(blueprint, "GET", "/v1/me/calendar", returns=shapes.CalendarShape)
def read_calendar(call: Call) -> Reply:
    """Ask whether one has a calendar feed."""
    made_at = wiring.stores().calendars.since(call.member.member_id)
    return Reply(
        body={"active": made_at is not None, "made_at": instant(made_at) if made_at else None}
    )


@endpoint(
    blueprint,
    "POST",
    "/v1/me/calendar",
    returns=shapes.CalendarAddressShape,
    status=201,
    keyed=True,
)
def make_calendar(call: Call) -> Reply:
    """Make the secret address of one's own calendar feed; the one before it ends."""
    base = f"{wiring.settings().public_url}/v1/calendars/"
    answered = follow_ups.make_address(
        member=call.member,
        request=call.as_request,
        answer=lambda address: Answer(
            status=201,
            headers={},
            body={"url": f"{base}{address}{_FILE}", "made_at": instant(call.now)},
        ),
        stores=wiring.stores(),
        now=call.now,
    )
    return replied(answered)


@endpoint(blueprint, "DELETE", "/v1/me/calendar", status=204)
def end_calendar(call: Call) -> Reply:
    """End one's own calendar feed. An address that got about must end at once: no If-Match."""
    follow_ups.end_address(member=call.member, stores=wiring.stores(), now=call.now)
    return Reply(status=204)


@endpoint(blueprint, "GET", "/v1/calendars/{calendar}", access=Access.PUBLIC)
def read_feed(call: Call, calendar: str) -> Reply:
    """Read a calendar feed by its secret address, as calendar programs do."""
    if not calendar.endswith(_FILE):
        raise NotFoundError
    address = calendar.removesuffix(_FILE)
    stores, limit = wiring.stores(), wiring.member_limit()
    # Only whoever has the address draws on its allowance: others cannot use it up.
    entries = follow_ups.feed(address, stores=stores, now=call.now)
    require_room(f"calendar#{address.partition('.')[0]}", limit, stores=stores, now=call.now)
    return ical.calendar(
        ((follow_up.referral, day) for follow_up, day in entries), name="follow-up"
    )


def _follow_up(call: Call, referral_id: str) -> follow_ups.FollowUp:
    return follow_ups.read(referral_id, member=call.member, stores=wiring.stores(), now=call.now)
