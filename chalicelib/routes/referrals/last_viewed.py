"""Saying that one has looked at a referral."""

from chalice import Blueprint

from chalicelib import wiring
from chalicelib.routes.platform.endpoint import Reply, endpoint
from chalicelib.routes.platform.request import Call
from chalicelib.services.referrals import unread as news

blueprint = Blueprint(__name__)


@endpoint(blueprint, "PUT", "/v1/referrals/{referral_id}/look", status=204, matched=True)
def look_at_referral(call: Call, referral_id: str) -> Reply:
    """Say that one has seen a version of a referral: up to it, nothing is news any more."""
    news.look(
        referral_id,
        version=call.version,
        member=call.member,
        stores=wiring.stores(),
        now=call.now,
    )
    return Reply(status=204)
