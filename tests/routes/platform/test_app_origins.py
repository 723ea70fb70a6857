"""Apps that call the API from a browser of another origin (CORS): none by default, then only those in the setting."""

import pytest

from chalicelib import wiring
from chalicelib.routes.platform.operations import RouteAccess
from chalicelib.routes.route_loader import load_all_operations
from tests.support.api_client import ApiClient

APP = "capacitor://localhost"
SECOND_APP = "https://app.example:8443"
OTHERS = (
    "https://evil.example",
    "null",
    "*",
    "capacitor://localhost.evil.example",
    "https://capacitor://localhost",
    "CAPACITOR://LOCALHOST",
    "capacitor://localhost/",
    "https://app.example",
    "http://app.example:8443",
    "",
)


@pytest.fixture
def with_apps(shared_api, monkeypatch):
    """The API, with two apps in its setting."""
    monkeypatch.setenv("APP_ORIGINS", f"{APP} {SECOND_APP}")
    wiring.get_settings.cache_clear()
    yield shared_api
    wiring.get_settings.cache_clear()


def ask(site: ApiClient, path, origin, method="GET"):
    headers = {"Origin": origin, "Access-Control-Request-Method": method}
    return site.send("OPTIONS", path, headers=headers)


def list_cors_headers(answer):
    return {name for name in answer.headers if name.startswith("access-control-")}


@pytest.mark.parametrize("origin", [APP, SECOND_APP])
def test_an_app_can_call_the_api(with_apps, origin):
    """A8: the browser asks first, then sends the request, and lets the app read the response and its headers."""
    asked = ask(with_apps.anyone, "/v1/referrals", origin, "POST")
    answer = with_apps.practice.get("/v1/referrals", Origin=origin)

    assert (asked.status, asked.text) == (204, "")
    assert asked.headers["access-control-allow-origin"] == origin
    assert asked.headers["access-control-allow-methods"] == "GET, POST"
    assert {"Authorization", "Idempotency-Key", "If-Match"} <= set(
        asked.headers["access-control-allow-headers"].split(", ")
    )
    assert (answer.status, answer.headers["access-control-allow-origin"]) == (200, origin)
    assert {"ETag", "Retry-After"} <= set(answer.headers["access-control-expose-headers"].split(", "))
    assert answer.headers["vary"] == asked.headers["vary"] == "Origin"


@pytest.mark.parametrize("origin", OTHERS)
def test_no_other_origin_can_read_a_response(with_apps, origin):
    """Not one that begins or ends alike, not in other letters, and no pattern."""
    asked = ask(with_apps.anyone, "/v1/referrals", origin)
    answer = with_apps.practice.get("/v1/referrals", Origin=origin)

    assert (asked.status, list_cors_headers(asked)) == (405, set())
    assert (answer.status, list_cors_headers(answer)) == (200, set())


@pytest.mark.parametrize("origin", [APP, "https://evil.example"])
def test_without_the_setting_no_origin_can(shared_api, origin):
    """Off by default, with the responses of a site without apps."""
    asked = ask(shared_api.anyone, "/v1/referrals", origin)
    answer = shared_api.practice.get("/v1/referrals", Origin=origin)

    assert (asked.status, list_cors_headers(asked)) == (405, set())
    assert list_cors_headers(answer) == set()
    assert "vary" not in answer.headers


def test_an_app_can_read_refusals(with_apps):
    """Otherwise it could not tell an expired session from a failure."""
    answer = with_apps.anyone.get("/v1/me", Origin=APP)

    assert (answer.status, answer.headers["access-control-allow-origin"]) == (401, APP)


def test_no_response_allows_cookies(with_apps):
    """Only the token says who is asking."""
    answers = (ask(with_apps.anyone, "/v1/me", APP), with_apps.practice.get("/v1/me", Origin=APP))

    assert not [answer for answer in answers if "access-control-allow-credentials" in answer.headers]


@pytest.mark.parametrize("operation", load_all_operations(), ids=lambda o: f"{o.method} {o.path}")
def test_only_what_people_call_is_open_to_apps(with_apps, operation):
    """Not the routes of systems, of links in emails, or of health records, and not the dashboard's own files."""
    path = operation.path.format_map(_AnyId())

    asked = ask(with_apps.anyone, path, APP, operation.method)

    of_people = {RouteAccess.MEMBER, RouteAccess.PERSON, RouteAccess.PUBLIC}
    is_open = operation.path.startswith("/v1/") and operation.access in of_people
    assert ("access-control-allow-origin" in asked.headers) is is_open


class _AnyId(dict[str, str]):
    def __missing__(self, name):
        return "x"
