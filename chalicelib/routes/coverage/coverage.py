"""The coverage of a referral: read it, and record its moves."""

from chalicelib import wiring
from chalicelib.domain.referrals.referral import Referral
from chalicelib.routes.coverage.move_bodies import CoverageMoveBody, read_move
from chalicelib.routes.coverage.responses import CoverageResponse, build_coverage_etag, to_coverage_response
from chalicelib.routes.platform.endpoint import ApiResponse, declare_endpoint
from chalicelib.routes.platform.request import ApiRequest
from chalicelib.services.coverage.moves import CoverageView, read_coverage, record_move
from chalicelib.services.referrals.consent_checks import get_practice_day


@declare_endpoint("GET", "/v1/referrals/{referral_id}/coverage")
def get_coverage(request: ApiRequest, referral_id: str) -> ApiResponse[CoverageResponse]:
    """Get the coverage of a referral: states, facts, deadlines, what is left to verify, and its history."""
    return _respond(read_coverage(referral_id, member=request.member, context=request.context), request)


@declare_endpoint("PATCH", "/v1/referrals/{referral_id}/coverage", needs_if_match=True)
def record_coverage_move(
    request: ApiRequest, referral_id: str, body: CoverageMoveBody
) -> ApiResponse[CoverageResponse]:
    """Record one move of the coverage, such as a result, a submission, a denial or the clearance."""
    name, facts = read_move(body)
    view = record_move(
        referral_id, name, facts, version=request.version, member=request.member, context=request.context
    )
    return _respond(view, request)


def _respond(view: CoverageView, request: ApiRequest) -> ApiResponse[CoverageResponse]:
    body = to_coverage_response(
        view,
        request.member,
        today=get_practice_day(view.referral.practice_id, context=request.context),
        time_zone=_get_center_zone(view.referral),
    )
    return ApiResponse(body=body, headers=build_coverage_etag(view.track))


def _get_center_zone(referral: Referral) -> str:
    center = wiring.get_stores().tenants.get_center(referral.center_id)
    return center.tenant.time_zone if center else "UTC"
