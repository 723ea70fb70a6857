"""The local gateway behaves like API Gateway."""

import base64
import gzip
import json
import threading
import time
import zlib
from dataclasses import replace

import pytest
from chalice import Response

from chalicelib.routes.chalice_app import ReferralApp
from infra.local.functions import API_FUNCTION, LambdaContext
from infra.local.gateway import Gateway, build_event, find_resource
from infra.local.http1 import MAX_BODY_BYTES, HttpRequest, RequestRejectedError

ROUTES = ["/", "/v1/me", "/v1/referrals", "/v1/referrals/{referral_id}", "/v1/referrals/counts"]


A_REQUEST = HttpRequest(method="GET", path="/v1/me", query="", headers=(("Host", "here"),), body=b"", peer="127.0.0.1")


LONG = "a long answer " * 100


def build_request(**changes):
    return replace(A_REQUEST, **changes)


def build_test_event(*, binary_types=("application/pdf",), **changes):
    return build_event(build_request(**changes), "/v1/me", {}, binary_types)


def build_gateway(app, **options):
    def build_error_result(status, code, request_id, *, allow=""):
        body = json.dumps({"code": code, "id": request_id})
        return {"statusCode": status, "headers": {"Allow": allow}, "body": body}

    return Gateway(app, build_error_result, **options)


@pytest.fixture
def app():
    application = ReferralApp("clinic", configure_logs=False)

    @application.route("/v1/me")
    def me():
        return {"me": True}

    @application.route("/v1/long")
    def long():
        return Response(body=LONG)

    @application.route("/v1/broken")
    def broken():
        return Response(body="x" * (MAX_BODY_BYTES + 1))

    @application.route("/v1/unsendable")
    def unsendable():
        return Response(body={"not JSON": object()})

    return application


@pytest.mark.parametrize(
    ("path", "resource", "parameters"),
    [
        ("/", "/", {}),
        ("/v1/me", "/v1/me", {}),
        ("/v1/me/", "/v1/me", {}),
        ("/v1/referrals/ref_1", "/v1/referrals/{referral_id}", {"referral_id": "ref_1"}),
        ("/v1/referrals/counts", "/v1/referrals/counts", {}),
        ("/v1/referrals/a%2Fb", "/v1/referrals/{referral_id}", {"referral_id": "a%2Fb"}),
        ("/v1/referrals/..%2Fme", "/v1/referrals/{referral_id}", {"referral_id": "..%2Fme"}),
        ("/v1/referrals/%2e%2e", "/v1/referrals/{referral_id}", {"referral_id": "%2e%2e"}),
    ],
)
def test_a_path_matches_the_same_resource_as_in_api_gateway(path, resource, parameters):
    """Literal segments have priority, a trailing slash is ignored, and an escaped slash does not split a segment."""
    assert find_resource(ROUTES, path) == (resource, parameters)


@pytest.mark.parametrize("path", ["/v1", "/v1/ME", "/v1//me", "//v1/me", "/v1/referrals//", "/v1/%6de", "/v1/x/../me"])
def test_a_path_that_differs_from_every_resource_does_not_match(path):
    """The path is compared without decoding, without resolving dots, and with its case."""
    assert find_resource(ROUTES, path) is None


def test_the_query_is_decoded_and_the_last_of_several_values_counts():
    """A plus sign becomes a space, and empty values are kept."""
    event = build_test_event(query="stage=accepted&stage=infused&q=a+b%2Bc&late=")

    assert event["multiValueQueryStringParameters"] == {"stage": ["accepted", "infused"], "q": ["a b+c"], "late": [""]}
    assert event["queryStringParameters"] == {"stage": "infused", "q": "a b+c", "late": ""}


@pytest.mark.parametrize("query", ["q=%ff", "&".join(["q=1"] * 501)])
def test_a_query_that_is_not_utf_8_or_too_long_is_rejected(query):
    """The gateway does not insert replacement characters."""
    with pytest.raises(RequestRejectedError) as raised:
        build_test_event(query=query)

    assert raised.value.status == 400


def test_missing_values_are_null():
    """As in API Gateway, they are neither left out nor empty."""
    event = build_test_event()

    names = ("queryStringParameters", "multiValueQueryStringParameters", "pathParameters", "stageVariables", "body")
    assert [event[name] for name in names] == [None] * 5


def test_headers_keep_their_case_and_all_their_values():
    """The map with single values has the last one."""
    event = build_test_event(headers=(("X-One", "1"), ("X-One", "2")))

    assert event["headers"]["X-One"] == "2"
    assert event["multiValueHeaders"]["X-One"] == ["1", "2"]


def test_the_callers_address_is_the_address_of_the_connection():
    """The gateway replaces an X-Forwarded-For header of the caller."""
    event = build_test_event(headers=(("X-Forwarded-For", "6.6.6.6"),), peer="127.0.0.1")

    assert event["requestContext"]["identity"]["sourceIp"] == "127.0.0.1"
    assert event["headers"]["X-Forwarded-For"] == "127.0.0.1"


