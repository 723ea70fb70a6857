"""What a request says beside its body, to the letter: keys, versions, names, ids, parameters."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Annotated

import pytest
from pydantic import Field

from app import app
from chalicelib.errors import (
    MalformedError,
    NotFoundError,
    PreconditionRequiredError,
    UnauthenticatedError,
    UnsupportedMediaTypeError,
)
from chalicelib.routes.platform import request as calls
from chalicelib.routes.platform.fields import StrictModel
from chalicelib.routes.platform.operations import OPERATIONS, RouteAccess
from chalicelib.routes.platform.query_params import PageQuery
from chalicelib.routes.referrals.event_bodies import EventRequest
from chalicelib.routes.referrals.request_bodies import ReferralRequest
from tests.support.factories import build_member, build_referral_body


def declared(wanted):
    """A route of the app that is declared as wanted."""
    assert app.routes
    return next(operation for operation in OPERATIONS if wanted(operation))


PLAIN = declared(lambda o: o.access is RouteAccess.PUBLIC and o.body is None)
SIGNED = declared(lambda o: o.access is RouteAccess.WEBHOOK_SIGNATURE)
WITH_A_BODY = declared(lambda o: o.access is RouteAccess.PUBLIC and o.body is not None)
WITH_A_QUERY = declared(lambda o: o.query is PageQuery)
GUARDED = declared(lambda o: o.access is RouteAccess.MEMBER and o.body is None)


def sent(path="/x", many=None, raw=b"", **headers):
    """A request as the framework hands it over."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    event = {"multiValueHeaders": many if many is not None else {k: [v] for k, v in named.items()}}
    return SimpleNamespace(
        headers=named, raw_body=raw, context={"path": path}, query_params=None, to_original_event=lambda: event
    )


def received(operation, request):
    return calls.parse_request(operation, request, "req_12345678")


def test_a_call_carries_what_was_sent():
    """To the view as to the log."""
    call = received(PLAIN, sent(raw=b"body", accept="x"))

    assert (call.request_id, call.method, call.route) == ("req_12345678", "GET", PLAIN.path)
    assert (call.raw_body, call.headers["accept"]) == (b"body", "x")
    assert (call.signed_in, call.idempotency_key, call.version) == (None, "", 0)


@pytest.mark.parametrize("key", ["x", "x" * 255, "~ !", "a-b_c.d"])
def test_a_key_is_1_to_255_printable_characters(key):
    """Whatever the client likes to count by."""
    keyed = replace(PLAIN, needs_idempotency_key=True)

    assert received(keyed, sent(idempotency_key=key)).idempotency_key == key


@pytest.mark.parametrize("key", [None, "", "x" * 256, "\u00fc", "a\nb", "\x7f"])
def test_a_key_that_is_none_is_named(key):
    """By the header, and by what it needs."""
    headers = {} if key is None else {"idempotency_key": key}

    with pytest.raises(MalformedError) as refusal:
        received(replace(PLAIN, needs_idempotency_key=True), sent(**headers))

    assert refusal.value.code == "idempotency_key_missing"
    (fault,) = refusal.value.errors
    assert (fault.pointer, fault.code) == ("Idempotency-Key", "missing")


@pytest.mark.parametrize(
    ("tag", "version"),
    [('"7"', 7), ("7", 7), ('W/"7"', 7), (' "7" ', 7), ('"999999999"', 999_999_999),
     ('"1234567890"', -1), ('"x"', -1), ("*", -1), ('"-1"', -1),
     ('"\u0667"', -1), ('"\u00b2"', -1)],
)  # fmt: skip
def test_a_version_is_read_or_is_none_that_there_was(tag, version):
    """A tag that we never gave is stale, and no error of the sender's spelling."""
    assert received(replace(PLAIN, needs_if_match=True), sent(if_match=tag)).version == version


@pytest.mark.parametrize("headers", [{}, {"if_match": ""}])
def test_a_change_without_a_version_is_asked_for_one(headers):
    """Nobody overwrites what they have not seen."""
    with pytest.raises(PreconditionRequiredError):
        received(replace(PLAIN, needs_if_match=True), sent(**headers))


@pytest.mark.parametrize(
    "name",
    ["authorization", "content-type", "idempotency-key", "if-match", "webhook-id",
     "webhook-signature", "webhook-timestamp"],
)  # fmt: skip
def test_a_header_that_decides_is_sent_once(name):
    """In whatever letters its name is spelled; others may come as often as they like."""
    for many in ({name.title(): ["a", "b"]}, {name: ["a"], name.upper(): ["b"]}):
        with pytest.raises(MalformedError) as refusal:
            received(PLAIN, sent(many=many))
        assert refusal.value.code == "header_twice"
    received(PLAIN, sent(many={"accept": ["a", "b"], name: ["a"]}))


def test_headers_that_are_not_told_one_by_one_were_not_sent_twice():
    """A gateway that says nothing of them says no such thing."""
    request = sent()
    request.to_original_event = lambda: {"multiValueHeaders": None}

    assert received(PLAIN, request).method == "GET"


@pytest.mark.parametrize("given", ["", "Bearer", "Bearer ", "Basic x", "x", "Bearerx y"])
def test_what_is_no_bearer_token_is_nobodys(given):
    """Before any key of the issuer is looked for."""
    with pytest.raises(UnauthenticatedError):
        received(GUARDED, sent(authorization=given))


