"""Marking a referral as viewed."""

from chalicelib.routes.platform.endpoint import ApiResponse, declare_endpoint
from chalicelib.routes.platform.request import ApiRequest
from chalicelib.services.referrals import unread


@declare_endpoint("PUT", "/v1/referrals/{referral_id}/look", status=204, needs_if_match=True)
def mark_referral_viewed(request: ApiRequest, referral_id: str) -> ApiResponse[None]:
    """Mark a referral as viewed at a version."""
    unread.mark_viewed(referral_id, version=request.version, member=request.member, context=request.context)
    return ApiResponse(body=None, status=204)
