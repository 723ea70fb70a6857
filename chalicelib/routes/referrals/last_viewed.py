"""Saying that one has looked at a referral."""

from chalice import Blueprint

from chalicelib.routes.platform.endpoint import ApiResponse, declare_endpoint
from chalicelib.routes.platform.request import ApiRequest
from chalicelib.services.referrals import unread as news

blueprint = Blueprint(__name__)


@declare_endpoint(blueprint, "PUT", "/v1/referrals/{referral_id}/look", status=204, needs_if_match=True)
def look_at_referral(request: ApiRequest, referral_id: str) -> ApiResponse:
    """Say that one has seen a version of a referral: up to it, nothing is news any more."""
    news.mark_viewed(referral_id, version=request.version, member=request.member, context=request.context)
    return ApiResponse(status=204)
