"""Writes the question of a benefits check as JSON, as clearing houses take it.

Source:
    Public documentation of three clearing houses agrees on these names: Optum, "Contents of the eligibility
    request body"; Stedi, "Eligibility response shapes"; Availity, API schemas. Read 2026-11-28.
"""

import json
from datetime import date
from typing import Any

from chalicelib.domain.coverage.payers import AttemptIds, PayerSetup
from chalicelib.domain.coverage.plain_ascii import fold_to_x12
from chalicelib.domain.coverage.question import BenefitsQuestion, CoveredPerson, Relationship

MEDIA_TYPE = "application/json"

_SEX_CODES = {"female": "F", "male": "M"}
_RELATIONSHIP_CODES = {Relationship.SPOUSE: "01", Relationship.CHILD: "19", Relationship.OTHER: "34"}


def write_json_question(question: BenefitsQuestion, payer: PayerSetup, ids: AttemptIds) -> bytes:
    """Write one question. Names are folded as for X12, into which the clearing house translates them."""
    holder = _build_person(question.policy_holder) | {"memberId": fold_to_x12(question.member_id).replace(" ", "")}
    if payer.send_group and question.group:
        holder["groupNumber"] = fold_to_x12(question.group)
    body: dict[str, Any] = {
        "controlNumber": f"{ids.control_number:09d}",
        "tradingPartnerServiceId": payer.electronic_id,
        "provider": {"organizationName": fold_to_x12(question.provider_name), "npi": question.provider_npi},
        "subscriber": holder,
        "encounter": {
            "serviceTypeCodes": list(question.service_types),
            "dateOfService": _format(question.asked_on),
        },
    }
    if question.is_for_dependent:
        patient = _build_person(question.patient)
        patient["individualRelationshipCode"] = _RELATIONSHIP_CODES[question.relationship]
        body["dependents"] = [patient]
    return json.dumps(body).encode()


def _build_person(person: CoveredPerson) -> dict[str, str]:
    values = {
        "firstName": fold_to_x12(person.given_name),
        "lastName": fold_to_x12(person.family_name),
        "dateOfBirth": _format(person.birth_date) if person.birth_date else "",
        "gender": _SEX_CODES.get(person.sex or "", ""),
    }
    return {name: value for name, value in values.items() if value}


def _format(day: date) -> str:
    return f"{day:%Y%m%d}".rjust(8, "0")
