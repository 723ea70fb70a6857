"""The eligibility check (in the API: screen). It stores nothing and decides nothing."""

from chalicelib.routes.eligibility.request_bodies import ScreenRequest
from chalicelib.routes.eligibility.responses import ScreenResponse, to_screen_response
from chalicelib.routes.platform.endpoint import ApiResponse, declare_endpoint
from chalicelib.routes.platform.request import ApiRequest
from chalicelib.services.referrals.access import require_practice


@declare_endpoint("POST", "/v1/screens")
def screen_patient(request: ApiRequest, body: ScreenRequest) -> ApiResponse[ScreenResponse]:
    """Compare a patient's history with label criteria; nothing is stored or decided."""
    # The first check loads the rules and the label data, not every function that starts.
    from chalicelib.routes.eligibility.screen_input import to_screen_input  # noqa: PLC0415
    from chalicelib.services.eligibility.screen import screen_with_catalog  # noqa: PLC0415

    require_practice(request.member)
    screening = screen_with_catalog(to_screen_input(body), today=request.now.date())
    return ApiResponse(body=to_screen_response(screening))
