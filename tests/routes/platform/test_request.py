"""What a request says besides its body: keys, versions, names, ids, parameters."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
from chalice.app import MultiDict

from app import app
from chalicelib.errors import (
    MalformedError,
    NotFoundError,
    PreconditionRequiredError,
    UnauthenticatedError,
    UnsupportedMediaTypeError,
)
from chalicelib.routes.platform import request as calls
from chalicelib.routes.platform.operations import RouteAccess
from chalicelib.routes.platform.query_params import PageQuery
from chalicelib.routes.route_loader import load_all_operations
from chalicelib.services.platform.parallel_calls import ParallelCalls
from tests.support.factories import build_member


def declare_route(wanted):
    """Declare a route of the app."""
    assert app.routes
    return next(operation for operation in load_all_operations() if wanted(operation))


PLAIN = declare_route(lambda o: o.access is RouteAccess.PUBLIC and o.body is None)
SIGNED = declare_route(lambda o: o.access is RouteAccess.WEBHOOK_SIGNATURE)
WITH_A_BODY = declare_route(lambda o: o.access is RouteAccess.PUBLIC and o.body is not None)
WITH_A_QUERY = declare_route(lambda o: o.query is PageQuery)
GUARDED = declare_route(lambda o: o.access is RouteAccess.MEMBER and o.body is None)


def build_raw_request(path="/x", many=None, raw=b"", **headers):
    """Build a request as the framework passes it on."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    event = {"multiValueHeaders": many if many is not None else {k: [v] for k, v in named.items()}}
    return SimpleNamespace(
        headers=named, raw_body=raw, context={"path": path}, query_params=None, to_original_event=lambda: event
    )


def received(operation, request):
    return calls.parse_request(operation, request, "req_12345678", ParallelCalls())


def test_a_request_carries_what_was_sent():
    """To the view and to the log."""
    call = received(PLAIN, build_raw_request(raw=b"body", accept="x"))

    assert (call.request_id, call.method, call.route) == ("req_12345678", "GET", PLAIN.path)
    assert (call.raw_body, call.headers["accept"]) == (b"body", "x")
    assert (call.signed_in, call.idempotency_key, call.version) == (None, "", 0)


@pytest.mark.parametrize("key", ["x", "x" * 255, "~ !", "a-b_c.d"])
def test_a_key_is_1_to_255_printable_characters(key):
    """In any format that the client likes."""
    keyed = replace(PLAIN, needs_idempotency_key=True)

    assert received(keyed, build_raw_request(idempotency_key=key)).idempotency_key == key


@pytest.mark.parametrize("key", [None, "", "x" * 256, "\u00fc", "a\nb", "\x7f"])
def test_an_invalid_key_is_refused_by_header_name(key):
    """With what the header needs."""
    headers = {} if key is None else {"idempotency_key": key}

    with pytest.raises(MalformedError) as refusal:
        received(replace(PLAIN, needs_idempotency_key=True), build_raw_request(**headers))

    assert refusal.value.code == "idempotency_key_missing"
    (fault,) = refusal.value.errors
    assert (fault.pointer, fault.code) == ("Idempotency-Key", "missing")


@pytest.mark.parametrize(
    ("tag", "version"),
    [('"7"', 7), ("7", 7), ('W/"7"', 7), (' "7" ', 7), ('"999999999"', 999_999_999),
     ('"1234567890"', -1), ('"x"', -1), ("*", -1), ('"-1"', -1),
     ('"\u0667"', -1), ('"\u00b2"', -1)],
)  # fmt: skip
def test_an_unknown_version_is_stale(tag, version):
    """A tag that we never gave is stale, and not an error of the sender's spelling."""
    assert received(replace(PLAIN, needs_if_match=True), build_raw_request(if_match=tag)).version == version


@pytest.mark.parametrize("headers", [{}, {"if_match": ""}])
def test_a_change_without_a_version_is_refused(headers):
    """No one overwrites what they have not seen."""
    with pytest.raises(PreconditionRequiredError):
        received(replace(PLAIN, needs_if_match=True), build_raw_request(**headers))


@pytest.mark.parametrize(
    "name",
    ["authorization", "content-type", "idempotency-key", "if-match", "webhook-id",
     "webhook-signature", "webhook-timestamp"],
)  # fmt: skip
def test_a_decisive_header_may_be_sent_only_once(name):
    """In any letter case; other headers may repeat."""
    for many in ({name.title(): ["a", "b"]}, {name: ["a"], name.upper(): ["b"]}):
        with pytest.raises(MalformedError) as refusal:
            received(PLAIN, build_raw_request(many=many))
        assert refusal.value.code == "header_twice"
    received(PLAIN, build_raw_request(many={"accept": ["a", "b"], name: ["a"]}))


