"""Where health data goes, and where it must never go: a canary in each field, every channel searched."""

import json
from collections.abc import Iterator
from datetime import date
from typing import Annotated, Any, get_args, get_origin, get_type_hints
from urllib.parse import urlsplit

import pytest
from pydantic import BaseModel

from chalicelib.metrics import DeliveryOutcome, Metric, RouteFamily
from chalicelib.routes.consultation import request_bodies as consultation_bodies
from chalicelib.routes.handback.request_bodies import HandbackRequest
from chalicelib.routes.platform import fields
from chalicelib.routes.referrals import consent_fields, conversation_bodies
from chalicelib.routes.referrals import event_bodies as reports
from chalicelib.routes.referrals import request_bodies as bodies
from chalicelib.store.all_stores import TABLE_NAMES
from tests.support import factories
from tests.support.canaries import CANARIES, build_canary_body, find_canaries
from tests.support.coverage_driver import list_move_bodies
from tests.support.faults import FaultMode
from tests.support.handbacks import build_canary_handback
from tests.support.leak_probe import capture_outputs, dump_table, list_canary_facts
from tests.support.metric_lines import parse_metrics

OF_EVENTS = frozenset(name for name in CANARIES if name.endswith("_note"))
"""Read where the events are read, and not with the referral."""

OF_CARE = frozenset({"adverse_event_resolved_on", "bridging_regimen", "plan_place", "plan_contact"})
"""Read where the events are read, and with the referral too."""

OF_HANDBACK = frozenset(name for name in CANARIES if name.startswith("handback_"))
"""Read with the package, and with what follows from it."""

OF_CALENDARS = frozenset(
    {
        "handback_stop_on",
        "handback_driving_on",
        "handback_irradiated_until",
        "handback_center_visit_on",
        "handback_care_due_on",
    }
)
"""Days on which something is due after the return; a calendar has the day and a kind of entry."""

OF_CONVERSATION = frozenset(name for name in CANARIES if name.startswith("conversation_"))
"""Read with the messages and the information requests. What a center asked for is in the events too."""

OF_DOCUMENTS = frozenset(name for name in CANARIES if name.startswith("document_"))
"""Read with the documents; no link, notice or event has them."""

OF_CONSULTATION = frozenset(name for name in CANARIES if name.startswith("consultation_"))
"""Read with the consultation."""

OF_COVERAGE = frozenset(name for name in CANARIES if name.startswith("coverage_"))
"""Read with the coverage. The payer's number of a call is in the events too."""

OF_CHANGES = frozenset(name for name in CANARIES if name.startswith("change_"))
"""Values that were changed back: only the history of changes has them."""

OF_DRAFTS = frozenset({"unfinished"})
OF_VIEWS = frozenset({"view_name"})
"""Read with a draft, and only by its practice."""

NEVER_KEPT = frozenset({"refused_note"})
"""Words of reports that were refused; no one reads them again."""


