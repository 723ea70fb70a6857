"""A cursor works for the caller who got it, on the route where it was given, for a day."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import timedelta

import pytest
import time_machine

from chalicelib import wiring

LIST = "/v1/referrals?limit=1&phase=referral"


@pytest.fixture(scope="module")
def cursor(shared_api):
    """The cursor of the second page of a coordinator's list."""
    for _ in range(3):
        shared_api.refer()
    return shared_api.practice.get(LIST).json["next_cursor"]


def assert_refused(answer):
    assert (answer.status, answer.json["code"]) == (400, "cursor_not_valid")


def test_a_cursor_works_where_it_was_given(shared_api, cursor):
    """The page size may differ."""
    assert shared_api.practice.get(f"{LIST}&cursor={cursor}").status == 200
    assert shared_api.practice.get(f"/v1/referrals?limit=3&phase=referral&cursor={cursor}").status == 200


def test_every_letter_of_a_cursor_counts(shared_api, cursor):
    """With one letter changed, it belongs to no one."""
    for place in range(len(cursor)):
        letter = "A" if cursor[place] != "A" else "B"

        assert_refused(shared_api.practice.get(f"{LIST}&cursor={cursor[:place]}{letter}{cursor[place + 1 :]}"))


@pytest.mark.parametrize(
    "changed",
    [
        lambda c: c[:-1],
        lambda c: c[:-4],
        lambda c: c[:10],
        lambda c: c + "A",
        lambda c: c + "=",
        lambda c: c + "%3D%3D",
        lambda c: c[:8] + "!" + c[8:],
        lambda c: c[:8] + "!!!!" + c[8:],
        lambda c: c[:8] + "%20" + c[8:],
        lambda c: c[:8] + "%0A" + c[8:],
        lambda c: c * 2,
        lambda c: c.swapcase(),
        lambda c: "%C3%BC" + c,
        lambda _: "A",
        lambda _: "AQ",
        lambda _: urlsafe_b64encode(b"\x01" + b"0" * 40).decode().rstrip("="),
        lambda _: urlsafe_b64encode(b'{"position":{},"at":9999999999}').decode().rstrip("="),
    ],
)
def test_a_cursor_that_was_not_given_is_refused(shared_api, cursor, changed):
    """Cut off, extended, decorated or made up."""
    assert_refused(shared_api.practice.get(f"{LIST}&cursor={changed(cursor)}"))


@pytest.mark.parametrize("who", ["provider", "other_practice", "center", "other_center"])
def test_a_cursor_belongs_to_its_caller(shared_api, cursor, who):
    """No one else can continue with it, in the same practice or elsewhere."""
    assert_refused(shared_api.get_client_for(shared_api.members[who]).get(f"{LIST}&cursor={cursor}"))


@pytest.mark.parametrize(
    "query",
    [
        "limit=1",
        "limit=1&phase=closed",
        "limit=1&phase=referral&q=x",
        "limit=1&phase=referral&worklist=needs_my_action",
        "limit=1&phase=referral&center_id=ctr_harbor",
        "limit=1&phase=referral&updated_since=2026-01-01T00:00:00Z",
    ],
)
def test_a_cursor_belongs_to_its_filter(shared_api, cursor, query):
    """A list with another filter is another list."""
    assert_refused(shared_api.practice.get(f"/v1/referrals?{query}&cursor={cursor}"))


def test_a_cursor_belongs_to_its_route(shared_api):
    """Neither another list nor another referral's timeline accepts it."""
    one, other = shared_api.refer()["referral_id"], shared_api.refer()["referral_id"]
    shared_api.move_to(one, "received")
    cursor = shared_api.practice.get(f"/v1/referrals/{one}/events?limit=1").json["next_cursor"]

    assert shared_api.practice.get(f"/v1/referrals/{one}/events?cursor={cursor}").status == 200
    assert_refused(shared_api.practice.get(f"/v1/referrals/{other}/events?cursor={cursor}"))
    assert_refused(shared_api.practice.get(f"/v1/notices?cursor={cursor}"))
    assert_refused(shared_api.practice.get(f"/v1/referrals?cursor={cursor}"))


def test_a_cursor_expires(shared_api, cursor):
    """After a day a list starts again."""
    with time_machine.travel(wiring.read_clock() + timedelta(hours=23)):
        assert shared_api.practice.get(f"{LIST}&cursor={cursor}").status == 200
    with time_machine.travel(wiring.read_clock() + timedelta(hours=25)):
        assert_refused(shared_api.practice.get(f"{LIST}&cursor={cursor}"))


def test_a_cursor_reveals_nothing(shared_api, cursor):
    """It is encrypted: no key, id or time can be read from it."""
    raw = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))

    for word in (b"ref_", b"prc_cedar", b"2026", b"position", b"listed_at"):
        assert word not in raw
