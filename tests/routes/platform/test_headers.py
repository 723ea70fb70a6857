"""The headers that every response carries, and what a cache may keep."""

import json
import re
from importlib.resources import files

import pytest

from app import app
from chalicelib import web
from chalicelib.domain.notices.notice_rules import Category
from chalicelib.routes import static_pages
from chalicelib.services.notices.unsubscribe import build_unsubscribe_url
from tests.support import factories
from tests.support.aws_fakes import QUARANTINE

EVERYWHERE = {
    "strict-transport-security": "max-age=63072000; includeSubDomains",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
READABLE = sorted(path for path, methods in app.routes.items() if "GET" in methods)
WITHOUT_HEALTH_DATA = {
    *("/", "/assets/{build}/{package}/{name}", "/cds-services", "/docs", "/legal/{text}"),
    *("/v1/openapi.json", "/v1/statements"),
}
"""Routes whose answers a browser may keep for a while."""


@pytest.fixture(scope="module")
def get_path(shared_api):
    """Request a path, its ids filled in with those of a submitted referral."""
    referral_id = shared_api.refer()["referral_id"]
    way_out = build_unsubscribe_url("mem_1", [Category.DIGEST], sign_in_url="", stores=shared_api.stores)
    ids = {"referral_id": referral_id, "center_id": "ctr_harbor", "build": "any", "package": "app", "name": "app.js"}
    ids["calendar"] = "mem_nobody.nothing.ics"
    ids["notice_id"] = "ntc_20260101T000000000000_" + "a" * 26
    ids["document_id"] = "doc_" + "a" * 26
    ids["text"] = "terms"
    ids["token"] = way_out.rpartition("/")[2]

    def get(path, **headers):
        return shared_api.practice.get(path.format(**ids), **headers)

    return get


def assert_guarded(answer):
    assert EVERYWHERE.items() <= answer.headers.items()
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; ")
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert "*" not in policy
    assert answer.headers["x-request-id"]
    assert not [name for name in answer.headers if name.startswith("access-control-")]


@pytest.mark.parametrize("path", READABLE)
def test_every_response_has_the_security_headers(get_path, path):
    """Whatever the status; no other origin is allowed."""
    assert_guarded(get_path(path, Origin="https://dashboard.example.evil.example"))


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/v1/referrals", 400),
        ("DELETE", "/health", 405),
        ("POST", "/v1/sessions", 415),
        ("GET", "/assets/any/app/nothing.js", 404),
    ],
)
def test_a_refusal_has_the_security_headers(shared_api, method, path, status):
    """Also where the framework refuses before our code runs."""
    media_type = "text/plain" if status == 415 else "application/json"

    answer = shared_api.practice.send(method, path, b"x", headers={"Content-Type": media_type})

    assert answer.status == status
    assert_guarded(answer)


def test_an_internal_error_has_the_security_headers(shared_api, monkeypatch):
    """It is a response like any other."""
    monkeypatch.setattr("chalicelib.wiring.get_stores", lambda: 1 / 0)

    answer = shared_api.practice.get("/v1/me")

    assert answer.status == 500
    assert_guarded(answer)


@pytest.mark.parametrize("path", READABLE)
def test_only_responses_without_health_data_may_be_cached(get_path, path):
    """Neither a browser nor a proxy keeps a response about people."""
    answer = get_path(path)

    kept = answer.headers["cache-control"] != "no-store"
    assert kept is (path in WITHOUT_HEALTH_DATA)


def test_a_response_to_a_change_may_not_be_cached(shared_api):
    """The response to a POST or PATCH is health data, like that to a GET."""
    made = shared_api.practice.post("/v1/referrals", factories.build_referral_body(submit=False))
    changed = shared_api.practice.patch(made.headers["location"], {"note": "x"}, version=1)

    assert (made.status, changed.status) == (201, 200)
    assert {a.headers["cache-control"] for a in (made, changed)} == {"no-store"}


@pytest.mark.parametrize("path", ["/", "/docs", "/assets/any/app/app.js"])
def test_a_page_may_load_only_from_its_own_origin(get_path, path):
    """No inline script and no eval, trusted types only; the bucket of uploads is the only other host."""
    policy = get_path(path).headers["content-security-policy"]

    directives = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    assert directives["script-src"] == "'self'"
    assert directives["connect-src"] == f"'self' https://{QUARANTINE}.s3.us-east-1.amazonaws.com"
    assert directives["form-action"] == "'self'"
    assert directives["require-trusted-types-for"] == "'script'"
    del directives["connect-src"]
    assert not [source for value in directives.values() for source in value.split() if "." in source]


@pytest.mark.parametrize("path", ["/", "/docs", "/assets/any/app/app.js"])
def test_an_unchanged_file_is_not_sent_again(get_path, path):
    """A browser that has the file gets 304, and the same tag."""
    first = get_path(path)
    again = get_path(path, **{"If-None-Match": first.headers["etag"]})

    assert (first.status, again.status, again.text) == (200, 304, "")
    assert again.headers["etag"] == first.headers["etag"]


@pytest.mark.parametrize("page", ["/", "/docs"])
def test_a_browser_keeps_the_files_of_a_page(shared_api, page):
    """Their addresses change with their content, so a second visit asks for none of them."""
    addresses = re.findall(r'(?:href|src)="(assets/[^"]+)"', shared_api.anyone.get(page).text)

    assert addresses
    kept = {shared_api.anyone.get(f"/{address}").headers["cache-control"] for address in addresses}
    assert kept == {"public, max-age=31536000, immutable"}


def test_a_page_of_another_build_gets_files_that_no_browser_keeps(shared_api):
    """While a deployment shifts traffic, a page of one build may ask the other."""
    answer = shared_api.anyone.get("/assets/0123456789abcdef/app/app.js")

    assert (answer.status, answer.headers["cache-control"]) == (200, "no-cache")


def test_a_page_changes_with_each_file(shared_api, monkeypatch):
    """A browser that has the page does not get 304 for it, because the page names the files of an earlier build."""
    first = shared_api.anyone.get("/")
    monkeypatch.setattr(static_pages, "_get_build", lambda: "0123456789abcdef")

    again = shared_api.anyone.get("/", **{"If-None-Match": first.headers["etag"]})

    assert again.status == 200
    assert 'src="assets/0123456789abcdef/app/app.js"' in again.text


@pytest.mark.parametrize(
    "name",
    [
        "nothing.js",
        "manifest.json",
        "__init__.py",
        "..%2fapp.py",
        "%2e%2e%2f%2e%2e%2fapp.py",
        "%2fetc%2fpasswd",
        "app.js%00.css",
        "APP.JS",
        "vendor%2fpreact.js",
        "..%2fvendor%2fpreact.js",
    ],
)
def test_only_files_of_the_dashboard_can_be_requested(shared_api, name):
    """A name is looked up in a list; the disk is never read by name."""
    assert shared_api.anyone.get(f"/assets/any/app/{name}").status == 404
    assert shared_api.anyone.get(f"/assets/any/{name}/app.js").status == 404


def test_every_file_of_the_dashboard_has_its_content_type(shared_api):
    """The list of files names each with its type; no browser has to guess."""
    listed = json.loads((files(web) / "manifest.json").read_text("utf-8"))

    pages = {"index.html": "/", "docs.html": "/docs"}
    served = {name: shared_api.anyone.get(pages.get(name, f"/assets/any/{name}")) for name in listed}

    assert {answer.status for answer in served.values()} == {200}
    assert {n: a.headers["content-type"] for n, a in served.items()} == {
        name: entry["type"] for name, entry in listed.items()
    }
