"""Referrals: write, change, read, move."""

import json
from typing import Any

from chalice import Blueprint

from chalicelib import wiring
from chalicelib.domain.identity.members import TenantKind
from chalicelib.domain.referrals.events import EventSource, derive_id
from chalicelib.domain.referrals.referral import Referral
from chalicelib.domain.referrals.worklists import ListViewer, Worklist
from chalicelib.errors import MalformedError, NotFoundError
from chalicelib.routes import response_schemas as shapes
from chalicelib.routes.platform import cursors
from chalicelib.routes.platform.endpoint import ApiResponse, declare_endpoint, from_stored_response
from chalicelib.routes.platform.query_params import PageQuery, ReferralQuery
from chalicelib.routes.platform.request import ApiRequest
from chalicelib.routes.referrals import response_schemas as referral_shapes
from chalicelib.routes.referrals import responses as views
from chalicelib.routes.referrals.event_bodies import EventBody, EventReporter, build_event
from chalicelib.routes.referrals.journey_responses import PHASE_LABELS
from chalicelib.routes.referrals.request_bodies import ReferralBody, ReferralPatch
from chalicelib.routes.referrals.timeline_responses import to_event_response
from chalicelib.services.audit import trail as audits
from chalicelib.services.notices.planned_list import list_planned_notices
from chalicelib.services.referrals import create as intake
from chalicelib.services.referrals import read_and_amend as referrals
from chalicelib.services.referrals import report_event as journey
from chalicelib.services.referrals import search as lists
from chalicelib.services.referrals import unread as news
from chalicelib.services.referrals.report_event import ReportResult
from chalicelib.store.webhooks.idempotency import StoredResponse

blueprint = Blueprint(__name__)

AUDIT_FIELDS = ("at", "actor_id", "tenant_id", "action", "outcome", "version", "request_id")
REFERRAL_SECTIONS = ("patient", "clinical", "referring_provider", "insurance", "consent_to_share", "note")


@declare_endpoint(
    blueprint,
    "POST",
    "/v1/referrals",
    response_schema=referral_shapes.ReferralShape,
    status=201,
    needs_idempotency_key=True,
)
def create_referral(request: ApiRequest, body: ReferralBody) -> ApiResponse:
    """Refer a patient: as a draft, or sent to the center at once."""
    member = request.member

    def answer(referral: Referral) -> StoredResponse:
        location = f"/v1/referrals/{referral.referral_id}"
        headers = {"Location": location, **views.build_referral_etag(referral)}
        return StoredResponse(
            status=201,
            headers=headers,
            body=views.to_referral_response(referral, member, viewer=_build_list_viewer(request)),
        )

    answered = intake.create_referral(
        _to_new_referral(body),
        submit=body.submit,
        referral_id=wiring.generate_id("ref"),
        member=member,
        request=request.idempotent_request,
        build_response=answer,
        context=request.context,
    )
    return from_stored_response(answered)


@declare_endpoint(blueprint, "GET", "/v1/referrals", response_schema=referral_shapes.ReferralPageShape)
def list_referrals(request: ApiRequest, query: ReferralQuery) -> ApiResponse:
    """List the referrals of one's own practice or center, latest change first."""
    is_news = _load_unread_check(request)
    found, position = lists.list_referrals(
        _to_filter(query),
        limit=query.limit,
        start=cursors.decode_cursor(query.cursor, request, query),
        member=request.member,
        context=request.context,
        has_unread=is_news,
    )
    reader = _build_list_viewer(request)
    items = [views.to_summary_response(row, reader, changed_since_seen=is_news(row)) for row in found]
    return cursors.build_page_response(items, position, request, query)


@declare_endpoint(blueprint, "GET", "/v1/referrals/counts", response_schema=referral_shapes.CountsShape)
def count_referrals(request: ApiRequest) -> ApiResponse:
    """Count the referrals of one's own practice or center by phase and worklist."""
    phases, worklists = lists.count_referrals(
        member=request.member, context=request.context, has_unread=_load_unread_check(request)
    )
    return ApiResponse(
        body={
            "total": sum(phases.values()),
            "phases": {phase: phases.get(phase, 0) for phase in PHASE_LABELS},
            "worklists": {name: worklists.get(name, 0) for name in Worklist},
        }
    )


@declare_endpoint(blueprint, "GET", "/v1/referrals/{referral_id}", response_schema=referral_shapes.ReferralShape)
def read_referral(request: ApiRequest, referral_id: str) -> ApiResponse:
    """Read one referral."""
    referral = _read_referral_response(request, referral_id)
    notices = list_planned_notices(referral, stores=wiring.get_stores())
    response = views.to_referral_response(
        referral,
        request.member,
        viewer=_build_list_viewer(request),
        notices=notices,
        changed_since_seen=news.has_unread_changes(referral, member=request.member, context=request.context),
    )
    return ApiResponse(body=response, headers=views.build_referral_etag(referral))


@declare_endpoint(
    blueprint,
    "PATCH",
    "/v1/referrals/{referral_id}",
    response_schema=referral_shapes.ReferralShape,
    needs_if_match=True,
)
def amend_referral(request: ApiRequest, referral_id: str, body: ReferralPatch) -> ApiResponse:
    """Change what the practice sends, while the center has not started with it."""
    changes = _to_plain_json(body, exclude_unset=True)
    patient = changes.get("patient")
    if patient and patient.get("alias"):
        changes["alias"] = patient["alias"]
    _reject_emptied_sections(changes)
    referral = referrals.amend_referral(
        referral_id,
        changes,
        version=request.version,
        member=request.member,
        context=request.context,
    )
    return ApiResponse(
        body=views.to_referral_response(referral, request.member, viewer=_build_list_viewer(request)),
        headers=views.build_referral_etag(referral),
    )