def test_headers_without_a_multi_value_list_count_as_sent_once():
    """A gateway that lists no repeats says nothing about them."""
    request = build_raw_request()
    request.to_original_event = lambda: {"multiValueHeaders": None}

    assert received(PLAIN, request).method == "GET"


@pytest.mark.parametrize("given", ["", "Bearer", "Bearer ", "Basic x", "x", "Bearerx y"])
def test_an_authorization_without_a_bearer_token_is_refused(given):
    """Before any key of the issuer is looked for."""
    with pytest.raises(UnauthenticatedError):
        received(GUARDED, build_raw_request(authorization=given))


@pytest.mark.parametrize("kind", ["text/plain", "", "application/jsonx", "text/html;application/json"])
def test_a_body_needs_the_json_media_type(kind):
    """A form of another site cannot send it."""
    with pytest.raises(UnsupportedMediaTypeError):
        received(WITH_A_BODY, build_raw_request(content_type=kind))


@pytest.mark.parametrize("kind", ["application/json", "APPLICATION/JSON ; charset=utf-8"])
def test_the_json_media_type_ignores_letter_case(kind):
    """And without a body its type does not matter."""
    assert received(WITH_A_BODY, build_raw_request(content_type=kind)).method == "POST"
    assert received(PLAIN, build_raw_request(content_type="text/plain")).method == "GET"


@pytest.mark.parametrize("value", ["a", "a" * 200, "ref_x-1.2", "A9"])
def test_a_safe_name_is_accepted_in_a_path(value):
    """All our ids are safe."""
    calls.validate_path_params(PLAIN, {"id": value})


@pytest.mark.parametrize("value", ["", "a" * 201, "a b", "a/b", "a#b", "\u00e9", "a\n", "%00"])
def test_an_unsafe_name_in_a_path_is_refused(value):
    """404 where an id is expected, 401 where a signature is."""
    with pytest.raises(NotFoundError):
        calls.validate_path_params(PLAIN, {"good": "a", "id": value})
    with pytest.raises(UnauthenticatedError):
        calls.validate_path_params(SIGNED, {"id": value})


def test_an_anonymous_request_has_no_member():
    """A view that needs one gets a refusal, and not None."""
    call = received(PLAIN, build_raw_request())

    with pytest.raises(UnauthenticatedError):
        _ = call.member


def test_an_idempotency_record_is_keyed_by_caller_and_path():
    """The path with its ids; without one, the route."""
    call = replace(received(PLAIN, build_raw_request(raw=b"x")), signed_in=build_member(), idempotency_key="k")
    request = call.idempotent_request

    assert (request.member_id, request.tenant_id) == (build_member().member_id, build_member().tenant_id)
    assert (request.route, request.key, request.body) == ("GET /x", "k", b"x")
    assert replace(call, gateway_context={}).idempotent_request.route == f"GET {PLAIN.path}"


def test_a_query_is_passed_only_to_routes_that_read_it():
    """Where none is read, none may be build_raw_request."""
    request = SimpleNamespace(query_params=MultiDict({"limit": ["7"]}))
    call = received(PLAIN, build_raw_request())

    assert calls.parse_arguments(WITH_A_QUERY, request, call)["query"].limit == 7
    request.query_params = None
    assert calls.parse_arguments(WITH_A_QUERY, request, call)["query"].limit == 25
    assert calls.parse_arguments(PLAIN, request, call) == {}
    request.query_params = MultiDict({"limit": ["7"]})
    with pytest.raises(MalformedError):
        calls.parse_arguments(PLAIN, request, call)


@pytest.mark.parametrize("given", ["a" * 8, "a" * 64, "abc-123-DEF"])
def test_a_safe_request_id_is_kept(given):
    """So that both sides' logs can be matched."""
    assert calls.get_or_create_request_id({"x-request-id": given}) == given


@pytest.mark.parametrize("given", ["", "a" * 7, "a" * 65, "with blank", "\u00e9" * 9, "a_b_c_d_e", "---------"])
def test_an_unsafe_request_id_is_replaced(given):
    """By 96 random bits, and never by what was build_raw_request."""
    made = calls.get_or_create_request_id({"x-request-id": given})

    assert made.startswith("req_")
    assert len(made) == len("req_") + 24
    assert made != calls.get_or_create_request_id({})
