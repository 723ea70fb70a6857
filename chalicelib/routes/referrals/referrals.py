"""Referrals: write, change, read, move."""

import json
from typing import Any

from chalice import Blueprint

from chalicelib import wiring
from chalicelib.domain.identity.members import TenantKind
from chalicelib.domain.referrals.events import Source, derived_id
from chalicelib.domain.referrals.referral import Referral
from chalicelib.domain.referrals.worklists import Reader, Worklist
from chalicelib.errors import MalformedError, NotFoundError
from chalicelib.routes import response_schemas as shapes
from chalicelib.routes.platform import cursors
from chalicelib.routes.platform.endpoint import Reply, endpoint, replied
from chalicelib.routes.platform.query_params import PageQuery, ReferralQuery
from chalicelib.routes.platform.request import Call
from chalicelib.routes.referrals import response_schemas as referral_shapes
from chalicelib.routes.referrals import responses as views
from chalicelib.routes.referrals.event_bodies import EventBody, Reporter, event_of
from chalicelib.routes.referrals.journey_responses import PHASE_LABELS
from chalicelib.routes.referrals.request_bodies import ReferralBody, ReferralPatch
from chalicelib.routes.referrals.timeline_responses import event_told
from chalicelib.services.audit import trail as audits
from chalicelib.services.notices.planned_list import planned_notices
from chalicelib.services.referrals import create as intake
from chalicelib.services.referrals import read_and_amend as referrals
from chalicelib.services.referrals import report_event as journey
from chalicelib.services.referrals import search as lists
from chalicelib.services.referrals import unread as news
from chalicelib.services.referrals.event_writes import Outcome
from chalicelib.store.webhooks.idempotency import Answer

blueprint = Blueprint(__name__)

TRAIL = ("at", "actor_id", "tenant_id", "action", "outcome", "version", "request_id")
SECTIONS = ("patient", "clinical", "referring_provider", "insurance", "consent_to_share", "note")


@endpoint(
    blueprint,
    "POST",
    "/v1/referrals",
    returns=referral_shapes.ReferralShape,
    status=201,
    keyed=True,
)
def create_referral(call: Call, body: ReferralBody) -> Reply:
    """Refer a patient: as a draft, or sent to the center at once."""
    member = call.member

    def answer(referral: Referral) -> Answer:
        location = f"/v1/referrals/{referral.referral_id}"
        headers = {"Location": location, **views.etag(referral)}
        return Answer(
            status=201,
            headers=headers,
            body=views.referral_told(referral, member, reader=_reader(call)),
        )

    answered = intake.refer(
        _intake(body),
        submit=body.submit,
        referral_id=wiring.new_id("ref"),
        member=member,
        request=call.as_request,
        answer=answer,
        stores=wiring.stores(),
        now=call.now,
    )
    return replied(answered)


@endpoint(blueprint, "GET", "/v1/referrals", returns=referral_shapes.ReferralPageShape)
def list_referrals(call: Call, query: ReferralQuery) -> Reply:
    """List the referrals of one's own practice or center, latest change first."""
    is_news = _is_news(call)
    found, position = lists.list_page(
        _filter(query),
        limit=query.limit,
        start=cursors.opened(query.cursor, call, query),
        member=call.member,
        stores=wiring.stores(),
        now=call.now,
        is_news=is_news,
    )
    reader = _reader(call)
    told = [views.summary_told(row, reader, changed_since_seen=is_news(row)) for row in found]
    return cursors.page(told, position, call, query)


@endpoint(blueprint, "GET", "/v1/referrals/counts", returns=referral_shapes.CountsShape)
def count_referrals(call: Call) -> Reply:
    """Count the referrals of one's own practice or center by phase and worklist."""
    phases, worklists = lists.counts(
        member=call.member, stores=wiring.stores(), now=call.now, is_news=_is_news(call)
    )
    return Reply(
        body={
            "total": sum(phases.values()),
            "phases": {phase: phases.get(phase, 0) for phase in PHASE_LABELS},
            "worklists": {name: worklists.get(name, 0) for name in Worklist},
        }
    )


@endpoint(blueprint, "GET", "/v1/referrals/{referral_id}", returns=referral_shapes.ReferralShape)
def read_referral(call: Call, referral_id: str) -> Reply:
    """Read one referral."""
    referral = _read(call, referral_id)
    notices = planned_notices(referral, stores=wiring.stores())
    told = views.referral_told(
        referral,
        call.member,
        reader=_reader(call),
        notices=notices,
        changed_since_seen=news.is_new(
            referral, member=call.member, stores=wiring.stores(), now=call.now
        ),
    )
    return Reply(body=told, headers=views.etag(referral))


@endpoint(
    blueprint,
    "PATCH",
    "/v1/referrals/{referral_id}",
    returns=referral_shapes.ReferralShape,
    matched=True,
)
def amend_referral(call: Call, referral_id: str, body: ReferralPatch) -> Reply:
    """Change what the practice sends, while the center has not started with it."""
    changes = _told(body, exclude_unset=True)
    patient = changes.get("patient")
    if patient and patient.get("alias"):
        changes["alias"] = patient["alias"]
    _refuse_emptied(changes)
    referral = referrals.amend(
        referral_id,
        changes,
        version=call.version,
        member=call.member,
        stores=wiring.stores(),
        now=call.now,
    )
    return Reply(
        body=views.referral_told(referral, call.member, reader=_reader(call)),
        headers=views.etag(referral),
    )