@pytest.mark.parametrize("kind", ["text/plain", "", "application/jsonx", "text/html;application/json"])
def test_a_body_says_that_it_is_json(kind):
    """A form of another site cannot."""
    with pytest.raises(UnsupportedMediaTypeError):
        received(WITH_A_BODY, sent(content_type=kind))


@pytest.mark.parametrize("kind", ["application/json", "APPLICATION/JSON ; charset=utf-8"])
def test_json_is_json_in_any_letters(kind):
    """And where there is no body to read, its kind does not matter."""
    assert received(WITH_A_BODY, sent(content_type=kind)).method == "POST"
    assert received(PLAIN, sent(content_type="text/plain")).method == "GET"


@pytest.mark.parametrize("value", ["a", "a" * 200, "ref_x-1.2", "A9"])
def test_a_tame_name_may_stand_in_a_path(value):
    """As ours all are."""
    calls.validate_path_params(PLAIN, {"id": value})


@pytest.mark.parametrize("value", ["", "a" * 201, "a b", "a/b", "a#b", "\u00e9", "a\n", "%00"])
def test_another_name_is_nobodys_and_signs_nothing(value):
    """404 where an id is asked for, 401 where a signature is."""
    with pytest.raises(NotFoundError):
        calls.validate_path_params(PLAIN, {"good": "a", "id": value})
    with pytest.raises(UnauthenticatedError):
        calls.validate_path_params(SIGNED, {"id": value})


def test_a_call_of_nobody_has_no_member():
    """A view that asks for one gets an answer to give, and no None."""
    call = received(PLAIN, sent())

    with pytest.raises(UnauthenticatedError):
        _ = call.member


def test_a_post_is_remembered_by_who_sent_what_where():
    """The path with its ids; without one, the route."""
    call = replace(received(PLAIN, sent(raw=b"x")), signed_in=build_member(), idempotency_key="k")
    request = call.idempotent_request

    assert (request.member_id, request.tenant_id) == (build_member().member_id, build_member().tenant_id)
    assert (request.route, request.key, request.body) == ("GET /x", "k", b"x")
    assert replace(call, context={}).idempotent_request.route == f"GET {PLAIN.path}"


class Parameters(dict[str, list[str]]):
    """Query parameters as the framework hands them over."""

    def getlist(self, name):
        return self[name]


def test_a_query_is_handed_over_only_where_it_is_read():
    """And where none is read, none may be sent."""
    request = SimpleNamespace(query_params=Parameters(limit=["7"]))
    call = received(PLAIN, sent())

    assert calls.parse_arguments(WITH_A_QUERY, request, call)["query"].limit == 7
    request.query_params = None
    assert calls.parse_arguments(WITH_A_QUERY, request, call)["query"].limit == 25
    assert calls.parse_arguments(PLAIN, request, call) == {}
    request.query_params = Parameters(limit=["7"])
    with pytest.raises(MalformedError):
        calls.parse_arguments(PLAIN, request, call)


def test_a_parameter_is_sent_once():
    """Of two, one reader takes the first and another the last."""
    with pytest.raises(MalformedError) as refusal:
        calls.parse_query(PageQuery, Parameters(limit=["7", "8"]))

    assert refusal.value.code == "parameter_twice"


def pointers(model, raw):
    with pytest.raises(MalformedError) as refusal:
        calls.parse_body(model, raw)
    return [(fault.pointer, fault.code) for fault in refusal.value.errors]


def test_a_fault_is_pointed_at_in_what_was_sent():
    """In a choice by `type` too, whose name stands in no body."""
    event = b'{"type": "stage.changed", "occurred_at": "2026-11-20T10:00:00Z", "data": {"stage": 1}}'

    assert pointers(EventRequest, event)[0][0] == "/data/stage"
    assert pointers(EventRequest, b'{"type": "x"}')[0][0] == "/type"
    assert pointers(EventRequest, b"{}")[0][0] == "/type"
    assert pointers(ReferralRequest, b"{}") == [
        ("/patient", "missing"),
        ("/clinical", "missing"),
        ("/referring_provider", "missing"),
    ]


class Anything(StrictModel):
    """A body with one field."""

    known: Annotated[int, Field(ge=0)] = 0


@pytest.mark.parametrize(
    ("name", "shown"), [("x" * 40, "x" * 40), ("x" * 41, "\u2026"), ("Ana Example", "\u2026"), ("a-b", "\u2026")]
)
def test_the_name_of_an_unknown_field_is_shown_only_if_it_is_tame(name, shown):
    """It is the sender's text, and may be a patient's."""
    raw = ('{"%s": 1}' % name).encode()  # noqa: UP031 braces are the point

    assert pointers(Anything, raw) == [(f"/{shown}", "extra_forbidden")]


def test_a_good_body_is_read():
    """The other way round, so that the refusals above mean something."""
    import json

    body = calls.parse_body(ReferralRequest, json.dumps(build_referral_body()).encode())

    assert body.patient.family_name == "Example"


@pytest.mark.parametrize("given", ["a" * 8, "a" * 64, "abc-123-DEF"])
def test_a_tame_request_id_is_kept(given):
    """So that both sides' logs meet."""
    assert calls.get_or_create_request_id({"x-request-id": given}) == given


@pytest.mark.parametrize("given", ["", "a" * 7, "a" * 65, "with blank", "\u00e9" * 9, "a_b_c_d_e", "---------"])
def test_another_request_id_is_ours(given):
    """Of 96 random bits, and never what was sent."""
    made = calls.get_or_create_request_id({"x-request-id": given})

    assert made.startswith("req_")
    assert len(made) == len("req_") + 24
    assert made != calls.get_or_create_request_id({})
