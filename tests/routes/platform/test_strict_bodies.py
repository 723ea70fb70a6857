"""Bodies are read strictly: what does not follow the contract is 400, never 500."""

import json
from typing import Any

import pytest
import time_machine

from tests.support import factories
from tests.support.attack_payloads import RAW_BODIES
from tests.support.wrong_values import UNKNOWN_IN_EVENTS, WRONG_IN_EVENTS, WRONG_IN_REFERRALS, WRONG_QUERIES

NOWHERE = "ref_" + "a" * 26
NOW = "2026-11-20T10:00:00-05:00"
RAW = {f"{code}: {name}": (code, raw) for code, all_ in RAW_BODIES.items() for name, raw in all_.items()}


def referral(world, raw):
    return world.practice.post("/v1/referrals", raw)


def patch(world, raw):
    headers = {"If-Match": '"1"'}
    return world.practice.send("PATCH", f"/v1/referrals/{NOWHERE}", raw, headers=headers)


def event(world, raw):
    return world.center.post(f"/v1/referrals/{NOWHERE}/events", raw)


def sign_in(world, raw):
    return world.anyone.post("/v1/sessions", raw, key=None)


def invitation(world, raw):
    return world.get_client_for(world.members["practice_admin"]).post("/v1/members", raw)


def webhook(world, raw):
    return world.deliver_raw(raw)


SENDERS = [referral, patch, event, sign_in, invitation, webhook]


@pytest.mark.parametrize("send", SENDERS, ids=lambda send: send.__name__)
@pytest.mark.parametrize(("code", "raw"), list(RAW.values()), ids=list(RAW))
def test_json_that_two_parsers_could_read_differently_is_refused(shared_api, send, code, raw):
    """Not JSON, not text, too deep, too long, a key twice: one clear code, on every route."""
    answer = send(shared_api, raw)

    assert answer.json["code"] == code
    assert answer.status == (413 if code == "too_large" else 400)


def test_a_body_may_be_as_large_as_the_limit(shared_api):
    """The limit itself is allowed: the refusal is about the content."""
    body = b'{"note": "' + b"x" * (128 * 1024 - 12) + b'"}'

    assert referral(shared_api, body).json["code"] == "malformed"


def pointers(answer):
    return {error["pointer"] for error in answer.json["errors"]}


def with_value(body: Any, pointer: str, value: Any) -> Any:
    """Copy `body` with `value` at a JSON pointer; a missing name is added."""
    copy = json.loads(json.dumps(body))
    *path, last = pointer.strip("/").split("/")
    place = copy
    for step in path:
        place = place[int(step) if isinstance(place, list) else step]
    place[int(last) if isinstance(place, list) else last] = value
    return copy


OBJECTS = [
    "",
    "/patient",
    "/patient/caregiver",
    "/clinical",
    "/clinical/prior_lines/0",
    "/clinical/flags",
    "/referring_provider",
    "/insurance",
    "/consent_to_share",
]


@pytest.mark.parametrize("at", OBJECTS)
@pytest.mark.parametrize("name", ["unknown_field", "constructor", "__proto__"])
def test_an_unknown_field_is_refused_where_it_is(shared_api, at, name):
    """On every level: a misspelled field is never silently lost, and its name is not repeated."""
    body = with_value(factories.build_referral_body(), f"{at}/{name}", "x")

    answer = shared_api.practice.post("/v1/referrals", body)

    assert (answer.status, pointers(answer)) == (400, {f"{at}/…"})
    assert name not in answer.text
    assert answer.json["errors"][0]["code"] == "extra_forbidden"


@pytest.mark.parametrize(
    "field",
    ["stage", "version", "practice_id", "created_by", "owner", "phase", "window", "referral_id",
     "submitted_at", "audit", "role", "alias", "head", "actions", "clock"],
)  # fmt: skip
def test_fields_of_the_product_cannot_be_sent(shared_api, field):
    """Neither a new referral nor a change accepts a field that is ours."""
    draft = shared_api.refer(submit=False)

    made = shared_api.practice.post("/v1/referrals", factories.build_referral_body() | {field: "x"})
    changed = shared_api.practice.patch(f"/v1/referrals/{draft['referral_id']}", {field: 1}, version=1)

    assert (made.status, pointers(made)) == (400, {"/…"})
    assert (changed.status, pointers(changed)) == (400, {"/…"})


