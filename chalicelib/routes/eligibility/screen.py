"""The potential-eligibility screen. It stores nothing and decides nothing."""

from chalice import Blueprint

from chalicelib.routes.eligibility import response_schemas as screen_shapes
from chalicelib.routes.platform.endpoint import Reply, endpoint
from chalicelib.routes.platform.request import Call
from chalicelib.routes.referrals.request_bodies import ScreenBody
from chalicelib.services.referrals.access import require_practice

blueprint = Blueprint(__name__)


@endpoint(blueprint, "POST", "/v1/screens", returns=screen_shapes.ScreeningShape)
def screen_patient(call: Call, body: ScreenBody) -> Reply:
    """Hold a patient's history against the labels' criteria; nothing is stored or decided."""
    # Rules and label data are read by the first screen, not by every function that starts.
    from chalicelib.routes.eligibility import responses as screen_views  # noqa: PLC0415
    from chalicelib.services.eligibility import screen as screens  # noqa: PLC0415

    require_practice(call.member)
    screening = screens.screened(screen_views.entered(body), today=call.now.date())
    return Reply(body=screen_views.screening_told(screening))
