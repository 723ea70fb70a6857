"""What everyone signed in may look up: products, centers, and the statements."""

from chalice import Blueprint

from chalicelib import catalog, wiring
from chalicelib.domain.eligibility.disclaimers import DISCLAIMERS, EMERGENCY_NOTE
from chalicelib.errors import NotFoundError
from chalicelib.routes import response_schemas as shapes
from chalicelib.routes.platform.endpoint import ApiResponse, declare_endpoint
from chalicelib.routes.platform.operations import RouteAccess
from chalicelib.routes.platform.query_params import CenterQuery
from chalicelib.routes.platform.request import ApiRequest
from chalicelib.routes.referrals import responses as views

blueprint = Blueprint(__name__)


@declare_endpoint(blueprint, "GET", "/v1/statements", response_schema=shapes.StatementsShape, access=RouteAccess.PUBLIC)
def read_statements(request: ApiRequest) -> ApiResponse:  # noqa: ARG001 every view is called alike
    """Read the statements that are always on screen."""
    return ApiResponse(
        body={"statements": list(DISCLAIMERS), "emergency_note": EMERGENCY_NOTE},
        headers={"Cache-Control": "public, max-age=300"},
    )


@declare_endpoint(blueprint, "GET", "/v1/products", response_schema=shapes.ProductListShape)
def list_products(request: ApiRequest) -> ApiResponse:  # noqa: ARG001 as above
    """Read the catalogue of CAR T products, with its dates and sources."""
    return ApiResponse(body={"items": [dict(p.facts) for p in catalog.load_products().values()]})


@declare_endpoint(blueprint, "GET", "/v1/centers", response_schema=shapes.CenterPageShape)
def list_centers(request: ApiRequest, query: CenterQuery) -> ApiResponse:
    """Find centers near a ZIP code, by name, and by what they offer; in a neutral order."""
    # Importing it first here keeps it and the ZIP codes out of every cold start.
    from chalicelib.routes.centers import search as center_search  # noqa: PLC0415

    return center_search.build_center_page(request, query)


@declare_endpoint(blueprint, "GET", "/v1/centers/{center_id}", response_schema=shapes.CenterShape)
def read_center(request: ApiRequest, center_id: str) -> ApiResponse:  # noqa: ARG001 as above
    """Read one center of the directory."""
    center = wiring.get_stores().tenants.get_center(center_id)
    if center is None:
        raise NotFoundError
    return ApiResponse(body=views.to_center_response(center))
