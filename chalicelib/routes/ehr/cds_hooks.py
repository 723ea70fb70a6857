"""CDS Hooks 2.0: the potential-eligibility screen inside a health record.

Nothing is stored and nothing of a patient is logged. Nothing is fetched either: what a card is
made of comes with the hook, as the prefetch templates ask for it.
"""

from datetime import date
from typing import Any

from chalice import Blueprint

from chalicelib import wiring
from chalicelib.errors import FieldError, MalformedError, NotFoundError, PrefetchMissingError
from chalicelib.observe import log
from chalicelib.routes.ehr import response_schemas as cds_shapes
from chalicelib.routes.ehr.request_bodies import FeedbackBody, HookBody
from chalicelib.routes.platform import cors as sharing
from chalicelib.routes.platform.endpoint import ApiResponse, declare_endpoint
from chalicelib.routes.platform.operations import CDS_SERVICES, RouteAccess
from chalicelib.routes.platform.request import ApiRequest

blueprint = Blueprint(__name__)

_PATIENT_PARAMETER = "patient={{context.patientId}}"
PREFETCH = {
    "patient": "Patient/{{context.patientId}}",
    "conditions": f"Condition?{_PATIENT_PARAMETER}",
    "medications": f"MedicationRequest?{_PATIENT_PARAMETER}",
    "administrations": f"MedicationAdministration?{_PATIENT_PARAMETER}",
    "procedures": f"Procedure?{_PATIENT_PARAMETER}",
    "observations": f"Observation?{_PATIENT_PARAMETER}&code=http://loinc.org|89247-1",
}
REQUIRED_PREFETCH = ("patient", "conditions")

SERVICES = {"cart-screen-patient-view": "patient-view", "cart-screen-order-sign": "order-sign"}
_DESCRIPTION = (
    "Compares a chart with the label criteria of CAR T products and names what is missing. It "
    "decides nothing: only a treatment center does."
)


@declare_endpoint(blueprint, "GET", CDS_SERVICES, response_schema=cds_shapes.DiscoveryShape, access=RouteAccess.PUBLIC)
def discover_cds_services(request: ApiRequest) -> ApiResponse:  # noqa: ARG001 every view is called alike
    """List the CDS Hooks services, with the resources that each wants prefetched."""
    services = [
        {
            "id": service_id,
            "hook": hook,
            "title": "CAR T potential-eligibility screen",
            "description": _DESCRIPTION,
            "prefetch": PREFETCH,
            "usageRequirements": "Send the prefetched resources; nothing is fetched.",
        }
        for service_id, hook in SERVICES.items()
    ]
    return ApiResponse(body={"services": services}, headers={"Cache-Control": "public, max-age=300"})


@declare_endpoint(
    blueprint,
    "POST",
    f"{CDS_SERVICES}/{{service_id}}",
    response_schema=cds_shapes.CardsShape,
    access=RouteAccess.CDS_CALLER,
)
def call_cds_service(request: ApiRequest, service_id: str, body: HookBody) -> ApiResponse:
    """Answer a hook with cards; nothing is stored or decided."""
    _require_matching_hook(service_id, body)
    prefetched = body.prefetch or {}
    _require_prefetched(prefetched)
    drafts = {"draftOrders": body.context.draft_orders}
    _require_one_patient(prefetched | drafts, body.context.patient_id)
    return ApiResponse(body={"cards": _build_cards(prefetched, body, today=request.now.date())})


@declare_endpoint(
    blueprint,
    "POST",
    f"{CDS_SERVICES}/{{service_id}}/feedback",
    response_schema=cds_shapes.NothingShape,
    access=RouteAccess.CDS_CALLER,
)
def take_cds_feedback(request: ApiRequest, service_id: str, body: FeedbackBody) -> ApiResponse:
    """Hear what became of cards; only how many were accepted or overridden is logged."""
    _require_known_service(service_id)
    outcomes = [each.outcome for each in body.feedback]
    counts = {outcome: outcomes.count(outcome) for outcome in sorted(set(outcomes))}
    log.info("cds_feedback", request_id=request.request_id, counts=counts)
    return ApiResponse(body={})


