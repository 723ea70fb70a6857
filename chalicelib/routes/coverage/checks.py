"""Electronic benefits checks: request one, and read what came of them."""

from collections.abc import Sequence

from chalicelib import wiring
from chalicelib.domain.coverage.checks import CoverageCheck
from chalicelib.domain.coverage.payers import PayerSetup
from chalicelib.routes.coverage.check_responses import (
    CoverageCheckResponse,
    CoverageChecksResponse,
    to_check_response,
)
from chalicelib.routes.platform.endpoint import ApiResponse, declare_endpoint, from_stored_response
from chalicelib.routes.platform.request import ApiRequest
from chalicelib.services.coverage.checks import NewCheck, list_checks, request_check
from chalicelib.store.platform.idempotency import StoredResponse


@declare_endpoint("POST", "/v1/referrals/{referral_id}/coverage-checks", status=202, needs_idempotency_key=True)
def request_coverage_check(request: ApiRequest, referral_id: str) -> ApiResponse[CoverageCheckResponse]:
    """Request an electronic benefits check; it is answered at once and completed later."""
    stored = request_check(
        referral_id,
        NewCheck(
            check_id=wiring.generate_id("chk"),
            trace_id=_generate_trace_id(),
            list_payers=_list_payers,
        ),
        member=request.member,
        request=request.idempotent_request,
        build_response=_build_response,
        context=request.context,
    )
    return from_stored_response(stored)


@declare_endpoint("GET", "/v1/referrals/{referral_id}/coverage-checks")
def list_coverage_checks(request: ApiRequest, referral_id: str) -> ApiResponse[CoverageChecksResponse]:
    """List the electronic benefits checks of a referral, newest first."""
    _, checks = list_checks(referral_id, member=request.member, context=request.context)
    return ApiResponse(body={"items": [to_check_response(check) for check in checks]})


def _list_payers() -> Sequence[PayerSetup]:
    return wiring.ConfiguredPayers().list_payers()


def _generate_trace_id() -> str:
    """A random id in the characters and the length that a payer repeats: 26 of at most 30."""
    return wiring.generate_id("").lstrip("_").upper()


def _build_response(check: CoverageCheck, status: int) -> StoredResponse:
    return StoredResponse(status=status, headers={}, body=to_check_response(check))
