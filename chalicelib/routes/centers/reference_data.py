"""What everyone signed in may look up: products, centers, and the statements."""

from chalice import Blueprint

from chalicelib import catalogue, wiring
from chalicelib.domain.eligibility.disclaimers import EMERGENCY_NOTE, STATEMENTS
from chalicelib.errors import NotFoundError
from chalicelib.routes import response_schemas as shapes
from chalicelib.routes.platform.endpoint import Reply, endpoint
from chalicelib.routes.platform.operations import Access
from chalicelib.routes.platform.query_params import CenterQuery
from chalicelib.routes.platform.request import Call
from chalicelib.routes.referrals import responses as views

blueprint = Blueprint(__name__)


@endpoint(
    blueprint,
    "GET",
    "/v1/statements",
    returns=shapes.StatementsShape,
    access=Access.PUBLIC,
)
def read_statements(call: Call) -> Reply:  # noqa: ARG001 every view is called alike
    """Read the statements that are always on screen."""
    return Reply(
        body={"statements": list(STATEMENTS), "emergency_note": EMERGENCY_NOTE},
        headers={"Cache-Control": "public, max-age=300"},
    )


@endpoint(blueprint, "GET", "/v1/products", returns=shapes.ProductListShape)
def list_products(call: Call) -> Reply:  # noqa: ARG001 as above
    """Read the catalogue of CAR T products, with its dates and sources."""
    return Reply(body={"items": [dict(p.facts) for p in catalogue.products().values()]})


@endpoint(blueprint, "GET", "/v1/centers", returns=shapes.CenterPageShape)
def list_centers(call: Call, query: CenterQuery) -> Reply:
    """Find centers near a ZIP code, by name, and by what they offer; in a neutral order."""
    # Importing it first here keeps it and the ZIP codes out of every cold start.
    from chalicelib.routes.centers import search as center_search  # noqa: PLC0415

    return center_search.page(call, query)


@endpoint(blueprint, "GET", "/v1/centers/{center_id}", returns=shapes.CenterShape)
def read_center(call: Call, center_id: str) -> Reply:  # noqa: ARG001 as above
    """Read one center of the directory."""
    center = wiring.stores().tenants.center(center_id)
    if center is None:
        raise NotFoundError
    return Reply(body=views.center_told(center))
