"""The potential-eligibility screen. It stores nothing and decides nothing."""

from chalice import Blueprint

from chalicelib.routes.eligibility import response_schemas as screen_shapes
from chalicelib.routes.platform.endpoint import ApiResponse, declare_endpoint
from chalicelib.routes.platform.request import ApiRequest
from chalicelib.routes.referrals.request_bodies import ScreenBody
from chalicelib.services.referrals.access import require_practice

blueprint = Blueprint(__name__)


@declare_endpoint(blueprint, "POST", "/v1/screens", response_schema=screen_shapes.ScreeningShape)
def screen_patient(request: ApiRequest, body: ScreenBody) -> ApiResponse:
    """Hold a patient's history against the labels' criteria; nothing is stored or decided."""
    # Rules and label data are read by the first screen, not by every function that starts.
    from chalicelib.routes.eligibility import responses as screen_views  # noqa: PLC0415
    from chalicelib.services.eligibility import screen as screens  # noqa: PLC0415

    require_practice(request.member)
    screening = screens.screen_with_catalog(screen_views.to_screen_input(body), today=request.now.date())
    return ApiResponse(body=screen_views.to_screen_response(screening))
