"""The product that a report names: it must be in the catalog, and the stage must be one that names a product."""

import re
from typing import Any

from chalicelib import catalog
from chalicelib.domain.referrals.events import Corrected, ReferralEvent, StageChange
from chalicelib.domain.referrals.named_products import FIELD_BY_STAGE
from chalicelib.errors import FieldError, MalformedError

_POINTER = "/data/product_id"
_POINTER_OF_REPLACEMENT = "/data/replacement/data/product_id"


def require_valid_product(event: ReferralEvent) -> None:
    """Check the product that a report names, if it names one.

    Raises:
        MalformedError: the product is not in the catalog, or the stage names no product.
    """
    change = event.replacement if isinstance(event, Corrected) else event
    if not isinstance(change, StageChange) or change.product_id is None:
        return
    if change.stage not in FIELD_BY_STAGE:
        text = "Name the product only with the decision to proceed or with the infusion."
        raise _build_error(event, "product_not_expected", text)
    if change.product_id not in catalog.load_products():
        raise _build_error(event, "unknown_reference", "Choose a product from the list.")


def _build_error(event: ReferralEvent, code: str, text: str) -> MalformedError:
    pointer = _POINTER_OF_REPLACEMENT if isinstance(event, Corrected) else _POINTER
    return MalformedError(code, text, errors=[FieldError(pointer, code, text)])


def drop_product_of_other_stages(report: Any) -> tuple[str, ...]:
    """Remove the product from the body of a delivery whose stage names none, like a member we do not know.

    Returns:
        The JSON pointer to what was removed, to list it with the delivery.
    """
    data, pointer = _get_member(report, "data"), _POINTER
    if "replacement" in data:
        data, pointer = _get_member(_get_member(data, "replacement"), "data"), _POINTER_OF_REPLACEMENT
    if "product_id" not in data or data.get("stage") in [*FIELD_BY_STAGE]:
        return ()
    if not _is_well_formed(data["product_id"]):
        return ()  # It is refused like every value of a wrong type.
    del data["product_id"]
    return (pointer,)


def _is_well_formed(value: Any) -> bool:
    return value is None or (isinstance(value, str) and re.fullmatch(r"[a-z0-9_]{1,64}", value) is not None)


def _get_member(value: Any, name: str) -> dict[str, Any]:
    """A member that is an object; an empty object if it is anything else."""
    member = value.get(name)
    return member if isinstance(member, dict) else {}
