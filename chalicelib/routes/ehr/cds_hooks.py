"""CDS Hooks 2.0: the eligibility check inside an EHR.

No patient data is logged, and nothing is fetched: the hook brings the data for a card, as the prefetch
templates request it. Nothing is stored, except entries behind a single-use link, which only the link's
holder can read.
"""

from typing import Any

from chalicelib import wiring
from chalicelib.errors import FieldError, MalformedError, NotFoundError, PrefetchMissingError
from chalicelib.observe import log
from chalicelib.routes.ehr.request_bodies import FeedbackRequest, HookRequest
from chalicelib.routes.ehr.response_types import (
    CardResponse,
    CardsResponse,
    CdsDiscoveryResponse,
    CdsServiceResponse,
    FeedbackResponse,
)
from chalicelib.routes.platform import cors
from chalicelib.routes.platform.endpoint import ApiResponse, declare_endpoint
from chalicelib.routes.platform.field_messages import FIELDS_NOT_VALID
from chalicelib.routes.platform.operations import CDS_SERVICES, RouteAccess
from chalicelib.routes.platform.request import ApiRequest
from chalicelib.services.platform.run_context import RunContext

_PATIENT_PARAMETER = "patient={{context.patientId}}"
_SCORE_CODES = (
    "http://loinc.org|89247-1,http://loinc.org|89243-0,http://ncicb.nci.nih.gov/xml/owl/EVS/Thesaurus.owl|C38144"
)
"""ECOG, Karnofsky and Lansky."""

PREFETCH = {
    "patient": "Patient/{{context.patientId}}",
    "conditions": f"Condition?{_PATIENT_PARAMETER}",
    "medications": f"MedicationRequest?{_PATIENT_PARAMETER}&_include=MedicationRequest:medication",
    "administrations": f"MedicationAdministration?{_PATIENT_PARAMETER}&_include=MedicationAdministration:medication",
    "statements": f"MedicationStatement?{_PATIENT_PARAMETER}&_include=MedicationStatement:medication",
    "dispenses": f"MedicationDispense?{_PATIENT_PARAMETER}&_include=MedicationDispense:medication",
    "care_plans": f"CarePlan?{_PATIENT_PARAMETER}",
    "episodes": f"EpisodeOfCare?{_PATIENT_PARAMETER}",
    "procedures": f"Procedure?{_PATIENT_PARAMETER}",
    "observations": f"Observation?{_PATIENT_PARAMETER}&code={_SCORE_CODES}",
}
REQUIRED_PREFETCH = ("patient", "conditions")

SERVICES = {"cart-screen-patient-view": "patient-view", "cart-screen-order-sign": "order-sign"}
_DESCRIPTION = (
    "Compares a chart with CAR T label criteria and lists missing information. It does not decide "
    "eligibility; only a treatment center does."
)


@declare_endpoint("GET", CDS_SERVICES, access=RouteAccess.PUBLIC)
def discover_cds_services(request: ApiRequest) -> ApiResponse[CdsDiscoveryResponse]:  # noqa: ARG001 all views take it
    """List the CDS Hooks services and the prefetch resources each needs."""
    services: list[CdsServiceResponse] = [
        {
            "id": service_id,
            "hook": hook,
            "title": "CAR T eligibility check",
            "description": _DESCRIPTION,
            "prefetch": PREFETCH,
            "usageRequirements": "Send all prefetch resources. This service does not query the FHIR server.",
        }
        for service_id, hook in SERVICES.items()
    ]
    return ApiResponse(body={"services": services}, headers={"Cache-Control": "public, max-age=300"})


@declare_endpoint("POST", f"{CDS_SERVICES}/{{service_id}}", access=RouteAccess.CDS_CALLER)
def call_cds_service(request: ApiRequest, service_id: str, body: HookRequest) -> ApiResponse[CardsResponse]:
    """Call a CDS service and get cards; nothing is decided, and no one can read what the link stores without it."""
    _require_matching_hook(service_id, body)
    prefetch = body.prefetch or {}
    _require_prefetch(prefetch)
    drafts = {"draftOrders": body.context.draft_orders}
    _require_one_patient(prefetch | drafts, body.context.patient_id)
    return ApiResponse(body={"cards": _build_cards(prefetch, body, RunContext(wiring.get_stores(), request.now))})