@declare_endpoint(
    blueprint,
    "POST",
    "/v1/referrals/{referral_id}/events",
    response_schema=referral_shapes.OutcomeShape,
    needs_idempotency_key=True,
)
def report_event(request: ApiRequest, referral_id: str, body: EventBody) -> ApiResponse:
    """Report what happened; the only way to move a referral."""
    event = build_event(body.root, referral_id=referral_id, reporter=_build_reporter(request))
    answered = journey.report_by_member(
        event,
        member=request.member,
        request=request.idempotent_request,
        build_response=lambda outcome: StoredResponse(status=200, headers={}, body=to_report_response(outcome)),
        context=request.context,
    )
    return from_stored_response(answered)


@declare_endpoint(
    blueprint, "GET", "/v1/referrals/{referral_id}/events", response_schema=referral_shapes.EventPageShape
)
def list_events(request: ApiRequest, referral_id: str, query: PageQuery) -> ApiResponse:
    """Read the timeline of a referral, newest first."""
    events, position = referrals.list_timeline(
        referral_id,
        limit=query.limit,
        start=cursors.decode_cursor(query.cursor, request, query),
        member=request.member,
        context=request.context,
    )
    return cursors.build_page_response([to_event_response(event) for event in events], position, request, query)


@declare_endpoint(blueprint, "GET", "/v1/referrals/{referral_id}/window", response_schema=referral_shapes.WindowShape)
def read_window(request: ApiRequest, referral_id: str) -> ApiResponse:
    """Read the monitoring window: its days, and the notices planned and sent."""
    referral = _read_referral_response(request, referral_id)
    if referral.window is None:
        raise NotFoundError
    notices = list_planned_notices(referral, stores=wiring.get_stores())
    return ApiResponse(
        body=views.to_window_response(referral.window, notices), headers=views.build_referral_etag(referral)
    )


@declare_endpoint(blueprint, "GET", "/v1/referrals/{referral_id}/audit", response_schema=shapes.TrailShape)
def read_audit(request: ApiRequest, referral_id: str) -> ApiResponse:
    """Read who touched a referral, latest first; for administrators of either side."""
    rows = audits.read_audit_trail(referral_id, by=request.member, context=request.context)
    return ApiResponse(body={"items": [{n: row.get(n) for n in AUDIT_FIELDS} for row in rows]})


def to_report_response(outcome: ReportResult) -> dict[str, Any]:
    """What became of a report, as a person and a feed are told alike."""
    return {
        "status": outcome.status,
        "referral_id": outcome.referral_id,
        "event_id": outcome.event_id,
        "stage": outcome.stage,
    }


def _build_reporter(request: ApiRequest) -> EventReporter:
    """The signed-in member as the one who reports; the id comes from the Idempotency-Key.

    Raises:
        NotFoundError: an operator, who is of neither side, sees no referral.
    """
    member = request.member
    if member.kind is TenantKind.OPERATOR:
        raise NotFoundError
    return EventReporter(
        event_id=derive_id("evt", request.idempotent_request.scope_key),
        actor=member.actor,
        source=EventSource.PRACTICE if member.kind is TenantKind.PRACTICE else EventSource.CENTER,
        actor_id=member.member_id,
        actor_name=member.name,
        recorded_at=request.now,
    )


def _load_unread_check(request: ApiRequest) -> news.HasUnread:
    return news.load_unread_check(request.member, context=request.context)


def _build_list_viewer(request: ApiRequest) -> ListViewer:
    return lists.build_list_viewer(request.member, context=request.context)


def _read_referral_response(request: ApiRequest, referral_id: str) -> Referral:
    return referrals.read_referral(
        referral_id, member=request.member, request_id=request.request_id, context=request.context
    )


def _to_new_referral(body: ReferralBody) -> intake.NewReferral:
    details = _to_plain_json(body)
    return intake.NewReferral(
        details={name: details[name] for name in REFERRAL_SECTIONS},
        alias=details["patient"].get("alias") or None,
        product_id=body.product_id,
        center_id=body.center_id,
        urgency=body.urgency,
        continues=body.continues,
    )


def _to_plain_json(body: ReferralBody | ReferralPatch, *, exclude_unset: bool = False) -> dict[str, Any]:
    """The body as plain JSON values: what is stored and told again."""
    values: dict[str, Any] = json.loads(body.model_dump_json(exclude_unset=exclude_unset))
    return values


def _reject_emptied_sections(changes: dict[str, Any]) -> None:
    needed = ("patient", "clinical", "referring_provider", "urgency")
    emptied = [name for name in needed if name in changes and changes[name] is None]
    if emptied:
        raise MalformedError("section_needed", "A referral cannot do without this section.")


def _to_filter(query: ReferralQuery) -> lists.ReferralFilter:
    equal = {"stage": query.stage, "phase": query.phase, "center_id": query.center_id}
    return lists.ReferralFilter(
        exact={name: str(value) for name, value in equal.items() if value},
        since=query.updated_since,
        search_text=query.q or None,
        late=query.late,
        worklist=query.worklist,
    )
