"""The referral packet: what a center needs on day 1 before a referral can be submitted, and optional items.

Source: the requirements of public referral guides (carthope.com, Bristol Myers Squibb and Kite
pages for referring providers, as of 2026-04), combined by this product.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from chalicelib.domain.referrals.consent import has_basis
from chalicelib.domain.referrals.facts import find_fact_label
from chalicelib.domain.referrals.referral import Referral
from chalicelib.domain.referrals.unfinished import list_unfinished
from chalicelib.errors import ConflictError, FieldError, MalformedError


class PacketItem(NamedTuple):
    """One item of the packet: its place in the request body, and its label."""

    pointer: str
    label: str


_CONSENT_POINTER = "/consent_to_share/given"

REQUIRED_ITEMS: tuple[PacketItem, ...] = (
    PacketItem("/patient/given_name", "Patient's first name"),
    PacketItem("/patient/family_name", "Patient's last name"),
    PacketItem("/patient/birth_date", "Patient's date of birth"),
    PacketItem("/patient/sex", "Patient's sex"),
    PacketItem("/patient/zip", "Patient's ZIP code"),
    PacketItem("/patient/phone", "Patient's phone"),
    PacketItem("/clinical/disease", "Disease"),
    PacketItem("/clinical/histology", "Histology"),
    PacketItem("/clinical/ecog", "ECOG performance status"),
    PacketItem("/clinical/prior_lines", "At least one prior line of therapy"),
    PacketItem("/referring_provider/name", "Referring provider's name"),
    PacketItem("/referring_provider/npi", "Referring provider's NPI"),
    PacketItem("/referring_provider/phone", "Referring provider's phone"),
    PacketItem("/insurance/payer", "Payer"),
    PacketItem("/insurance/member_id", "Insurance member ID"),
    PacketItem(_CONSENT_POINTER, "Patient's consent to share records"),
    PacketItem("/center_id", "Treatment center"),
)

CORE_ITEMS: tuple[PacketItem, ...] = tuple(
    item
    for item in REQUIRED_ITEMS
    if item.pointer in {"/patient/family_name", "/patient/birth_date", "/clinical/disease", "/referring_provider/name"}
)
"""What a submitted referral always has. A correction can change it but not remove it."""

OPTIONAL_ITEMS: tuple[PacketItem, ...] = (
    PacketItem("/patient/mrn", "Medical record number"),
    PacketItem("/patient/language", "Patient's language"),
    PacketItem("/patient/caregiver", "Caregiver"),
    PacketItem("/clinical/icd10", "ICD-10-CM code"),
    PacketItem("/clinical/hsct_eligible", "Stem cell transplant candidacy"),
    PacketItem("/clinical/flags", "Safety questions"),
    PacketItem("/referring_provider/email", "Referring provider's email"),
    PacketItem("/product_id", "Planned product"),
)


NONE_ALLOWED: tuple[str, ...] = (
    "/patient/given_name",
    "/patient/sex",
    "/patient/zip",
    "/patient/phone",
    "/clinical/histology",
    "/clinical/ecog",
    "/clinical/prior_lines",
    "/referring_provider/npi",
    "/referring_provider/phone",
    "/insurance/payer",
    "/insurance/member_id",
)
"""Required items for which "none, because ..." is an answer. People who must fill in a field that has no
true value make one up. The others identify the patient, the disease, the consent and the center."""

PLANS_WITHOUT_PAYER = frozenset({"uninsured", "self_pay"})
"""Plan types that have no payer and no member ID. They mean that the patient may need financial help."""

_PAYER_ITEMS = frozenset({"/insurance/payer", "/insurance/member_id"})


def list_missing_items(packet: Mapping[str, Any], items: Sequence[PacketItem] = REQUIRED_ITEMS) -> list[PacketItem]:
    """List the items without a value, a reason why there is none, or (for consent) a basis for sharing."""
    answered = {answer["item"] for answer in packet.get("none_because") or ()}
    if needs_financial_help(packet):
        answered |= _PAYER_ITEMS
    return [item for item in items if item.pointer not in answered and _is_missing(packet, item)]


def needs_financial_help(packet: Mapping[str, Any]) -> bool:
    """Whether the patient has no insurance, or pays without it."""
    return (packet.get("insurance") or {}).get("plan_type") in PLANS_WITHOUT_PAYER


def _is_missing(packet: Mapping[str, Any], item: PacketItem) -> bool:
    if item.pointer == _CONSENT_POINTER:
        return not has_basis(packet.get("consent_to_share"))
    return _read_pointer(packet, item.pointer) in (None, "", [], {})


def require_complete(packet: Mapping[str, Any]) -> None:
    """Check that a center has everything it needs to start.

    Raises:
        ConflictError: lists every missing item and every unfinished value at once.
    """
    missing = list_missing_items(packet)
    unfinished = [
        FieldError(each["pointer"], "unfinished", f"Correct or remove: {find_fact_label(each['pointer'])}")
        for each in list_unfinished(packet)
    ]
    if missing:
        errors = [FieldError(item.pointer, "missing", _describe_missing_item(item)) for item in missing]
        raise ConflictError(
            "packet_incomplete",
            "Complete the missing items before you submit. The center needs them on day 1.",
            errors=errors + unfinished,
        )
    if unfinished:
        raise ConflictError(
            "values_unfinished", "Correct or remove the marked values before you submit.", errors=unfinished
        )


def require_core_items(packet: Mapping[str, Any]) -> None:
    """Check that a correction of a submitted referral does not remove a core item.

    Raises:
        MalformedError: lists every core item without a value.
    """
    missing = list_missing_items(packet, CORE_ITEMS)
    if missing:
        raise MalformedError(
            "malformed",
            "A submitted referral needs these items. You can change them, but not remove them.",
            errors=[FieldError(item.pointer, "missing", _describe_missing_item(item)) for item in missing],
        )


def build_packet(referral: Referral) -> Mapping[str, Any]:
    """Build the request body that the packet rules check, from a stored referral."""
    return {**referral.details, "center_id": referral.center_id, "product_id": referral.product_id}


def _describe_missing_item(item: PacketItem) -> str:
    if item.pointer == _CONSENT_POINTER:
        return "Record the patient's consent to share records."
    return f"Add: {item.label}"


def _read_pointer(packet: Mapping[str, Any], pointer: str) -> object:
    value: Any = packet
    for key in pointer.removeprefix("/").split("/"):
        value = value.get(key) if isinstance(value, Mapping) else None
    # "No" and ECOG 0 are answers.
    return str(value) if value is False or value == 0 else value
