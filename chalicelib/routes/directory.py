"""What everyone signed in may look up: products, centers, and the statements."""

from chalice import Blueprint

from chalicelib import catalogue, wiring
from chalicelib.domain.statements import EMERGENCY_NOTE, STATEMENTS
from chalicelib.errors import NotFoundError
from chalicelib.routes import cursors, shapes, views
from chalicelib.routes.calls import Call
from chalicelib.routes.http import Reply, endpoint
from chalicelib.routes.operations import Access
from chalicelib.routes.queries import CenterQuery
from chalicelib.store.people import Center

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
    """Find centers by name, product and disease, in the neutral order of their names."""
    start = cursors.opened(query.cursor, call, query)
    found = [c for c in wiring.stores().tenants.centers().values() if _fits(c, query)]
    names = [center.center_id for center in found]
    first = names.index(start["center_id"]) + 1 if start and start["center_id"] in names else 0
    shown = found[first : first + query.limit]
    more = first + query.limit < len(found)
    position = {"center_id": shown[-1].center_id} if more else None
    return cursors.page([views.center_told(c) for c in shown], position, call, query)


@endpoint(blueprint, "GET", "/v1/centers/{center_id}", returns=shapes.CenterShape)
def read_center(call: Call, center_id: str) -> Reply:  # noqa: ARG001 as above
    """Read one center of the directory."""
    center = wiring.stores().tenants.center(center_id)
    if center is None:
        raise NotFoundError
    return Reply(body=views.center_told(center))


def _fits(center: Center, query: CenterQuery) -> bool:
    offered = center.facts.get("products", [])
    fits_product = query.product is None or any(p["product_id"] == query.product for p in offered)
    fits_disease = query.disease is None or any(
        query.disease in p["diseases"] for p in offered if query.product in (None, p["product_id"])
    )
    named = f"{center.tenant.name} {center.facts.get('city', '')} {center.facts.get('state', '')}"
    fits_words = not query.q or query.q.casefold() in named.casefold()
    return fits_product and fits_disease and fits_words
