import base64
import json
import threading
import time
from dataclasses import replace

import pytest
from chalice import Response

from chalicelib.routes.chalice_app import ReferralApp
from infra.local.functions import API_FUNCTION, LambdaContext
from infra.local.gateway import Gateway, build_event, find_resource
from infra.local.http1 import MAX_BODY_BYTES, HttpRequest, RequestRejectedError

ROUTES = ["/", "/v1/me", "/v1/referrals", "/v1/referrals/{referral_id}", "/v1/referrals/counts"]


A_REQUEST = HttpRequest(
    method="GET", path="/v1/me", query="", headers=(("Host", "here"),), body=b"", peer="127.0.0.1", keeps_alive=True
)


def a_request(**differently):
    return replace(A_REQUEST, **differently)


def an_event(*, binary_types=("application/pdf",), **differently):
    return build_event(a_request(**differently), "/v1/me", {}, binary_types)


def a_gateway(app, **differently):
    def refuse(status, code, request_id, *, allow=""):
        body = json.dumps({"code": code, "id": request_id})
        return {"statusCode": status, "headers": {"Allow": allow}, "body": body}

    return Gateway(app, refuse, **differently)


@pytest.fixture
def app():
    application = ReferralApp("clinic", configure_logs=False)

    @application.route("/v1/me")
    def me():
        return {"me": True}

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
def test_a_path_finds_the_resource_that_api_gateway_would_find(path, resource, parameters):
    """Literal segments win, a trailing slash is nothing, an escaped slash parts nothing."""
    assert find_resource(ROUTES, path) == (resource, parameters)


@pytest.mark.parametrize("path", ["/v1", "/v1/ME", "/v1//me", "//v1/me", "/v1/referrals//", "/v1/%6de", "/v1/x/../me"])
def test_what_only_looks_like_a_resource_finds_none(path):
    """Nothing is decoded, folded or resolved before resources are compared."""
    assert find_resource(ROUTES, path) is None


def test_the_query_is_decoded_and_the_last_of_several_values_counts():
    """A plus is a space, and an empty value is a value."""
    event = an_event(query="stage=accepted&stage=infused&q=a+b%2Bc&late=")

    assert event["multiValueQueryStringParameters"] == {"stage": ["accepted", "infused"], "q": ["a b+c"], "late": [""]}
    assert event["queryStringParameters"] == {"stage": "infused", "q": "a b+c", "late": ""}


@pytest.mark.parametrize("query", ["q=%ff", "&".join(["q=1"] * 501)])
def test_a_query_that_is_no_text_or_never_ends_is_refused(query):
    """What is not UTF-8 is not handed on with replacement characters in it."""
    with pytest.raises(RequestRejectedError) as refused:
        an_event(query=query)

    assert refused.value.status == 400


def test_what_is_absent_is_null():
    """As in API Gateway: null, neither missing nor empty."""
    event = an_event()

    absent = ("queryStringParameters", "multiValueQueryStringParameters", "pathParameters")
    assert [event[name] for name in (*absent, "stageVariables", "body")] == [None] * 5


def test_headers_keep_their_case_and_all_their_values():
    """The single-valued map has the last one."""
    event = an_event(headers=(("X-One", "1"), ("X-One", "2")))

    assert event["headers"]["X-One"] == "2"
    assert event["multiValueHeaders"]["X-One"] == ["1", "2"]


def test_the_address_of_the_caller_is_the_connections_own():
    """A caller's own X-Forwarded-For does not come last, where the gateway writes."""
    event = an_event(headers=(("X-Forwarded-For", "6.6.6.6"),), peer="127.0.0.1")

    assert event["requestContext"]["identity"]["sourceIp"] == "127.0.0.1"
    assert event["headers"]["X-Forwarded-For"] == "127.0.0.1"


def test_a_text_body_is_text():
    """JSON arrives as it was sent, to the byte: signatures are made over it."""
    event = an_event(body='{"name":  "Zoë"}'.encode())

    assert (event["body"], event["isBase64Encoded"]) == ('{"name":  "Zoë"}', False)


@pytest.mark.parametrize(("media_type", "body"), [("application/pdf", b"%PDF"), ("application/json", b"\xff{}")])
def test_what_is_no_text_is_base64(media_type, body):
    """Binary types, and text that is not UTF-8: the function refuses that by its very bytes."""
    event = an_event(headers=(("content-type", media_type),), body=body)

    assert event["isBase64Encoded"]
    assert base64.b64decode(event["body"]) == body


def test_base64_that_is_larger_than_lambda_takes_is_refused():
    """The limit is for what Lambda is handed, which is a third more than what was sent."""
    with pytest.raises(RequestRejectedError) as refused:
        an_event(body=b"\xff" * (MAX_BODY_BYTES - 1))

    assert refused.value.status == 413


def test_an_unknown_path_is_the_products_own_404(app):
    """The gateway's refusals look like the product's."""
    response = a_gateway(app).answer(a_request(path="/v1/nothing"))

    assert response.status == 404
    assert json.loads(response.body)["code"] == "not_found"


def test_a_method_that_a_resource_does_not_know_is_405_with_those_it_does(app):
    """Allow says what would have worked."""
    response = a_gateway(app).answer(a_request(method="DELETE"))

    assert response.status == 405
    assert ("Allow", "GET") in response.headers


@pytest.mark.parametrize("path", ["/v1/broken", "/v1/unsendable"])
def test_a_crash_or_an_answer_that_is_too_large_is_502(app, path):
    """As API Gateway answers when the function fails; nothing of the failure gets out."""
    response = a_gateway(app).answer(a_request(path=path))

    assert response.status == 502
    assert json.loads(response.body).keys() == {"code", "id"}


def test_local_pages_come_first(app):
    """They are served beside the product, not by it."""
    page = object()

    assert a_gateway(app, local_pages=lambda _: page).answer(a_request()) is page


def test_each_thread_has_its_own_request(app):
    """Lambda has one at a time; here two at once must not see each other's."""
    both_are_in = threading.Barrier(2, timeout=5)
    seen = {}

    @app.route("/v1/who/{name}")
    def who(name):
        both_are_in.wait()
        request = app.current_request
        seen[name] = (request.uri_params["name"], app.lambda_context.aws_request_id)
        return {}

    gateway = a_gateway(app)
    threads = [
        threading.Thread(target=gateway.answer, args=(a_request(path=f"/v1/who/{name}"),)) for name in ("ana", "ben")
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert {name: uri_name for name, (uri_name, _) in seen.items()} == {"ana": "ana", "ben": "ben"}
    assert len({request_id for _, request_id in seen.values()}) == 2


def test_the_time_that_is_left_is_what_the_function_is_deployed_with():
    """It runs out, and is never less than nothing."""
    assert 27_000 < LambdaContext(function_name=API_FUNCTION).get_remaining_time_in_millis() <= 28_000
    late = LambdaContext(function_name=API_FUNCTION, started=time.monotonic() - 60)
    assert late.get_remaining_time_in_millis() == 0
