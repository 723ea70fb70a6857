"""The product of a referral as the API returns it."""

from chalicelib import catalog, wiring
from chalicelib.domain.referrals.referral import Referral
from chalicelib.routes.referrals.referral_part_types import ProductResponse
from chalicelib.services.referrals.product_checks import is_offered


def to_product_response(referral: Referral) -> ProductResponse:
    """The products that the practice and the center named, and the one that counts."""
    products, current = referral.status.products, referral.current_product_id
    known = catalog.load_products().get(current or "")
    stores = wiring.get_stores()
    return {
        "requested": referral.product_id,
        "planned": products.planned,
        "given": products.given,
        "current": current,
        "name": known.name if known else None,
        "is_listed": is_offered(current, referral.center_id, stores=stores) if current else None,
        "offered": [each for each in catalog.load_products() if is_offered(each, referral.center_id, stores=stores)],
    }
