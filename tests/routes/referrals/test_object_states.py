"""Who can see and change a referral, in each state: each state, route and role."""

from functools import cache

import pytest

from chalicelib import wiring
from tests.support import route_policy as policy
from tests.support.api_driver import STAGES_TO_INFUSED
from tests.support.route_policy import ADMINS, CENTER_CARE, MEMBERS, PRACTICE_CARE, QUERIES, build_fax_body

REQUEST_ID = "one-request-id-for-all"
NOWHERE = "ref_" + "a" * 26
ROUTES = [route for route in policy.GUARDED_ROUTES if "{referral_id}" in route[1]]


def report(site, referral_id, kind, **data):
    answer = site.post(
        f"/v1/referrals/{referral_id}/events",
        {"type": kind, "occurred_at": wiring.read_clock().isoformat(), "data": data},
    )
    assert answer.status == 200, answer.text


def draft(world):
    return world.refer(submit=False)["referral_id"]


def submitted(world):
    return world.refer()["referral_id"]


def accepted(world):
    referral_id = submitted(world)
    world.move_to(referral_id, *STAGES_TO_INFUSED[:2])
    return referral_id


def proceeding(world):
    referral_id = submitted(world)
    world.move_to(referral_id, *STAGES_TO_INFUSED[:5])
    return referral_id


def infused(world):
    referral_id = submitted(world)
    world.move_to(referral_id, *STAGES_TO_INFUSED)
    return referral_id


def held(world):
    referral_id = accepted(world)
    report(world.center, referral_id, "hold.started", reason_code="patient_choice")
    return referral_id


def declined(world):
    referral_id = submitted(world)
    world.move_to(referral_id, "received")
    report(world.center, referral_id, "stage.changed", stage="declined", reason_code="capacity_full")
    return referral_id


def withdrawn(world):
    referral_id = submitted(world)
    reason = "patient_choice"
    report(world.practice, referral_id, "stage.changed", stage="withdrawn", reason_code=reason)
    return referral_id


def withdrawn_draft(world):
    referral_id = draft(world)
    reason = "patient_choice"
    report(world.practice, referral_id, "stage.changed", stage="withdrawn", reason_code=reason)
    return referral_id


def continued(world):
    referral_id = declined(world)
    world.refer(continues=referral_id, center_id="ctr_mesa")
    return referral_id


STATES = {
    make.__name__: make
    for make in (draft, submitted, accepted, proceeding, infused, held, declined, withdrawn,
                 withdrawn_draft, continued)
}  # fmt: skip

NEVER_SENT = {"draft", "withdrawn_draft"}
"""What a center has never been sent, it never learns of."""

AFTER_THE_CENTER_WENT_ON = {"proceeding", "infused"}
"""Where a practice has to ask, and so may."""


def expected(state, route, handle):
    """Return what the hand-written rules say: who sees it, and the outcome of the request then."""
    method, path = route
    sees = PRACTICE_CARE | (frozenset() if state in NEVER_SENT else CENTER_CARE)
    if path.endswith("/audit"):
        admins = {"practice_admin"} | (set() if state in NEVER_SENT else {"center_admin"})
        return (200 if handle in admins else 404) if handle in ADMINS else 403
    if handle not in sees:
        return 404
    if method != "GET":
        return change_expected(state, route, handle)
    if "{document_id}" in path:
        return 404
    if path.endswith("/consultation.ics"):
        return 404  # Nothing is planned.
    return 404 if path.endswith(AFTER_AN_INFUSION) and state != "infused" else 200


def change_expected(state, route, handle):
    """The same for requests that change something; the version is always a wrong one."""
    method, path = route
    for part, expect in EXPECTED_BY_PART.items():
        if part in path:
            return expect(state, route, handle)
    if method == "PATCH":
        return 412 if handle in PRACTICE_CARE else 403
    if path.endswith("/look"):
        return 412
    if method == "PUT":
        stale_or_early = 412 if state == "infused" else 409
        return stale_or_early if handle in CENTER_CARE else 403
    asks = handle in PRACTICE_CARE and state in AFTER_THE_CENTER_WENT_ON
    return 200 if asks else 409


def document_expected(state, route, handle):
    """Both sides add documents while the referral is open. There is none yet to open or remove."""
    if not route[1].endswith("/documents"):
        return 404
    return 409 if state in NEVER_SENT | ENDED else 201


def consultation_expected(state, route, handle):
    """A time is booked, or asked for, only while the center has an open referral."""
    method = route[0]
    if method == "POST" and handle in CENTER_CARE:
        return 403
    if state in ENDED | {"draft"}:
        return 409
    return 201 if method == "POST" else 412


