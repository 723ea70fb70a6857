"""What every signed-in member can look up: products, centers, and the disclaimers."""

from chalicelib import catalog, wiring
from chalicelib.domain.eligibility.disclaimers import (
    DISCLAIMERS,
    DISCLAIMERS_IN_SHORT,
    EMERGENCY_NOTE,
    EMERGENCY_NOTE_IN_SHORT,
)
from chalicelib.errors import NotFoundError
from chalicelib.routes.centers.responses import (
    CenterPageResponse,
    CenterResponse,
    DisclaimersResponse,
    ProductListResponse,
    to_center_response,
)
from chalicelib.routes.platform.endpoint import ApiResponse, declare_endpoint
from chalicelib.routes.platform.label_responses import to_label_response
from chalicelib.routes.platform.operations import RouteAccess
from chalicelib.routes.platform.query_params import CenterQuery
from chalicelib.routes.platform.request import ApiRequest
from chalicelib.routes.site_texts import load_sign_in_notice, load_titles


@declare_endpoint("GET", "/v1/statements", access=RouteAccess.PUBLIC)
def read_disclaimers(request: ApiRequest) -> ApiResponse[DisclaimersResponse]:  # noqa: ARG001 all views take it
    """Get the statements and the links shown on every page, and the notice of the sign-in page."""
    return ApiResponse(
        body={
            "statements": list(DISCLAIMERS),
            "statements_in_short": DISCLAIMERS_IN_SHORT,
            "emergency_note": EMERGENCY_NOTE,
            "emergency_note_in_short": EMERGENCY_NOTE_IN_SHORT,
            "texts": [{"title": title, "path": f"legal/{name}"} for name, title in load_titles().items()],
            "sign_in_notice": load_sign_in_notice(),
        },
        headers={"Cache-Control": "public, max-age=300"},
    )


@declare_endpoint("GET", "/v1/products")
def list_products(request: ApiRequest) -> ApiResponse[ProductListResponse]:
    """Get the CAR T product catalog with dates and sources."""
    today = request.now.date()
    return ApiResponse(
        body={
            "items": [
                {
                    **product.facts,
                    "label": to_label_response(product, "indications", "monitoring", "warnings", today=today),
                }
                for product in catalog.load_products().values()
            ]
        }
    )


@declare_endpoint("GET", "/v1/centers")
def list_centers(request: ApiRequest, query: CenterQuery) -> ApiResponse[CenterPageResponse]:
    """Find centers by ZIP code, name, or services, in a neutral order."""
    # Imported here to keep it and the ZIP codes out of every cold start.
    from chalicelib.routes.centers import search as center_search  # noqa: PLC0415

    return center_search.build_center_page(request, query)


@declare_endpoint("GET", "/v1/centers/{center_id}")
def read_center(request: ApiRequest, center_id: str) -> ApiResponse[CenterResponse]:  # noqa: ARG001 as above
    """Get one center."""
    center = wiring.get_stores().tenants.get_center(center_id)
    if center is None:
        raise NotFoundError
    return ApiResponse(body=to_center_response(center))
