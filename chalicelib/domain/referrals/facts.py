"""The facts of a referral: who owns each, what a change of them is, and whom it matters to.

The practice owns what it enters about the patient. The center owns its coordinator and contact. Each
side corrects its own facts while the referral is open, and the history keeps every earlier value.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from chalicelib.domain.referrals.referral import Referral
from chalicelib.domain.referrals.stages import Actor

CENTER_CONTACT = "center_contact"
"""The section that the center owns: its coordinator for this patient, with phone and email."""

OWN_SECTIONS: Mapping[Actor, frozenset[str]] = {
    Actor.PRACTICE: frozenset(
        {
            "alias",
            "center_id",
            "clinical",
            "consent_to_share",
            "insurance",
            "none_because",
            "note",
            "patient",
            "product_id",
            "referred_on",
            "referring_provider",
            "urgency",
        }
    ),
    Actor.CENTER: frozenset({CENTER_CONTACT}),
}
"""What each side can change."""


class FactGroup(StrEnum):
    """Facts whose change the other side is notified of. The values name the rules of their notices."""

    PATIENT_PHONE = "patient_phone_changed"
    PROVIDER_PHONE = "provider_phone_changed"
    CAREGIVER = "caregiver_changed"
    INSURANCE = "insurance_changed"
    CONSENT = "consent_changed"
    CONSENT_WITHDRAWN = "consent_withdrawn"
    CENTER_PHONE = "center_phone_changed"
    SEVERAL = "facts_changed"
    """Several of the groups above in one change."""


_GROUP_BY_PREFIX: Mapping[str, FactGroup] = {
    "/patient/phone": FactGroup.PATIENT_PHONE,
    "/patient/caregiver": FactGroup.CAREGIVER,
    "/insurance": FactGroup.INSURANCE,
    "/consent_to_share": FactGroup.CONSENT,
    "/referring_provider/phone": FactGroup.PROVIDER_PHONE,
    "/center_contact/phone": FactGroup.CENTER_PHONE,
}
"""Source: the product's API contract, section 2: the other side is notified of phone, insurance,
caregiver and consent."""

FACT_LABELS: Mapping[str, str] = {
    "/center_contact/coordinator": "Center's coordinator",
    "/center_contact/email": "Center's email",
    "/center_contact/phone": "Center's phone",
    "/clinical/disease": "Disease",
    "/clinical/ecog": "ECOG performance status",
    "/clinical/flags": "Points to discuss",
    "/clinical/histology": "Histology",
    "/clinical/hsct_eligible": "Stem cell transplant candidate",
    "/clinical/icd10": "ICD-10-CM code",
    "/clinical/labs": "Lab results",
    "/clinical/last_doses": "Dates of last doses",
    "/clinical/last_imaging_on": "Date of last imaging",
    "/clinical/lenalidomide_refractory": "Refractory to lenalidomide",
    "/clinical/no_transplant_because": "Why no transplant",
    "/clinical/prior_lines": "Lines of therapy",
    "/clinical/screened": "Eligibility check",
    "/clinical/transplant": "Stem cell transplant",
    "/consent_to_share": "Consent to share",
    "/consent_to_share/basis": "Basis for sharing",
    "/consent_to_share/expires_on": "End date of consent",
    "/consent_to_share/given": "Consent to share",
    "/consent_to_share/on": "Date of consent",
    "/consent_to_share/scope": "Scope of consent",
    "/consent_to_share/withdrawn_on": "Withdrawal of consent",
    "/insurance/funding": "Funding of the plan",
    "/insurance/group": "Group number",
    "/insurance/member_id": "Member ID",
    "/insurance/payer": "Payer",
    "/insurance/plan_type": "Plan type",
    "/insurance/subscriber": "Policy holder",
    "/insurance/subscriber/birth_date": "Policy holder's date of birth",
    "/insurance/subscriber/family_name": "Policy holder's last name",
    "/insurance/subscriber/given_name": "Policy holder's first name",
    "/insurance/subscriber/relationship": "Patient's relationship to the policy holder",
    "/none_because": "Answers “none, because”",
    "/note": "Note to the center",
    "/patient": "Patient",
    "/patient/alias": "Alias used in email",
    "/patient/birth_date": "Date of birth",
    "/patient/caregiver": "Caregiver",
    "/patient/caregiver/name": "Caregiver's name",
    "/patient/caregiver/phone": "Caregiver's phone",
    "/patient/caregiver/relation": "Caregiver's relationship",
    "/patient/email": "Patient's email",
    "/patient/family_name": "Last name",
    "/patient/given_name": "First name",
    "/patient/language": "Preferred language",
    "/patient/mrn": "MRN",
    "/patient/phone": "Patient's phone",
    "/patient/sex": "Sex",
    "/patient/zip": "ZIP code",
    "/product_id": "Planned product",
    "/referred_on": "Referred on",
    "/referring_provider": "Referring provider",
    "/referring_provider/email": "Referring provider's email",
    "/referring_provider/name": "Referring provider's name",
    "/referring_provider/npi": "NPI",
    "/referring_provider/phone": "Referring provider's phone",
    "/urgency": "Urgency",
}
"""What people call each fact. A fact that is not here has the label of the closest one above it."""

_BOOKKEEPING = frozenset({"/consent_to_share/confirmed"})
"""Answers to a question of the product, not facts about the patient."""


@dataclass(frozen=True, slots=True)
class FactChange:
    """One fact that changed: its JSON pointer in the request body, and its values before and after."""

    pointer: str
    previous: Any
    new: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class FactRevision:
    """What one person changed at once."""

    change_id: str
    changed_at: datetime
    side: Actor
    actor_name: str
    changes: Sequence[FactChange]


def list_fact_changes(before: Referral, after: Referral) -> Sequence[FactChange]:
    """List the facts that differ, in the order of their pointers. A value that is absent is None."""
    return list(_compare("", _build_facts(before), _build_facts(after)))


def find_fact_label(pointer: str) -> str:
    """Find what people call a fact."""
    while pointer and pointer not in FACT_LABELS:
        pointer = pointer.rpartition("/")[0]
    return FACT_LABELS.get(pointer, "Details")


def find_changed_group(changes: Sequence[FactChange], *, withdrawn: bool) -> FactGroup | None:
    """Find what the other side is notified of; None if no change matters to it.

    Args:
        withdrawn: Whether the changes record that the consent was withdrawn. That comes first.
    """
    if withdrawn:
        return FactGroup.CONSENT_WITHDRAWN
    groups = {
        group
        for change in changes
        for prefix, group in _GROUP_BY_PREFIX.items()
        if change.pointer == prefix or change.pointer.startswith(f"{prefix}/")
    }
    return FactGroup.SEVERAL if len(groups) > 1 else next(iter(groups), None)


def _build_facts(referral: Referral) -> Mapping[str, Any]:
    """Build the facts as one document with the names of the request body."""
    patient = {**(referral.details.get("patient") or {}), "alias": referral.alias}
    return {
        **referral.details,
        "patient": patient,
        "product_id": referral.product_id,
        "urgency": referral.urgency,
    }


def _compare(pointer: str, before: Any, after: Any) -> Iterator[FactChange]:
    if before == after or pointer in _BOOKKEEPING:
        return
    sides = [side for side in (before, after) if side is not None]
    if not all(isinstance(side, Mapping) for side in sides):
        yield FactChange(pointer, before, after)
        return
    for name in sorted({name for side in sides for name in side}):
        yield from _compare(f"{pointer}/{name}", (before or {}).get(name), (after or {}).get(name))
