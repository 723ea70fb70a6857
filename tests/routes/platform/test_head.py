"""HEAD: what a program asks before it reads, for every path that can be read."""

import pytest

from app import app
from chalicelib.domain.notices.notice_rules import Category
from chalicelib.services.notices.unsubscribe import build_unsubscribe_url

READABLE = sorted(path for path, methods in app.routes.items() if "GET" in methods)
NEVER_THE_SAME = {"date", "x-request-id"}


@pytest.fixture(scope="module")
def fill_path(shared_api):
    """Fill in a path with ids that exist."""
    member_feed = shared_api.practice.post("/v1/me/calendar", None).json["url"]
    link = build_unsubscribe_url("mem_1", [Category.DIGEST], sign_in_url="", stores=shared_api.stores)
    ids = {"referral_id": shared_api.refer()["referral_id"], "center_id": "ctr_harbor"}
    ids |= {"text": "terms", "build": "any", "package": "app", "name": "app.js", "token": link.rpartition("/")[2]}
    ids["calendar"] = member_feed.rpartition("/")[2]
    ids["notice_id"] = "ntc_20260101T000000000000_" + "a" * 26
    ids["document_id"] = "doc_" + "a" * 26
    return lambda path: path.format_map(ids)


@pytest.mark.parametrize("path", READABLE)
def test_head_is_answered_like_get_without_a_body(shared_api, fill_path, path):
    """The same status and the same headers, with and without access."""
    got = shared_api.practice.get(fill_path(path))
    answer = shared_api.practice.send("HEAD", fill_path(path))

    assert (answer.status, answer.text) == (got.status, "")
    same = {name: value for name, value in got.headers.items() if name not in NEVER_THE_SAME}
    assert {name: value for name, value in answer.headers.items() if name not in NEVER_THE_SAME} == same


def test_head_needs_the_same_sign_in_as_get(shared_api, fill_path):
    """It says no more to a stranger."""
    answer = shared_api.anyone.send("HEAD", fill_path("/v1/referrals/{referral_id}"))

    assert (answer.status, answer.text) == (401, "")


@pytest.mark.parametrize("path", sorted(path for path, methods in app.routes.items() if "GET" not in methods))
def test_a_path_that_cannot_be_read_has_no_head(shared_api, path):
    """Nothing that changes data runs by HEAD."""
    assert shared_api.practice.send("HEAD", path.replace("{", "").replace("}", "")).status == 405
