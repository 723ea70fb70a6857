"""Every route with every kind of caller, from the table that the app declares."""

import re
import secrets
import sys
from dataclasses import replace
from typing import Any

import pytest

from app import app
from chalicelib import wiring
from chalicelib.domain.notices.tasks import TaskQueue
from chalicelib.routes.platform.operations import RouteAccess, add_declared
from chalicelib.routes.route_loader import load_all_operations, load_operation
from chalicelib.services.notices.outbox_worker import run_job
from infra import route_table
from tests.support import factories, tokens
from tests.support.api_driver import STAGES_TO_INFUSED
from tests.support.bad_credentials import list_bad_credentials
from tests.support.identity import accept_everything
from tests.support.route_policy import (
    GUARDED_ROUTES,
    MEMBERS,
    POLICY,
    QUERIES,
    build_body,
    build_fax_body,
    list_expected_statuses,
)

OPERATIONS = load_all_operations()

REQUEST_ID = "one-request-id-for-all"
NOTHING_MISSING = {
    "Idempotency-Key": "key",
    "If-Match": '"1"',
    "Content-Type": "application/json",
    "X-Request-Id": REQUEST_ID,
}


def named(route):
    return " ".join(route)


def registered():
    return {(method, path) for path, methods in app.routes.items() for method in methods}


def test_the_table_of_routes_is_current():
    """Run `python -m infra.route_table`: no other list says where a route is."""
    assert route_table.TABLE.read_text("utf-8") == route_table.build_table()


def test_two_views_cannot_have_the_same_route():
    """One of them would never be called."""
    first = OPERATIONS[0]

    with pytest.raises(ValueError, match=f"{re.escape(first.path)} is declared twice"):
        add_declared(replace(first, name="other_view"))


def test_a_module_that_cannot_be_imported_is_an_error_of_its_route_alone(shared_api, monkeypatch, caplog):
    """The error is logged with its place, and the next request tries again."""
    load_operation.cache_clear()
    monkeypatch.setitem(sys.modules, "chalicelib.routes.insights.insights", None)

    refused = shared_api.practice.get("/v1/insights")
    other = shared_api.practice.get("/v1/referrals")
    monkeypatch.undo()
    again = shared_api.practice.get("/v1/insights")

    assert (refused.status, other.status, again.status) == (500, 200, 200)
    assert refused.json["code"] == "internal"
    [logged] = [vars(each) for each in caplog.records if each.message == "import failed"]
    assert (logged["levelname"], logged["error"], logged["route"]) == ("ERROR", "ModuleNotFoundError", "/v1/insights")


def test_every_registered_route_was_declared():
    """No route bypasses `declare_endpoint`, and every declared one is reachable."""
    declared = [(operation.method, operation.path) for operation in OPERATIONS]

    assert sorted(declared) == sorted(registered())
    assert len(declared) == len(set(declared))


def test_every_route_has_a_policy():
    """A new route fails here until someone decides who may call it."""
    assert set(POLICY) == registered()


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda o: o.name)
def test_a_route_is_as_open_as_its_policy_says(operation):
    """The code and the hand-written policy agree."""
    cell = POLICY[operation.method, operation.path]

    assert operation.access is (cell if isinstance(cell, RouteAccess) else RouteAccess.MEMBER)


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda o: o.name)
def test_every_change_by_a_person_is_safe_to_repeat(operation):
    """POST needs an Idempotency-Key, and other changes the version that they change.

    A session and a leaked calendar link end at once, whatever their version. No one edits an entry of a directory.
    """
    by_a_person = operation.access is RouteAccess.MEMBER
    # A check stores nothing, and a card's link must not work twice. No record of a password or a code is kept.
    changes = operation.path not in {
        *("/v1/screens", "/v1/screens/chart-entries"),
        *("/v1/sessions/password", "/v1/sessions/authenticator", "/v1/sessions/authenticator/confirm"),
    }

    assert operation.needs_idempotency_key is (by_a_person and operation.method == "POST" and changes)
    ends_at_once = operation.path in {"/v1/sessions", "/v1/me/calendar", "/v1/practice-directory/{entry_id}"}
    changes_a_version = operation.method in {"PATCH", "PUT", "DELETE"} and not ends_at_once
    assert operation.needs_if_match is (by_a_person and changes_a_version)


@pytest.fixture(scope="module")
def bad_headers(shared_api):
    """Authorization headers that must be refused, though most are of a real member."""
    return list_bad_credentials(shared_api.members["practice"].subject)


def path_of(route, **ids):
    names = (
        *("referral_id", "notice_id", "member_id", "delivery_id", "request_id", "entry_id", "document_id"),
        *("slot_id", "pattern_id"),
    )
    return route[1].format(**{"center_id": "ctr_harbor"} | dict.fromkeys(names, "x") | ids) + QUERIES.get(route, "")