def test_a_text_body_is_not_changed():
    """JSON must arrive byte by byte as it was sent, because signatures are computed over it."""
    event = build_test_event(body='{"name":  "Zoë"}'.encode())

    assert (event["body"], event["isBase64Encoded"]) == ('{"name":  "Zoë"}', False)


@pytest.mark.parametrize(("media_type", "body"), [("application/pdf", b"%PDF"), ("application/json", b"\xff{}")])
def test_a_body_that_is_not_text_is_base64(media_type, body):
    """This applies to binary types and to text that is not UTF-8, which the function rejects."""
    event = build_test_event(headers=(("content-type", media_type),), body=body)

    assert event["isBase64Encoded"]
    assert base64.b64decode(event["body"]) == body


def test_a_body_that_exceeds_lambdas_limit_as_base64_is_rejected():
    """The limit applies to the payload of Lambda, which is a third larger than the request body."""
    with pytest.raises(RequestRejectedError) as raised:
        build_test_event(body=b"\xff" * (MAX_BODY_BYTES - 1))

    assert raised.value.status == 413


def test_an_unknown_path_is_404_in_the_products_format(app):
    response = build_gateway(app).answer(build_request(path="/v1/nothing"))

    assert response.status == 404
    assert json.loads(response.body)["code"] == "not_found"


def test_an_unsupported_method_is_405_with_the_allowed_methods(app):
    response = build_gateway(app).answer(build_request(method="DELETE"))

    assert response.status == 405
    assert ("Allow", "GET, HEAD") in response.headers


def test_head_reaches_the_product_like_get(app):
    """API Gateway passes it on too, through the operation for any method."""
    read, head = (build_gateway(app).answer(build_request(method=method, path="/v1/me")) for method in ("GET", "HEAD"))

    assert (head.status, head.body) == (200, b"")
    assert head.headers == read.headers


@pytest.mark.parametrize("path", ["/v1/broken", "/v1/unsendable"])
def test_a_crash_or_a_response_that_is_too_large_is_502(app, path):
    """API Gateway responds in the same way when the function fails. The response has no details of the error."""
    response = build_gateway(app).answer(build_request(path=path))

    assert response.status == 502
    assert json.loads(response.body).keys() == {"code", "id"}


@pytest.mark.parametrize(
    ("accepted", "decompress"),
    [("gzip, deflate, br", gzip.decompress), ("deflate", zlib.decompress), ("br;q=0.5, gzip", gzip.decompress)],
)
def test_a_large_response_is_compressed_as_the_client_prefers(app, accepted, decompress):
    response = build_gateway(app).answer(build_request(path="/v1/long", headers=(("Accept-Encoding", accepted),)))

    assert ("Content-Encoding", "gzip" if decompress is gzip.decompress else "deflate") in response.headers
    assert decompress(response.body) == LONG.encode()


@pytest.mark.parametrize(
    ("path", "accepted"),
    [("/v1/me", "gzip"), ("/v1/long", "br, gzip;q=0.5"), ("/v1/long", "gzip;q=0"), ("/v1/long", "identity")],
)
def test_other_responses_are_not_compressed(app, path, accepted):
    """Those that are small, and those for a client that prefers a coding which API Gateway does not have."""
    response = build_gateway(app).answer(build_request(path=path, headers=(("Accept-Encoding", accepted),)))

    assert "Content-Encoding" not in dict(response.headers)
    assert response.body.decode() in {LONG, '{"me":true}'}


def test_local_pages_have_priority_over_the_product(app):
    page = object()

    assert build_gateway(app, local_pages=lambda _: page).answer(build_request()) is page


def test_each_thread_has_its_own_request(app):
    """Lambda processes one request at a time. Here, two concurrent requests must not see each other's data."""
    both_started = threading.Barrier(2, timeout=60)
    seen = {}

    @app.route("/v1/who/{name}")
    def who(name):
        both_started.wait()
        request = app.current_request
        seen[name] = (request.uri_params["name"], app.lambda_context.aws_request_id)
        return {}

    gateway = build_gateway(app)
    threads = [
        threading.Thread(target=gateway.answer, args=(build_request(path=f"/v1/who/{name}"),))
        for name in ("ana", "ben")
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert {name: uri_name for name, (uri_name, _) in seen.items()} == {"ana": "ana", "ben": "ben"}
    assert len({request_id for _, request_id in seen.values()}) == 2


def test_the_remaining_time_starts_at_the_deployed_time_limit_and_ends_at_zero():
    assert 27_000 < LambdaContext(function_name=API_FUNCTION).get_remaining_time_in_millis() <= 28_000
    late = LambdaContext(function_name=API_FUNCTION, started=time.monotonic() - 60)
    assert late.get_remaining_time_in_millis() == 0