def _short(value: Any) -> str:
    return ascii(value)[:40]


@pytest.mark.parametrize("pointer", WRONG_IN_REFERRALS)
def test_a_value_of_the_wrong_kind_is_refused_by_its_pointer(shared_api, pointer):
    """No text for a number, no 1 for true, no Unix time for a day, no two addresses for one."""
    refused = {}
    for value in WRONG_IN_REFERRALS[pointer]:
        body = with_value(factories.build_referral_body(), pointer, value)
        answer = shared_api.practice.post("/v1/referrals", body)
        right_place = {at for at in pointers(answer) if at.startswith(pointer)}
        refused[_short(value)] = (answer.status, pointers(answer) == right_place != set())

    assert refused == dict.fromkeys(refused, (400, True))


EVENT = {
    "type": "stage.changed",
    "occurred_at": NOW,
    "sequence": 1,
    "data": {
        "stage": "received",
        "part": 1,
        "of": 1,
        "local_date": "2026-11-20",
        "reason_code": "unknown",
        "note": "x",
    },
}


@pytest.mark.parametrize("pointer", WRONG_IN_EVENTS)
def test_both_event_routes_are_equally_strict(shared_api, pointer):
    """People's events and webhooks take the same body and refuse the same things by the same pointer."""
    refused = {}
    for value in WRONG_IN_EVENTS[pointer]:
        body = with_value(EVENT, pointer, value)
        signed = {**body, "referral_id": NOWHERE}
        answers = [event(shared_api, json.dumps(body)), webhook(shared_api, json.dumps(signed).encode())]
        refused[_short(value)] = [(a.status, pointers(a) == {pointer}) for a in answers]

    assert refused == {value: [(400, True), (400, True)] for value in refused}


@pytest.mark.parametrize("pointer", UNKNOWN_IN_EVENTS)
def test_only_a_person_is_refused_for_an_unknown_member(shared_api, pointer):
    """A person is told of a typing error; a feed that sends more than we know goes on working."""
    body = with_value(EVENT, pointer, "center")

    by_person = event(shared_api, json.dumps(body))
    by_system = webhook(shared_api, json.dumps({**body, "referral_id": NOWHERE}).encode())

    assert (by_person.status, pointers(by_person)) == (400, {f"{pointer.rpartition('/')[0]}/…"})
    assert by_system.status == 202


@pytest.mark.parametrize("section", ["patient", "clinical", "referring_provider"])
def test_a_section_without_an_object_is_named(shared_api, section):
    """A draft can leave out a section, but not send null for it."""
    answer = shared_api.practice.post("/v1/referrals", factories.build_referral_body() | {section: None})

    assert (answer.status, pointers(answer)) == (400, {f"/{section}"})


def test_everything_that_is_wrong_is_named_at_once(shared_api):
    """No one corrects a form one field at a time."""
    body = factories.build_referral_body(
        patient__birth_date="soon", clinical__ecog=9, referring_provider__npi="1", urgency="now"
    )

    assert pointers(shared_api.practice.post("/v1/referrals", body)) == {
        "/patient/birth_date",
        "/clinical/ecog",
        "/referring_provider/npi",
        "/urgency",
    }


@pytest.mark.parametrize(
    ("clock", "day", "status"),
    [
        ("2026-11-22T09:59:00Z", "2026-11-22", 201),
        ("2026-11-22T09:59:00Z", "2026-11-23", 400),
        ("2026-11-22T10:00:00Z", "2026-11-23", 201),
        ("2026-11-22T10:00:00Z", "2062-04-02", 400),
    ],
)
def test_a_birth_date_in_the_future_is_refused(shared_api, clock, day, status):
    """A day has begun as soon as it has anywhere, 14 hours ahead of UTC."""
    with time_machine.travel(clock, tick=False):
        answer = shared_api.practice.post("/v1/referrals", factories.build_referral_body(patient__birth_date=day))

    assert answer.status == status
    assert status == 201 or pointers(answer) == {"/patient/birth_date"}


@pytest.mark.parametrize("path", WRONG_QUERIES)
def test_an_unknown_or_wrong_parameter_is_refused(shared_api, path):
    """A misspelled filter must not widen a list."""
    refused = {query: shared_api.practice.get(f"{path}?{query}").status for query in WRONG_QUERIES[path]}

    assert refused == dict.fromkeys(WRONG_QUERIES[path], 400)
