"""What a center needs on day 1 before a referral can be submitted, and what it is glad of.

Source: what public referral guides ask for (carthope.com, Bristol Myers Squibb and Kite pages
for referring providers, as gathered by 2026-04), put together by this product.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from chalicelib.domain.referrals.referral import Referral
from chalicelib.errors import ConflictError, FieldError


class PacketItem(NamedTuple):
    """One thing of the packet: where it stands and how a person calls it."""

    pointer: str
    label: str


REQUIRED_ITEMS: tuple[PacketItem, ...] = (
    PacketItem("/patient/given_name", "Patient's given name"),
    PacketItem("/patient/family_name", "Patient's family name"),
    PacketItem("/patient/birth_date", "Patient's date of birth"),
    PacketItem("/patient/sex", "Patient's sex"),
    PacketItem("/patient/zip", "Patient's ZIP code"),
    PacketItem("/patient/phone", "Patient's phone"),
    PacketItem("/clinical/disease", "Disease"),
    PacketItem("/clinical/histology", "Histology"),
    PacketItem("/clinical/ecog", "ECOG performance status"),
    PacketItem("/clinical/prior_lines", "At least one line of therapy"),
    PacketItem("/referring_provider/name", "Referring provider's name"),
    PacketItem("/referring_provider/npi", "Referring provider's NPI"),
    PacketItem("/referring_provider/phone", "Referring provider's phone"),
    PacketItem("/insurance/payer", "Payer"),
    PacketItem("/insurance/member_id", "Insurance member id"),
    PacketItem("/consent_to_share/given", "The patient's consent to share"),
    PacketItem("/center_id", "Treatment center"),
)

OPTIONAL_ITEMS: tuple[PacketItem, ...] = (
    PacketItem("/patient/mrn", "Medical record number"),
    PacketItem("/patient/language", "Patient's language"),
    PacketItem("/patient/caregiver", "Caregiver"),
    PacketItem("/clinical/icd10", "ICD-10-CM code"),
    PacketItem("/clinical/hsct_eligible", "Transplant eligibility"),
    PacketItem("/clinical/flags", "Safety flags"),
    PacketItem("/referring_provider/email", "Referring provider's email"),
    PacketItem("/product_id", "Product that is thought of"),
)


def list_missing_items(packet: Mapping[str, Any], items: Sequence[PacketItem] = REQUIRED_ITEMS) -> list[PacketItem]:
    """The items that are absent, empty, or (for consent) not given."""
    return [item for item in items if _read_pointer(packet, item.pointer) in (None, "", [], {}, False)]


def require_complete(packet: Mapping[str, Any]) -> None:
    """Refuse to submit what a center could not work with.

    Raises:
        RefusedError: names every missing item at once.
    """
    absent = list_missing_items(packet)
    if absent:
        faults = [FieldError(item.pointer, "missing", f"{item.label} is missing") for item in absent]
        raise ConflictError("packet_incomplete", "The center needs more before it can start.", errors=faults)


def build_packet(referral: Referral) -> Mapping[str, Any]:
    """The referral as the packet rules look at it."""
    return {**referral.details, "center_id": referral.center_id, "product_id": referral.product_id}


def _read_pointer(packet: Mapping[str, Any], pointer: str) -> object:
    value: Any = packet
    for key in pointer.removeprefix("/").split("/"):
        value = value.get(key) if isinstance(value, Mapping) else None
    # An answer of "no" is an answer everywhere but for consent; so is ECOG 0.
    if value is False and pointer != "/consent_to_share/given":
        return "no"
    return "0" if value == 0 and value is not False else value