@declare_endpoint(blueprint, "OPTIONS", CDS_SERVICES, status=204, access=RouteAccess.PUBLIC)
def preflight_discovery(request: ApiRequest) -> ApiResponse:
    """Tell a browser whether a page of another site may ask."""
    return ApiResponse(status=204, headers=sharing.answer_preflight(request.headers))


@declare_endpoint(blueprint, "OPTIONS", f"{CDS_SERVICES}/{{service_id}}", status=204, access=RouteAccess.PUBLIC)
def preflight_service(request: ApiRequest, service_id: str) -> ApiResponse:  # noqa: ARG001 the same for each
    """Tell a browser whether a page of another site may ask."""
    return ApiResponse(status=204, headers=sharing.answer_preflight(request.headers))


@declare_endpoint(
    blueprint, "OPTIONS", f"{CDS_SERVICES}/{{service_id}}/feedback", status=204, access=RouteAccess.PUBLIC
)
def preflight_feedback(request: ApiRequest, service_id: str) -> ApiResponse:  # noqa: ARG001 the same for each
    """Tell a browser whether a page of another site may ask."""
    return ApiResponse(status=204, headers=sharing.answer_preflight(request.headers))


def _require_known_service(service_id: str) -> str:
    if service_id not in SERVICES:
        raise NotFoundError
    return SERVICES[service_id]


def _require_matching_hook(service_id: str, body: HookBody) -> None:
    if body.hook != _require_known_service(service_id):
        fault = FieldError("/hook", "wrong_hook", "is not the hook of this service")
        raise MalformedError("malformed", "Some fields are not right.", errors=[fault])


def _require_prefetched(prefetch: dict[str, Any]) -> None:
    absent = [name for name in REQUIRED_PREFETCH if not isinstance(prefetch.get(name), dict)]
    if absent:
        raise PrefetchMissingError([FieldError(f"/prefetch/{name}", "missing", "was not sent") for name in absent])


def _require_one_patient(prefetch: dict[str, Any], patient_id: str) -> None:
    """A chart of two people must never make one card."""
    from chalicelib.services.ehr import fhir_resources as fhir  # noqa: PLC0415 with all that reads charts

    others = [name for name, part in prefetch.items() for owner in fhir.list_patient_ids(part) if owner != patient_id]
    if others:
        faults = [
            FieldError(f"/prefetch/{name}", "another_patient", "is about somebody else")
            for name in dict.fromkeys(others)
            if name in PREFETCH or name == "draftOrders"
        ]
        raise MalformedError("another_patient", "Not all of this chart is about one patient.", errors=faults)


def _build_cards(prefetch: dict[str, Any], body: HookBody, *, today: date) -> list[dict[str, Any]]:
    # Rules, labels and codes are read by the first hook, not by every function that starts.
    from chalicelib.routes.ehr import cards as cds_views  # noqa: PLC0415
    from chalicelib.services.ehr import fhir_chart as chart  # noqa: PLC0415
    from chalicelib.services.ehr import fhir_resources as fhir  # noqa: PLC0415
    from chalicelib.services.eligibility import screen as screens  # noqa: PLC0415

    url = wiring.get_settings().public_url
    drafts = fhir.list_resources(body.context.draft_orders, "MedicationRequest")
    found = chart.parse_chart(prefetch, drafts=drafts, today=today)
    if found.screen_input is None:
        return cds_views.build_cards(found, None, url=url)
    try:
        screening = screens.screen_with_catalog(found.screen_input, today=today)
    except MalformedError as contradiction:
        places = [fault.message for fault in contradiction.errors]
        return cds_views.build_contradiction_card(places, url=url)
    return cds_views.build_cards(found, screening, url=url)