@endpoint(
    blueprint,
    "POST",
    "/v1/referrals/{referral_id}/events",
    returns=referral_shapes.OutcomeShape,
    keyed=True,
)
def report_event(call: Call, referral_id: str, body: EventBody) -> Reply:
    """Report what happened; the only way to move a referral."""
    event = event_of(body.root, referral_id=referral_id, by=_reporter(call))
    answered = journey.report_by_member(
        event,
        member=call.member,
        request=call.as_request,
        answer=lambda outcome: Answer(status=200, headers={}, body=outcome_told(outcome)),
        stores=wiring.stores(),
        now=call.now,
    )
    return replied(answered)


@endpoint(
    blueprint, "GET", "/v1/referrals/{referral_id}/events", returns=referral_shapes.EventPageShape
)
def list_events(call: Call, referral_id: str, query: PageQuery) -> Reply:
    """Read the timeline of a referral, newest first."""
    events, position = referrals.timeline(
        referral_id,
        limit=query.limit,
        start=cursors.opened(query.cursor, call, query),
        member=call.member,
        stores=wiring.stores(),
        now=call.now,
    )
    return cursors.page([event_told(event) for event in events], position, call, query)


@endpoint(
    blueprint, "GET", "/v1/referrals/{referral_id}/window", returns=referral_shapes.WindowShape
)
def read_window(call: Call, referral_id: str) -> Reply:
    """Read the monitoring window: its days, and the notices planned and sent."""
    referral = _read(call, referral_id)
    if referral.window is None:
        raise NotFoundError
    notices = planned_notices(referral, stores=wiring.stores())
    return Reply(body=views.window_told(referral.window, notices), headers=views.etag(referral))


@endpoint(blueprint, "GET", "/v1/referrals/{referral_id}/audit", returns=shapes.TrailShape)
def read_audit(call: Call, referral_id: str) -> Reply:
    """Read who touched a referral, latest first; for administrators of either side."""
    rows = audits.trail(referral_id, by=call.member, stores=wiring.stores(), now=call.now)
    return Reply(body={"items": [{n: row.get(n) for n in TRAIL} for row in rows]})


def outcome_told(outcome: Outcome) -> dict[str, Any]:
    """What became of a report, as a person and a feed are told alike."""
    return {
        "status": outcome.status,
        "referral_id": outcome.referral_id,
        "event_id": outcome.event_id,
        "stage": outcome.stage,
    }


def _reporter(call: Call) -> Reporter:
    """The signed-in member as the one who reports; the id comes from the Idempotency-Key.

    Raises:
        NotFoundError: an operator, who is of neither side, sees no referral.
    """
    member = call.member
    if member.kind is TenantKind.OPERATOR:
        raise NotFoundError
    return Reporter(
        event_id=derived_id("evt", call.as_request.scope_key),
        actor=member.actor,
        source=Source.PRACTICE if member.kind is TenantKind.PRACTICE else Source.CENTER,
        actor_id=member.member_id,
        actor_name=member.name,
        recorded_at=call.now,
    )


def _is_news(call: Call) -> news.IsNews:
    return news.watching(call.member, stores=wiring.stores(), now=call.now)


def _reader(call: Call) -> Reader:
    return lists.reader_of(call.member, stores=wiring.stores(), now=call.now)


def _read(call: Call, referral_id: str) -> Referral:
    return referrals.read(
        referral_id,
        member=call.member,
        request_id=call.request_id,
        stores=wiring.stores(),
        now=call.now,
    )


def _intake(body: ReferralBody) -> intake.Intake:
    told = _told(body)
    return intake.Intake(
        details={name: told[name] for name in SECTIONS},
        alias=told["patient"].get("alias") or None,
        product_id=body.product_id,
        center_id=body.center_id,
        urgency=body.urgency,
        continues=body.continues,
    )


def _told(body: ReferralBody | ReferralPatch, *, exclude_unset: bool = False) -> dict[str, Any]:
    """The body as plain JSON values: what is stored and told again."""
    told: dict[str, Any] = json.loads(body.model_dump_json(exclude_unset=exclude_unset))
    return told


def _refuse_emptied(changes: dict[str, Any]) -> None:
    needed = ("patient", "clinical", "referring_provider", "urgency")
    emptied = [name for name in needed if name in changes and changes[name] is None]
    if emptied:
        raise MalformedError("section_needed", "A referral cannot do without this section.")


def _filter(query: ReferralQuery) -> lists.Filter:
    equal = {"stage": query.stage, "phase": query.phase, "center_id": query.center_id}
    return lists.Filter(
        equal={name: str(value) for name, value in equal.items() if value},
        since=query.updated_since,
        q=query.q or None,
        late=query.late,
        worklist=query.worklist,
    )
