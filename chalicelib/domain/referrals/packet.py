"""What a center needs on day 1 before a referral can be submitted, and what it is glad of.

Source: what public referral guides ask for (carthope.com, Bristol Myers Squibb and Kite pages
for referring providers, as gathered by 2026-04), put together by this product.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from chalicelib.domain.referrals.referral import Referral
from chalicelib.errors import Fault, RefusedError


class Item(NamedTuple):
    """One thing of the packet: where it stands and how a person calls it."""

    pointer: str
    label: str


NEEDED: tuple[Item, ...] = (
    Item("/patient/given_name", "Patient's given name"),
    Item("/patient/family_name", "Patient's family name"),
    Item("/patient/birth_date", "Patient's date of birth"),
    Item("/patient/sex", "Patient's sex"),
    Item("/patient/zip", "Patient's ZIP code"),
    Item("/patient/phone", "Patient's phone"),
    Item("/clinical/disease", "Disease"),
    Item("/clinical/histology", "Histology"),
    Item("/clinical/ecog", "ECOG performance status"),
    Item("/clinical/prior_lines", "At least one line of therapy"),
    Item("/referring_provider/name", "Referring provider's name"),
    Item("/referring_provider/npi", "Referring provider's NPI"),
    Item("/referring_provider/phone", "Referring provider's phone"),
    Item("/insurance/payer", "Payer"),
    Item("/insurance/member_id", "Insurance member id"),
    Item("/consent_to_share/given", "The patient's consent to share"),
    Item("/center_id", "Treatment center"),
)

WANTED: tuple[Item, ...] = (
    Item("/patient/mrn", "Medical record number"),
    Item("/patient/language", "Patient's language"),
    Item("/patient/caregiver", "Caregiver"),
    Item("/clinical/icd10", "ICD-10-CM code"),
    Item("/clinical/hsct_eligible", "Transplant eligibility"),
    Item("/clinical/flags", "Safety flags"),
    Item("/referring_provider/email", "Referring provider's email"),
    Item("/product_id", "Product that is thought of"),
)


def missing(packet: Mapping[str, Any], items: Sequence[Item] = NEEDED) -> list[Item]:
    """The items that are absent, empty, or (for consent) not given."""
    return [item for item in items if _value(packet, item.pointer) in (None, "", [], {}, False)]


def require_complete(packet: Mapping[str, Any]) -> None:
    """Refuse to submit what a center could not work with.

    Raises:
        RefusedError: names every missing item at once.
    """
    absent = missing(packet)
    if absent:
        faults = [Fault(item.pointer, "missing", f"{item.label} is missing") for item in absent]
        raise RefusedError(
            "packet_incomplete", "The center needs more before it can start.", faults=faults
        )


def packet_of(referral: Referral) -> Mapping[str, Any]:
    """The referral as the packet rules look at it."""
    return {
        **referral.details,
        "center_id": referral.center_id,
        "product_id": referral.product_id,
    }


def _value(packet: Mapping[str, Any], pointer: str) -> object:
    value: Any = packet
    for key in pointer.removeprefix("/").split("/"):
        value = value.get(key) if isinstance(value, Mapping) else None
    # An answer of "no" is an answer everywhere but for consent; so is ECOG 0.
    if value is False and pointer != "/consent_to_share/given":
        return "no"
    return "0" if value == 0 and value is not False else value
