"""Whether the center offers the product that its people name, according to the directory."""

from chalicelib.domain.referrals.events import Corrected, ReferralEvent
from chalicelib.domain.referrals.named_products import get_named_product
from chalicelib.domain.referrals.referral import Referral
from chalicelib.errors import FieldError, MalformedError
from chalicelib.store.all_stores import Stores


def is_offered(product_id: str, center_id: str | None, *, stores: Stores) -> bool:
    """Whether the directory lists a product for a center. True if the directory lists none at all."""
    center = stores.tenants.get_center(center_id)
    offers = center.listing.get("products") if center else None
    return not offers or product_id in {offer["product_id"] for offer in offers}


def check_product(referral: Referral, event: ReferralEvent, *, stores: Stores) -> MalformedError | None:
    """Build the error for a person who names a product that the center does not offer.

    A product that the center's system named before is accepted: what was given is a fact, even if the
    directory is out of date.
    """
    product_id = get_named_product(event)
    known = {referral.status.products.planned, referral.status.products.given}
    if product_id is None or product_id in known or is_offered(product_id, referral.center_id, stores=stores):
        return None
    text = "Your center's directory entry does not list this product. Choose a listed product, or leave it empty."
    pointer = "/data/replacement/data/product_id" if isinstance(event, Corrected) else "/data/product_id"
    return MalformedError("product_not_offered", text, errors=[FieldError(pointer, "product_not_offered", text)])