def plan_bursts(number, _operation):
    """Throttles, lost replies and more, in turn, and longer than a client retries."""
    kinds = (FaultMode.THROTTLE, FaultMode.LOST_REPLY, FaultMode.SERVER_ERROR, FaultMode.REFUSED)
    return kinds[number // 8 % 4] if number % 8 < 3 else None


def list_free_fields(model: type[BaseModel], path: str = "") -> Iterator[str]:
    """Return the places in a body that take personal data: text, numbers, dates."""
    for name, kind in get_type_hints(model, include_extras=True).items():
        if name != "model_config":
            yield from _leaves(kind, f"{path}/{name}")


def _leaves(kind: Any, path: str) -> Iterator[str]:
    if kind in CLOSED:
        return
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        yield from list_free_fields(kind, path)
    elif get_origin(kind) is Annotated and get_args(kind)[0] in {str, date}:
        yield path
    else:
        for each in get_args(kind):
            if each is not type(None):
                yield from _leaves(each, path)


CLOSED = [
    *(fields.Identifier, fields.ReferralId, fields.Disease),
    *(consent_fields.NoneItem, bodies.UnfinishedPointer),
]
"""Kinds of text whose values all come from us."""

IN_CLEAR = {
    "/data/reason_code", "/data/until", "/data/local_date", "/data/revisit_on", "/data/ends_on",
    "/data/replacement/data/local_date", "/data/replacement/data/revisit_on",
    "/data/first_visit_on", "/data/replacement/data/first_visit_on",
    "/occurred_at", "/data/replacement/occurred_at",
}  # fmt: skip
"""When and why in codes: jobs and lists work with them, docs/decisions/0009."""

WITHOUT_CANARY = {"/data/on", "/data/replacement/data/on"}
"""Planned days are stored encrypted, but a day that must be ahead cannot be a fixed word."""


OF_STATUSES = {"/referred_on"}
"""When the first status began: in clear and in lists, as the times of all statuses are."""


def test_every_field_with_personal_data_has_a_canary():
    """From the models themselves: a new field fails here until it has one."""
    body = build_canary_body()
    free = set(list_free_fields(bodies.ReferralRequest)) - OF_STATUSES
    result = {path for path in free if not _is_canary(body, path)}
    of_reports = {
        path for report in get_args(get_args(reports.AnyEventRequest)[0]) for path in list_free_fields(report)
    }

    package = build_canary_handback()
    of_handback = {p for p in list_free_fields(HandbackRequest) if not _is_canary(package, p)}

    assert result == set()
    assert of_handback == set()
    assert of_reports - IN_CLEAR - WITHOUT_CANARY == {
        "/data/note", "/data/replacement/data/note", "/data/regimen", "/data/resolved_on",
        "/data/place", "/data/contact", "/data/replacement/data/place", "/data/replacement/data/contact",
        *(f"/data{path}" for path in list_free_fields(conversation_bodies.InformationRequestBody)),
    }  # fmt: skip
    booked = {model: set(list_free_fields(model)) for model in CONSULTATION_FIELDS}
    assert booked == CONSULTATION_FIELDS
    days = {f"/{name}" for name in (
        "begins_on", "ends_on", "deadline", "decided_on", "decision_by",
        "filed_on", "letter_on", "peer_to_peer_until", "received_on", "requested_on", "sent_on", "signed_on",
        "submitted_on", "until", "valid_until", "called_at", "call_at", "held_at",
    )}  # fmt: skip
    of_coverage = {
        path
        for name, body in list_move_bodies().items()
        for path in list_free_fields(body)
        if path.removeprefix("/") not in list_canary_facts(name)
    }
    # The codes of the checklist come from us.
    assert of_coverage - {"/item"} <= days
    talked = {model: set(list_free_fields(model)) for model in CONVERSATION_FIELDS}
    assert talked == CONVERSATION_FIELDS


CONVERSATION_FIELDS: dict[type[BaseModel], set[str]] = {
    conversation_bodies.MessageBody: {"/text"},
    conversation_bodies.InformationRequestBody: {"/items", "/text"},
    conversation_bodies.InformationAnswerBody: {"/items/text", "/note"},
}
"""Each has a canary in `tests.support.leak_probe`."""


CONSULTATION_FIELDS: dict[type[BaseModel], set[str]] = {
    consultation_bodies.ConsultationRequest: {"/slot_id", "/note"},
    # The first day is stored encrypted, but a day that must be ahead cannot be a fixed word.
    consultation_bodies.TimeRequestBody: {"/earliest_on", "/note"},
}
"""The same. A center's own times are about no patient."""


def _is_canary(body, path):
    value = body
    for step in path.removeprefix("/").split("/"):
        value = value[0][step] if isinstance(value, list) else value[step]
    return value in CANARIES.values()


@pytest.fixture(scope="module")
def captured(shared_api):
    """What was logged, emailed and refused while a referral was played and requests failed."""
    seen = capture_outputs(shared_api, plan_bursts)
    assert seen.statuses == {400, 401, 403, 404, 409, 412, 422, 500, 503}
    return seen


def test_the_search_would_find_a_leak(shared_api, captured):
    """Where a canary may be read it is found, in each spelling; only so does the rest mean something."""
    path = f"/v1/referrals/{captured.referral_id}"

    assert find_canaries(shared_api.practice.get(path).text.encode()) == (
        set(CANARIES)
        - OF_EVENTS
        - OF_HANDBACK
        - OF_CONVERSATION
        - OF_CONSULTATION
        - OF_COVERAGE
        - OF_DOCUMENTS
        - OF_CHANGES
        - OF_DRAFTS
        - OF_VIEWS
        | {"note"}
    )
    [draft] = shared_api.practice.get("/v1/referrals?stage=draft&q=qvortrup").json["items"]
    assert find_canaries(shared_api.practice.get(f"/v1/referrals/{draft['referral_id']}").text.encode()) >= OF_DRAFTS
    changes = shared_api.center.get(f"{path}/changes").text.encode()
    assert find_canaries(changes) == OF_CHANGES | {"phone", "caregiver_name", "payer"}
    handback = shared_api.practice.get(f"{path}/handback").text.encode()
    assert find_canaries(handback) == OF_HANDBACK
    consultation = shared_api.center.get(f"{path}/consultation").text.encode()
    assert find_canaries(consultation) == OF_CONSULTATION
    events = shared_api.center.get(f"{path}/events?limit=100").text.encode()
    asked = {"conversation_item", "conversation_request"}
    assert find_canaries(events) == OF_EVENTS - NEVER_KEPT - {"reopening_note"} | OF_CARE | asked | {"coverage_line"}
    talks = [shared_api.center.get(f"{path}/{kind}").text for kind in ("messages", "information-requests")]
    assert find_canaries("".join(talks).encode()) == OF_CONVERSATION
    assert find_canaries(shared_api.practice.get(f"{path}/documents").text.encode()) == OF_DOCUMENTS
    coverage = shared_api.center.get(f"{path}/coverage").text.encode()
    assert find_canaries(coverage) == OF_COVERAGE
    assert find_canaries(shared_api.practice.get("/v1/views").text.encode()) == OF_VIEWS
    for canary in CANARIES.values():
        assert find_canaries(canary.encode().hex().encode())
        assert find_canaries(b"x" + canary.upper().encode() + b"y")
        assert find_canaries(json.dumps({"x": canary}).encode())


def test_no_log_contains_patient_data(captured):
    """No logger, ours or a library's, at any level, whatever failed."""
    assert b"unexpected" in captured.logs
    assert find_canaries(captured.logs) == set()


def test_no_metric_contains_patient_data_or_anything_that_someone_typed(shared_api, captured):
    """Each word of a metric is from a list of ours, and everything else is a number."""
    lines = parse_metrics(captured.metrics.decode())
    names = {tenant.name for tenant in factories.TENANTS} | {member.email for member in shared_api.members.values()}

    assert {name for line in lines for name in line.values} >= {Metric.LATENCY, Metric.DELIVERIES, Metric.EMAILS_SENT}
    assert find_canaries(captured.metrics) == set()
    assert not [name for name in names if name in captured.metrics.decode()]
    for line in lines:
        assert line.values.keys() <= set(Metric)
        assert set(line.dimensions.items()) <= ALLOWED_DIMENSIONS


ALLOWED_DIMENSIONS = {
    *(("Family", family.value) for family in RouteFamily),
    *(("Outcome", outcome.value) for outcome in DeliveryOutcome),
}


def test_no_email_contains_patient_data_except_the_alias(captured):
    """Subject, text, page, headers, tags."""
    assert find_canaries(captured.mails) == {"alias"}


def test_no_refusal_contains_patient_data(captured):
    """Whatever was wrong with a request, its response repeats nothing of it."""
    assert find_canaries(captured.refusals) == set()


@pytest.mark.parametrize("table", TABLE_NAMES)
def test_no_table_contains_patient_data_in_clear_text(captured, table):
    """It is encrypted, also in stored responses and parked deliveries."""
    assert find_canaries(dump_table(table)) == set()


def test_a_list_contains_only_what_identifies_the_patient(shared_api, captured):
    """Finding a referral takes a name, a birth date, a record number and the provider, and no history."""
    result = shared_api.practice.get("/v1/referrals?q=qvortrup").text.encode()

    assert find_canaries(result) == {"family_name", "given_name", "birth_date", "alias", "mrn", "provider_name"}


def test_a_member_without_access_reads_nothing(shared_api, captured):
    """Neither of the two tenants that are not involved, nor an administrator."""
    path = f"/v1/referrals/{captured.referral_id}"
    strangers = [shared_api.other_practice, shared_api.other_center]
    strangers += [shared_api.get_client_for(shared_api.members[name]) for name in ("practice_admin", "operator")]

    for site in strangers:
        paths = (path, f"{path}/events", f"{path}/changes", f"{path}/handback", f"{path}/follow-up",
                 f"{path}/messages", f"{path}/information-requests", f"{path}/documents", f"{path}/consultation",
                 f"{path}/follow-up.ics", f"{path}/packet.pdf", "/v1/referrals", "/v1/notices")  # fmt: skip
        result = [site.get(p).text for p in paths]
        assert find_canaries("".join(result).encode()) == set()


def test_a_calendar_contains_only_alias_and_days(shared_api, captured):
    """It is stored in calendars of third parties: the days of the follow-up, and no word why."""
    url = shared_api.center.post("/v1/me/calendar", None).json["url"]
    file = shared_api.practice.get(f"/v1/referrals/{captured.referral_id}/follow-up.ics").text

    assert find_canaries(file.encode()) == {"alias"} | OF_CALENDARS
    assert find_canaries(shared_api.anyone.get(urlsplit(url).path).text.encode()) <= {"alias"} | OF_CALENDARS


def test_no_address_contains_patient_data(captured):
    """Resources have opaque ids; an alias is not made from a name."""
    assert find_canaries(captured.addresses) == set()
    assert b"/v1/referrals/ref_" in captured.addresses