@declare_endpoint("POST", f"{CDS_SERVICES}/{{service_id}}/feedback", access=RouteAccess.CDS_CALLER)
def receive_cds_feedback(request: ApiRequest, service_id: str, body: FeedbackRequest) -> ApiResponse[FeedbackResponse]:
    """Send feedback on cards; only counts of accepted and overridden cards are logged."""
    _get_hook_or_404(service_id)
    outcomes = [feedback.outcome for feedback in body.feedback]
    counts = {outcome: outcomes.count(outcome) for outcome in sorted(set(outcomes))}
    log.info("cds_feedback", request_id=request.request_id, counts=counts)
    return ApiResponse(body={})


@declare_endpoint("OPTIONS", CDS_SERVICES, status=204, access=RouteAccess.PUBLIC)
def preflight_discovery(request: ApiRequest) -> ApiResponse[None]:
    """CORS preflight."""
    return ApiResponse(body=None, status=204, headers=cors.answer_preflight(request.headers))


@declare_endpoint("OPTIONS", f"{CDS_SERVICES}/{{service_id}}", status=204, access=RouteAccess.PUBLIC)
def preflight_service(request: ApiRequest, service_id: str) -> ApiResponse[None]:  # noqa: ARG001 the same for each
    """CORS preflight."""
    return ApiResponse(body=None, status=204, headers=cors.answer_preflight(request.headers))


@declare_endpoint("OPTIONS", f"{CDS_SERVICES}/{{service_id}}/feedback", status=204, access=RouteAccess.PUBLIC)
def preflight_feedback(request: ApiRequest, service_id: str) -> ApiResponse[None]:  # noqa: ARG001 the same for each
    """CORS preflight."""
    return ApiResponse(body=None, status=204, headers=cors.answer_preflight(request.headers))


def _get_hook_or_404(service_id: str) -> str:
    if service_id not in SERVICES:
        raise NotFoundError
    return SERVICES[service_id]


def _require_matching_hook(service_id: str, body: HookRequest) -> None:
    if body.hook != _get_hook_or_404(service_id):
        error = FieldError("/hook", "wrong_hook", "This service does not support that hook.")
        raise MalformedError("malformed", FIELDS_NOT_VALID, errors=[error])


def _require_prefetch(prefetch: dict[str, Any]) -> None:
    missing = [name for name in REQUIRED_PREFETCH if not isinstance(prefetch.get(name), dict)]
    if missing:
        raise PrefetchMissingError(
            [FieldError(f"/prefetch/{name}", "missing", "A required prefetch resource is missing.") for name in missing]
        )


def _require_one_patient(prefetch: dict[str, Any], patient_id: str) -> None:
    """Refuse a chart with resources of two people: they must never end up on one card."""
    from chalicelib.services.ehr import fhir_resources as fhir  # noqa: PLC0415 loaded with all code that reads charts

    others = [name for name, part in prefetch.items() for owner in fhir.list_patient_ids(part) if owner != patient_id]
    if others:
        errors = [
            FieldError(f"/prefetch/{name}", "another_patient", "This resource belongs to a different patient.")
            for name in dict.fromkeys(others)
            if name in PREFETCH or name == "draftOrders"
        ]
        raise MalformedError(
            "another_patient", "The prefetched resources belong to more than one patient.", errors=errors
        )


def _build_cards(prefetch: dict[str, Any], body: HookRequest, context: RunContext) -> list[CardResponse]:
    # The first hook loads rules, labels and codes, not every function that starts.
    from chalicelib.routes.ehr import cards  # noqa: PLC0415
    from chalicelib.services.ehr import chart_entries, fhir_chart  # noqa: PLC0415
    from chalicelib.services.eligibility.screen import screen_with_catalog  # noqa: PLC0415

    url, today = wiring.get_settings().public_url, context.now.date()
    chart = fhir_chart.parse_chart(prefetch, draft_orders=body.context.draft_orders, today=today)
    if chart.screen_input is None:
        return cards.build_cards(chart, None, url=url)
    try:
        screening = screen_with_catalog(chart.screen_input, today=today)
    except MalformedError as contradiction:
        messages = [error.message for error in contradiction.errors]
        return cards.build_contradiction_card(messages, url=url)
    token = chart_entries.offer_entries(chart, context)
    return cards.build_cards(chart, screening, url=url, link_token=token)
