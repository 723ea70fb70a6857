"""CDS Hooks 2.0: the potential-eligibility screen inside a health record.

Nothing is stored and nothing of a patient is logged. Nothing is fetched either: what a card is
made of comes with the hook, as the prefetch templates ask for it.
"""

from datetime import date
from typing import Any

from chalice import Blueprint

from chalicelib import wiring
from chalicelib.errors import Fault, MalformedError, NotFoundError, PrefetchMissingError
from chalicelib.observe import log
from chalicelib.routes.ehr import response_schemas as cds_shapes
from chalicelib.routes.ehr.request_bodies import FeedbackBody, HookBody
from chalicelib.routes.platform import cors as sharing
from chalicelib.routes.platform.endpoint import Reply, endpoint
from chalicelib.routes.platform.operations import CDS_SERVICES, Access
from chalicelib.routes.platform.request import Call

blueprint = Blueprint(__name__)

_OF_THE_PATIENT = "patient={{context.patientId}}"
PREFETCH = {
    "patient": "Patient/{{context.patientId}}",
    "conditions": f"Condition?{_OF_THE_PATIENT}",
    "medications": f"MedicationRequest?{_OF_THE_PATIENT}",
    "administrations": f"MedicationAdministration?{_OF_THE_PATIENT}",
    "procedures": f"Procedure?{_OF_THE_PATIENT}",
    "observations": f"Observation?{_OF_THE_PATIENT}&code=http://loinc.org|89247-1",
}
NEEDED = ("patient", "conditions")

SERVICES = {
    "cart-screen-patient-view": "patient-view",
    "cart-screen-order-sign": "order-sign",
}
_DESCRIPTION = (
    "Compares a chart with the label criteria of CAR T products and names what is missing. It "
    "decides nothing: only a treatment center does."
)


@endpoint(blueprint, "GET", CDS_SERVICES, returns=cds_shapes.DiscoveryShape, access=Access.PUBLIC)
def discover_cds_services(call: Call) -> Reply:  # noqa: ARG001 every view is called alike
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
    return Reply(body={"services": services}, headers={"Cache-Control": "public, max-age=300"})


@endpoint(
    blueprint,
    "POST",
    f"{CDS_SERVICES}/{{service_id}}",
    returns=cds_shapes.CardsShape,
    access=Access.EHR,
)
def call_cds_service(call: Call, service_id: str, body: HookBody) -> Reply:
    """Answer a hook with cards; nothing is stored or decided."""
    _require_hook(service_id, body)
    prefetched = body.prefetch or {}
    _require_prefetched(prefetched)
    drafts = {"draftOrders": body.context.draft_orders}
    _require_one_patient(prefetched | drafts, body.context.patient_id)
    return Reply(body={"cards": _cards(prefetched, body, today=call.now.date())})


@endpoint(
    blueprint,
    "POST",
    f"{CDS_SERVICES}/{{service_id}}/feedback",
    returns=cds_shapes.NothingShape,
    access=Access.EHR,
)
def take_cds_feedback(call: Call, service_id: str, body: FeedbackBody) -> Reply:
    """Hear what became of cards; only how many were accepted or overridden is logged."""
    _require_known(service_id)
    outcomes = [each.outcome for each in body.feedback]
    counts = {outcome: outcomes.count(outcome) for outcome in sorted(set(outcomes))}
    log.info("cds_feedback", request_id=call.request_id, counts=counts)
    return Reply(body={})


@endpoint(blueprint, "OPTIONS", CDS_SERVICES, status=204, access=Access.PUBLIC)
def preflight_discovery(call: Call) -> Reply:
    """Tell a browser whether a page of another site may ask."""
    return Reply(status=204, headers=sharing.preflight(call.headers))


@endpoint(blueprint, "OPTIONS", f"{CDS_SERVICES}/{{service_id}}", status=204, access=Access.PUBLIC)
def preflight_service(call: Call, service_id: str) -> Reply:  # noqa: ARG001 the same for each
    """Tell a browser whether a page of another site may ask."""
    return Reply(status=204, headers=sharing.preflight(call.headers))


@endpoint(
    blueprint,
    "OPTIONS",
    f"{CDS_SERVICES}/{{service_id}}/feedback",
    status=204,
    access=Access.PUBLIC,
)
def preflight_feedback(call: Call, service_id: str) -> Reply:  # noqa: ARG001 the same for each
    """Tell a browser whether a page of another site may ask."""
    return Reply(status=204, headers=sharing.preflight(call.headers))


def _require_known(service_id: str) -> str:
    if service_id not in SERVICES:
        raise NotFoundError
    return SERVICES[service_id]


def _require_hook(service_id: str, body: HookBody) -> None:
    if body.hook != _require_known(service_id):
        fault = Fault("/hook", "wrong_hook", "is not the hook of this service")
        raise MalformedError("malformed", "Some fields are not right.", faults=[fault])


def _require_prefetched(prefetched: dict[str, Any]) -> None:
    absent = [name for name in NEEDED if not isinstance(prefetched.get(name), dict)]
    if absent:
        raise PrefetchMissingError(
            [Fault(f"/prefetch/{name}", "missing", "was not sent") for name in absent]
        )


def _require_one_patient(prefetched: dict[str, Any], patient_id: str) -> None:
    """A chart of two people must never make one card."""
    from chalicelib.services.ehr import fhir_resources as fhir  # noqa: PLC0415 with all that reads charts

    others = [
        name
        for name, part in prefetched.items()
        for owner in fhir.owners(part)
        if owner != patient_id
    ]
    if others:
        faults = [
            Fault(f"/prefetch/{name}", "another_patient", "is about somebody else")
            for name in dict.fromkeys(others)
            if name in PREFETCH or name == "draftOrders"
        ]
        raise MalformedError(
            "another_patient", "Not all of this chart is about one patient.", faults=faults
        )


def _cards(prefetched: dict[str, Any], body: HookBody, *, today: date) -> list[dict[str, Any]]:
    # Rules, labels and codes are read by the first hook, not by every function that starts.
    from chalicelib.routes.ehr import cards as cds_views  # noqa: PLC0415
    from chalicelib.services.ehr import fhir_chart as chart  # noqa: PLC0415
    from chalicelib.services.ehr import fhir_resources as fhir  # noqa: PLC0415
    from chalicelib.services.eligibility import screen as screens  # noqa: PLC0415

    url = wiring.settings().public_url
    drafts = fhir.resources(body.context.draft_orders, "MedicationRequest")
    found = chart.read(prefetched, drafts=drafts, today=today)
    if found.entered is None:
        return cds_views.cards(found, None, url=url)
    try:
        screening = screens.screened(found.entered, today=today)
    except MalformedError as contradiction:
        places = [fault.message for fault in contradiction.faults]
        return cds_views.contradicting(places, url=url)
    return cds_views.cards(found, screening, url=url)
