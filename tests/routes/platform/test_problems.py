"""Refusals: one format, the right headers, and never a word of what was sent."""

import json

import pytest

from app import app
from chalicelib.errors import ApiError
from chalicelib.routes.platform.endpoint import build_gateway_problem
from chalicelib.routes.platform.operations import RouteAccess
from chalicelib.routes.platform.problem_codes import PROBLEM_CODES
from chalicelib.routes.route_loader import load_all_operations
from tests.support import ehr, factories, tokens
from tests.support.refusals import REFUSALS, no_answer, throttled, too_many

OPERATIONS = load_all_operations()

MEMBERS_OF_A_PROBLEM = {"type", "title", "status", "detail", "code", "request_id", "errors"}


@pytest.fixture(params=REFUSALS, ids=lambda refuse: refuse.__name__)
def refusal(request):
    """One way to be refused, and its response."""
    return request.param, *REFUSALS[request.param]


def test_a_refusal_is_a_problem_that_repeats_nothing(shared_api, monkeypatch, caplog, refusal):
    """RFC 9457 with all seven members; no field or header that was sent is returned or logged."""
    refuse, status, code = refusal
    caplog.set_level("DEBUG")

    answer = refuse(shared_api, monkeypatch)

    problem = answer.json
    assert (answer.status, problem["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"
    assert set(problem) == MEMBERS_OF_A_PROBLEM
    assert problem["status"] == status
    assert problem["type"] == f"/docs#problem-{code}"
    assert problem["request_id"] == answer.headers["x-request-id"]
    assert problem["title"]
    assert problem["detail"]
    assert all(set(error) == {"pointer", "code", "message"} for error in problem["errors"])
    assert answer.headers["cache-control"] == "no-store"
    shown = answer.text + str(answer.headers) + str([vars(record) for record in caplog.records])
    assert "canary" not in shown.lower()


def test_every_refusal_status_of_the_contract_is_checked():
    """No kind of refusal goes without the checks above."""
    tried = {status for status, _ in REFUSALS.values()}

    ours = {error.status for error in ApiError.__subclasses__()}
    assert ours <= tried
    assert {405, 500} <= tried


def test_the_docs_explain_every_code():
    """`type` leads to a line of the docs page, whatever the refusal."""
    assert {code for _, code in REFUSALS.values()} <= set(PROBLEM_CODES)


@pytest.mark.parametrize("refuse", [too_many, no_answer, throttled], ids=lambda r: r.__name__)
def test_a_refusal_that_allows_a_retry_says_when(shared_api, monkeypatch, refuse):
    """429 and 503 carry Retry-After in seconds."""
    assert int(refuse(shared_api, monkeypatch).headers["retry-after"]) > 0


def test_a_401_names_the_authentication_scheme(shared_api):
    """As HTTP requires."""
    assert shared_api.anyone.get("/v1/me").headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("path", sorted(app.routes))
def test_an_unsupported_method_is_405_with_allow(shared_api, path):
    """Whatever is tried, also OPTIONS; an override header changes nothing. What can be read has HEAD as well."""
    known = set(app.routes[path])
    known |= {"HEAD"} if "GET" in known else set()
    filled = path.replace("{", "").replace("}", "")
    methods = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "get"} - known

    for method in methods:
        answer = shared_api.practice.send(method, filled, headers={"X-HTTP-Method-Override": "GET"})

        assert (answer.status, answer.json["code"]) == (405, "method_not_allowed"), method
        assert set(answer.headers["allow"].split(", ")) == known


@pytest.mark.parametrize(
    "media_type",
    [
        None,
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/jsonp",
        "text/json",
        "text/plain; application/json",
        "*/*",
    ],
)
@pytest.mark.parametrize("operation", [o for o in OPERATIONS if o.body is not None], ids=lambda o: o.name)
def test_a_body_without_a_json_media_type_is_415(shared_api, operation, media_type):
    """What a form of another site can send without asking first is not even read."""
    path = operation.path.replace("{", "").replace("}", "")
    headers = {"Content-Type": media_type, "Idempotency-Key": "k", "If-Match": '"1"'}
    token = ehr.create_token(path) if operation.access is RouteAccess.CDS_CALLER else shared_api.practice.token

    answer = shared_api.anyone.with_token(token).send(operation.method, path, b"{}", headers=headers)

    assert answer.status == 415


@pytest.mark.parametrize(
    "operation",
    [o for o in OPERATIONS if o.access not in {RouteAccess.PUBLIC, RouteAccess.LINK_HOLDER}],
    ids=lambda o: o.name,
)
def test_an_unknown_caller_gets_401_before_415(shared_api, operation):
    """Without a token no one learns how a body has to be sent."""
    path = operation.path.replace("{", "").replace("}", "")
    form = {"Content-Type": "text/plain"}

    assert shared_api.anyone.send(operation.method, path, b"{}", headers=form).status == 401


@pytest.mark.parametrize("media_type", ["application/json", "Application/JSON", "application/json; charset=utf-8"])
def test_json_is_known_by_its_media_type_in_any_spelling(shared_api, media_type):
    """Case and parameters of a media type do not matter."""
    spelled = {"Content-Type": media_type}
    body = factories.build_referral_body(submit=False)

    assert shared_api.practice.post("/v1/referrals", body, **spelled).status == 201


def test_a_safe_request_id_is_returned_and_an_unsafe_one_is_not(shared_api):
    """The caller's id links both sides' logs, unless it could smuggle something into ours."""
    wild = ("", "short", "x" * 65, "two words 1", "line\nbreak", "<script>123", "\u00fcnicode9")

    def result(given):
        return shared_api.anyone.get("/health", **{"X-Request-Id": given}).headers["x-request-id"]

    assert result("0f8fad5b-d9cb-469f-a165-70867728950e") == "0f8fad5b-d9cb-469f-a165-70867728950e"
    assert all(result(given).startswith("req_") for given in wild)


@pytest.mark.parametrize(("status", "code"), [(404, "not_found"), (405, "method_not_allowed"), (413, "too_large")])
def test_the_gateways_own_refusals_look_like_ours(status, code):
    """What a gateway refuses before any function runs has the same format and headers."""
    answer = build_gateway_problem(status, code, "req_1", allow="GET, POST")

    problem = json.loads(answer["body"])
    assert answer["statusCode"] == problem["status"] == status
    assert set(problem) == MEMBERS_OF_A_PROBLEM
    assert problem["code"] == code
    assert answer["headers"]["Allow"] == "GET, POST"
    assert answer["headers"]["X-Content-Type-Options"] == "nosniff"


def test_a_token_that_is_no_header_value_is_refused(shared_api):
    """A header that no HTTP client could send is refused like any other wrong one."""
    good = tokens.create_token(shared_api.members["practice"].subject)

    assert shared_api.anyone.with_token(f"{good}\r\nX-Evil: 1").get("/v1/me").status == 401
