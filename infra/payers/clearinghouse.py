"""How a simulated clearing house reads and writes JSON."""

import json
from datetime import UTC, datetime
from typing import Any

from infra.payers.members import Benefit, Inquiry, PlanAnswer
from infra.payers.x12 import BadInquiryError, format_day

_FOLLOW_UPS = {"C": "Please Correct and Resubmit", "R": "Resubmission Allowed"}
_ROLES = {
    "1P": "Provider",
    "PRP": "Primary Payer",
    "SEP": "Secondary Payer",
    "X3": "Utilization Management Organization",
}
_WORDS = {"1": "Active Coverage", "6": "Inactive", "R": "Other or Additional Payor"}


def read_json_inquiry(raw: bytes) -> Inquiry:
    """Read a request.

    Raises:
        BadInquiryError: it lacks what a clearing house needs.
    """
    try:
        body = json.loads(raw)
        subscriber, encounter, provider = body["subscriber"], body["encounter"], body["provider"]
        asked_on = datetime.strptime(encounter["dateOfService"], "%Y%m%d").replace(tzinfo=UTC).date()
        control_number = body["controlNumber"]
        if not (len(control_number) == 9 and control_number.isdigit() and encounter["serviceTypeCodes"]):
            raise BadInquiryError("control number or service types")
        return Inquiry(
            trace=control_number,
            member_id=subscriber["memberId"],
            family_name=subscriber["lastName"],
            given_name=subscriber["firstName"],
            birth_date=subscriber["dateOfBirth"],
            sex=subscriber.get("gender", ""),
            asked_on=asked_on,
            npi=provider["npi"],
            provider=provider["organizationName"],
            dependent=_read_dependent(body),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise BadInquiryError("not a request") from error


def _read_dependent(body: dict[str, Any]) -> dict[str, str] | None:
    dependents = body.get("dependents") or []
    if not dependents:
        return None
    [patient] = dependents
    return {
        "family": patient["lastName"],
        "given": patient["firstName"],
        "birth": patient["dateOfBirth"],
        "sex": patient.get("gender", ""),
    }


def write_json_answer(inquiry: Inquiry, answer: PlanAnswer, *, trace: str | None = None) -> bytes:
    """Write the answer; another `trace` makes it an answer to another request."""
    subscriber: dict[str, Any] = {
        "memberId": inquiry.member_id,
        "firstName": inquiry.given_name,
        "lastName": inquiry.family_name,
        "dateOfBirth": inquiry.birth_date,
    }
    if inquiry.sex:
        subscriber["gender"] = inquiry.sex
    body: dict[str, Any] = {
        "controlNumber": trace or inquiry.trace,
        "tradingPartnerServiceId": "99999",
        "payer": {"name": "EXAMPLE HEALTH", "entityIdentifier": "Payer"},
        "provider": {"providerName": inquiry.provider, "npi": inquiry.npi},
    }
    if answer.reject_source:
        body["payer"]["aaaErrors"] = [_build_error(answer.reject_source, answer.follow_up, "Loop 2000A")]
        return json.dumps(body).encode()
    body["subscriber"] = subscriber
    if answer.reject_subscriber:
        error = _build_error(answer.reject_subscriber, answer.follow_up, "Loop 2100C")
        subscriber["aaaErrors"] = [error]
        body["errors"] = [error]
        return json.dumps(body).encode()
    if inquiry.dependent:
        body["dependents"] = [_build_dependent(inquiry.dependent)]
    if answer.group:
        body["planInformation"] = {"groupNumber": answer.group}
    body["planDateInformation"] = {
        name: format_day(day) for name, day in (("planBegin", answer.begins_on), ("planEnd", answer.ends_on)) if day
    }
    body["planStatus"] = [
        {"statusCode": each.code, "status": _WORDS[each.code], "serviceTypeCodes": list(each.types)}
        for each in answer.benefits
        if each.code in {"1", "6"}
    ]
    body["benefitsInformation"] = [_build_benefit(each) for each in answer.benefits]
    return json.dumps(body).encode()


def _build_dependent(dependent: Any) -> dict[str, str]:
    values = {
        "firstName": dependent["given"],
        "lastName": dependent["family"],
        "dateOfBirth": dependent["birth"],
        "gender": dependent["sex"],
    }
    return {name: value for name, value in values.items() if value}


def _build_error(code: str, follow_up: str, location: str) -> dict[str, str]:
    return {"field": "AAA", "code": code, "followupAction": _FOLLOW_UPS[follow_up], "location": location}


def _build_benefit(benefit: Benefit) -> dict[str, Any]:
    values = {
        "code": benefit.code,
        "name": _WORDS.get(benefit.code, ""),
        "coverageLevelCode": benefit.level,
        "serviceTypeCodes": list(benefit.types),
        "insuranceTypeCode": benefit.insurance,
        "planCoverage": benefit.plan,
        "timeQualifierCode": benefit.period,
        "benefitAmount": benefit.amount,
        "benefitPercent": f"0{benefit.percent}" if benefit.percent else "",
        "authOrCertIndicator": benefit.authorization,
        "inPlanNetworkIndicatorCode": benefit.network,
        "additionalInformation": [{"description": benefit.message}] if benefit.message else [],
    }
    built: dict[str, Any] = {name: value for name, value in values.items() if value}
    if benefit.reference:
        built["benefitsAdditionalInformation"] = {"hicNumber": benefit.reference[1]}
    if benefit.coordination_since:
        built["benefitsDateInformation"] = {"coordinationOfBenefits": format_day(benefit.coordination_since)}
    if benefit.entity:
        built["benefitsRelatedEntities"] = [_build_entity(benefit.entity)]
    return built


def _build_entity(entity: Any) -> dict[str, Any]:
    built: dict[str, Any] = {
        "entityIdentifier": _ROLES[entity["role"]],
        "entityType": "Non-Person Entity",
        "entityName": entity["name"],
        "entityIdentification": entity["kind"],
        "entityIdentificationValue": entity["id"],
    }
    if "phone" in entity:
        contact = {"communicationMode": "Telephone", "communicationNumber": entity["phone"]}
        built["contactInformation"] = {"contacts": [contact]}
    return built
