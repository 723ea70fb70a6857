"""The link of a card: what it brings to the eligibility check, for whom, how often and for how long."""

import json
import re
from datetime import timedelta

import pytest

from chalicelib import wiring
from chalicelib.services.ehr.chart_entries import LINK_LIFETIME
from tests.support import ehr

ROUTE = "/v1/screens/chart-entries"


def open_card(world, chart="large-b-cell", **changed):
    """The link of the card for a chart."""
    answer = ehr.call_hook(world.anyone, ehr.load_hook(chart) | changed)
    (card,) = answer.json["cards"]
    (link,) = card["links"]
    return link


def read_token(link):
    return link["url"].rpartition("/")[2]


def test_the_link_of_a_chart_with_courses_has_a_random_token_and_no_health_data(shared_api):
    first, second = open_card(shared_api), open_card(shared_api)

    assert re.fullmatch(rf"{ehr.URL}/#/screen/[A-Za-z0-9_-]{{43}}", first["url"])
    assert first["url"] != second["url"]
    assert "once" in first["label"]


def test_the_link_brings_what_was_read_and_groups_nothing(shared_api):
    """The courses are not lines; what was not read is null."""
    answer = shared_api.practice.post(ROUTE, {"token": read_token(open_card(shared_api))})

    assert answer.status == 200
    clinical = answer.json["clinical"]
    assert (clinical["disease"], clinical["histology"], clinical["flags"]) == ("LBCL", None, {"seizure_disorder": True})
    assert "prior_lines" not in clinical
    courses = {course["name"]: course["classes"] for course in answer.json["courses"]}
    assert courses == {"rituximab": ["anti_cd20"], "doxorubicin": ["anthracycline"], "vincristine": ["chemotherapy"]}
    assert isinstance(answer.json["age"], int)


def test_the_link_works_once(shared_api):
    """For anyone."""
    body = {"token": read_token(open_card(shared_api))}
    assert shared_api.practice.post(ROUTE, body).status == 200

    for member in ("practice", "provider"):
        again = shared_api.get_client_for(shared_api.members[member]).post(ROUTE, body)
        assert (again.status, again.json["code"]) == (409, "link_used_or_expired")


def test_the_link_expires(shared_api, monkeypatch):
    """On time, whether or not the database has deleted it yet."""
    now = wiring.read_clock()
    body = {"token": read_token(open_card(shared_api))}
    monkeypatch.setattr(wiring, "read_clock", lambda: now + LINK_LIFETIME + timedelta(seconds=1))

    member = shared_api.get_client_for(shared_api.members["practice"])
    answer = member.post(ROUTE, body)

    assert (answer.status, answer.json["code"]) == (409, "link_used_or_expired")


def test_only_a_practice_can_open_the_link(shared_api):
    """A center's attempt does not use it up."""
    body = {"token": read_token(open_card(shared_api))}

    assert shared_api.center.post(ROUTE, body).status == 403
    assert shared_api.anyone.post(ROUTE, body).status == 401
    assert shared_api.practice.post(ROUTE, body).status == 200


@pytest.mark.parametrize("token", ["", "a" * 42, "a" * 44, "../" + "a" * 40, 7])
def test_a_token_that_cannot_be_one_is_refused(shared_api, token):
    answer = shared_api.practice.post(ROUTE, {"token": token})

    assert (answer.status, answer.json["errors"][0]["pointer"]) == (400, "/token")


def test_what_is_stored_cannot_be_read_without_the_link(shared_api):
    """Neither the entries nor the token are in any row, and after use the entries are gone."""
    before = count_contents()
    token = read_token(open_card(shared_api))

    assert count_contents() == before + 1
    assert not re.search(r"LBCL|rituximab|seizure|" + token, json.dumps(every_row(), default=str))

    shared_api.practice.post(ROUTE, {"token": token})
    assert count_contents() == before


def test_a_chart_whose_lines_are_stated_has_the_plain_link(shared_api):
    """Nothing is stored for it."""
    assert open_card(shared_api, "follicular")["url"] == f"{ehr.URL}/#/screen"


def every_row():
    client = wiring.get_dynamodb_client()
    return [
        row
        for row in client.scan(TableName="cart-idempotency")["Items"]
        if set(row) <= {"scope_key", "expires_at", "content"}
    ]


def count_contents():
    return sum("content" in row for row in every_row())