def conversation_expected(state, route, handle):
    """Messages stay possible after an ending; requests do not. Nothing was asked or written before."""
    path = route[1]
    if path.endswith("/read"):
        return 400
    if path.endswith("/messages"):
        return 409 if state in NEVER_SENT else 201
    asks = path.endswith("/information-requests")
    if handle not in (PRACTICE_CARE if path.endswith("/answer") else CENTER_CARE):
        return 403
    if not asks:
        return 404
    # The second member of the center asks for what the first one already asked for.
    return 201 if state not in ENDED and handle == "center" else 409


def coverage_expected(_state, route, handle):
    """The version is a wrong one, only the practice writes the letter, and no payer is configured."""
    if route[1].endswith("/letter"):
        return 412 if handle in PRACTICE_CARE else 403
    return 409 if route[1].endswith("/coverage-checks") else 412


EXPECTED_BY_PART = {
    "/consultation": consultation_expected,
    "/coverage": coverage_expected,
    "/documents": document_expected,
    "/information-requests": conversation_expected,
    "/messages": conversation_expected,
}
"""By the part of the path that names the capability."""

ENDED = {"declined", "withdrawn", "withdrawn_draft", "continued"}

AFTER_AN_INFUSION = ("/window", "/handback", "/follow-up", "/follow-up.ics")
"""What there is nothing of before it."""


def ask(site, route, referral_id):
    body = {
        ("PATCH", "/v1/referrals/{referral_id}"): {"urgency": "urgent"},
        ("PUT", "/v1/referrals/{referral_id}/handback"): {},
        ("PUT", "/v1/referrals/{referral_id}/consultation"): {"slot_id": "slot_x", "state": "held"},
        ("POST", "/v1/referrals/{referral_id}/consultation/requests"): {},
        ("PUT", "/v1/referrals/{referral_id}/coverage/letter"): {"text": "To the medical director"},
        ("PATCH", "/v1/referrals/{referral_id}/coverage"): {"move": "verification_requested"},
        ("POST", "/v1/referrals/{referral_id}/events"): {
            "type": "withdrawal.requested",
            "occurred_at": wiring.read_clock().isoformat(),
        },
        ("POST", "/v1/referrals/{referral_id}/messages"): {"text": "Hello."},
        ("POST", "/v1/referrals/{referral_id}/messages/read"): {"up_to": 9999},
        ("POST", "/v1/referrals/{referral_id}/information-requests"): {"items": ["clinical_ecog"]},
        ("POST", "/v1/referrals/{referral_id}/information-requests/{request_id}/answer"): {
            "items": [{"item_id": "1", "kind": "sent_separately"}]
        },
        ("POST", "/v1/referrals/{referral_id}/documents"): build_fax_body(),
        ("POST", "/v1/referrals/{referral_id}/documents/{document_id}/arrival"): {"arrival": "received"},
    }.get(route)
    headers = {"Idempotency-Key": referral_id, "If-Match": '"999"', "X-Request-Id": REQUEST_ID}
    path = route[1].format(referral_id=referral_id, request_id="irq_x", document_id="doc_x") + QUERIES.get(route, "")
    return site.send(route[0], path, body, headers=headers)


@pytest.fixture(scope="module", params=list(STATES))
def state(request, shared_api):
    """The name of a state, and a referral in it."""
    return request.param, STATES[request.param](shared_api)


@pytest.fixture(scope="module")
def ask_nowhere(shared_api):
    """How a role's request about an unknown referral is answered, asked once for each route and role."""

    @cache
    def result(route, handle):
        return ask(shared_api.get_client_for(shared_api.members[handle]), route, NOWHERE)

    return result


@pytest.mark.parametrize("route", ROUTES, ids=" ".join)
def test_a_referral_in_each_state_answers_each_role_as_the_rules_say(shared_api, state, ask_nowhere, route):
    """Role by role; for a role without access it is the same bytes as an unknown referral."""
    name, referral_id = state
    sites = {handle: shared_api.get_client_for(shared_api.members[handle]) for handle in sorted(MEMBERS)}
    answers = {handle: ask(site, route, referral_id) for handle, site in sites.items()}

    assert {handle: answer.status for handle, answer in answers.items()} == {
        handle: expected(name, route, handle) for handle in sites
    }
    for handle, answer in answers.items():
        if answer.status == 404:
            assert answer == ask_nowhere(route, handle)