@pytest.mark.parametrize("route", GUARDED_ROUTES, ids=named)
def test_whatever_is_wrong_with_a_token_gets_the_same_401(shared_api, bad_headers, route):
    """No token, a forged one, another client's: one response, and before the body is read."""
    answers = {
        name: shared_api.anyone.send(
            route[0], path_of(route), b'{"neither": JSON', headers=NOTHING_MISSING | {"Authorization": credentials}
        )
        for name, credentials in bad_headers.items()
    }

    assert {name: answer.status for name, answer in answers.items()} == dict.fromkeys(answers, 401)
    assert len({answer.text for answer in answers.values()}) == 1
    assert len({str(answer.headers) for answer in answers.values()}) == 1
    assert answers["none"].json == {
        "type": "/docs#problem-unauthenticated",
        "title": "Sign in to continue",
        "status": 401,
        "detail": "You are not signed in, or your session ended. Sign in again.",
        "code": "unauthenticated",
        "request_id": REQUEST_ID,
        "errors": [],
    }


@pytest.mark.parametrize("route", GUARDED_ROUTES, ids=named)
def test_a_valid_token_without_a_membership_gets_403(shared_api, route):
    """Membership is our own record: neither an unknown person's token nor a disabled member's works."""
    strangers = (tokens.create_token("sub-nobody-here"), tokens.create_token(shared_api.members["disabled"].subject))

    for token in strangers:
        answer = shared_api.anyone.with_token(token).send(
            route[0], path_of(route), b'{"neither": JSON', headers=NOTHING_MISSING
        )

        assert (answer.status, answer.json["code"]) == (403, "not_a_member")


def test_a_disabled_member_is_refused_on_the_next_request(shared_api):
    """The token is still valid; the member record decides."""
    member = factories.build_member(n=77)
    shared_api.stores.members.add(member)
    site = shared_api.get_client_for(member)

    assert site.get("/v1/me").status == 200
    shut_out = replace(member, active=False, version=member.version + 1)
    shared_api.stores.transactions.commit(shared_api.stores.members.prepare_save(shut_out))
    assert site.get("/v1/me").status == 403


def test_tenant_and_role_claims_in_a_token_are_ignored(shared_api):
    """People may write their own Cognito attributes; tenancy is in our table alone."""
    boasting: dict[str, Any] = {"cognito:groups": ["admin"], "custom:tenant_id": "ctr_harbor"}
    token = tokens.create_token(shared_api.members["practice"].subject, **boasting)

    result = shared_api.anyone.with_token(token).get("/v1/me").json

    assert result["tenant"]["tenant_id"] == "prc_cedar"
    assert result["roles"] == ["coordinator"]


@pytest.fixture(scope="module")
def infused_referral_id(shared_api):
    """The id of a referral with an open window, about which people were notified."""
    referral_id = shared_api.refer()["referral_id"]
    shared_api.move_to(referral_id, *STAGES_TO_INFUSED)
    assert shared_api.center.post(f"/v1/referrals/{referral_id}/messages", {"text": "Infused today."}).status == 201
    run_job(TaskQueue.EVENT, context=wiring.build_job_context())
    return referral_id


@pytest.fixture
def path_ids(shared_api, infused_referral_id):
    """The ids in paths: a referral, a notice about it, and a new colleague in the practice."""
    colleague = factories.build_member(n=secrets.randbelow(10**9))
    shared_api.stores.members.add(colleague)
    return {
        "delivery_id": "msg_1",
        "referral_id": infused_referral_id,
        "notice_id": shared_api.practice.get("/v1/notices").json["items"][0]["notice_id"],
        "member_id": colleague.member_id,
    }


@pytest.mark.parametrize("route", GUARDED_ROUTES, ids=named)
def test_a_route_answers_each_role_as_its_policy_says(shared_api, path_ids, monkeypatch, route):
    """Role by role and tenant by tenant, for a referral between the practice and the center."""
    accept_everything(monkeypatch)
    if "{request_id}" in route[1]:
        asked = {"items": ["clinical_ecog"], "text": route[1]}
        answer = shared_api.center.post(f"/v1/referrals/{path_ids['referral_id']}/information-requests", asked)
        path_ids["request_id"] = answer.json["request_id"]
    if "{entry_id}" in route[1]:
        path_ids["entry_id"] = shared_api.practice.get("/v1/practice-directory").json["payers"][0]["entry_id"]
    if "{document_id}" in route[1]:
        answer = shared_api.practice.post(f"/v1/referrals/{path_ids['referral_id']}/documents", build_fax_body())
        path_ids["document_id"] = answer.json["document"]["document_id"]

    answered = {
        handle: shared_api.get_client_for(shared_api.members[handle])
        .send(
            route[0],
            path_of(route, **path_ids),
            build_body(route, unique=handle),
            headers={"Idempotency-Key": named(route), "If-Match": '"1"'},
        )
        .status
        for handle in sorted(MEMBERS)
    }

    assert answered == list_expected_statuses(route)
