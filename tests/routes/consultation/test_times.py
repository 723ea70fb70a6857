"""Publishing, listing and removing the times of a center."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from chalicelib import wiring
from chalicelib.services.consultation.patterns import materialize_all
from chalicelib.services.identity.access_tokens import TokenSession
from tests.support.bookings import (
    PATTERNS,
    SLOTS,
    Booker,
    build_pattern_body,
    build_slot_body,
    find_time,
    publish_slot,
    refer_accepted,
)

NEW_YORK = ZoneInfo("America/New_York")


def find_slot(site, slot_id, *, query=""):
    items = site.get(f"{SLOTS}{query}").json["items"]
    return next((item for item in items if item["slot_id"] == slot_id), None)


def remove(site, path, version):
    return site.send("DELETE", path, headers={"If-Match": f'"{version}"'})


def find_next_clock_change(*, forward):
    """Return the first day on or after today whose night the clocks in New York change."""
    day = wiring.read_clock().astimezone(NEW_YORK).replace(hour=0, minute=0, second=0, microsecond=0)
    for _ in range(400):
        following = day + timedelta(days=1)
        gained = (day.utcoffset() or timedelta()) - (following.utcoffset() or timedelta())
        if gained and (gained < timedelta()) is forward:
            return day.date()
        day = following
    raise LookupError


def test_one_time_or_a_list_can_be_published(api):
    one = api.center.post(SLOTS, build_slot_body())
    many = api.center.post(SLOTS, {"slots": [build_slot_body(starts_at=find_time().isoformat()) for _ in range(3)]})

    assert one.json["slot_id"] == one.json["items"][0]["slot_id"]
    assert (len(many.json["items"]), many.json["slot_id"]) == (3, None)


def test_a_list_with_one_wrong_time_publishes_nothing(api):
    good = build_slot_body(starts_at=find_time().isoformat())
    past = build_slot_body(starts_at=(wiring.read_clock() - timedelta(hours=1)).replace(second=0).isoformat())
    answer = api.center.post(SLOTS, {"slots": [good, past]})

    assert answer.status == 400
    assert "/slots/1/starts_at" in {error["pointer"] for error in answer.json["errors"]}
    assert api.center.post(SLOTS, good).status == 201


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/starts_at"),
        ({"starts_at": "2199-01-01T10:00:00Z"}, "/mode"),
        ({"starts_at": "2199-01-01T10:00:00Z", "mode": "in_person"}, "/starts_at"),
        ({"slots": []}, "/slots"),
        ({"slots": [{"starts_at": "2199-01-01T10:00:00Z", "mode": "phone"}]}, "/slots/0/mode"),
        ({"slots": [{"starts_at": "2199-01-01T10:00:00Z", "mode": "in_person"}], "minutes": 30}, "/minutes"),
        ({"starts_at": "2199-01-01T10:00:00Z", "mode": "in_person", "capacity": 0}, "/capacity"),
        ({"starts_at": "2199-01-01T10:00:00Z", "mode": "in_person", "minutes": 5}, "/minutes"),
    ],
)
def test_a_wrong_time_is_refused_with_its_field(api, body, pointer):
    answer = api.center.post(SLOTS, body)

    assert answer.status == 400
    assert pointer in {error["pointer"] for error in answer.json["errors"]}


def test_the_same_time_is_not_published_twice(api):
    body = build_slot_body()
    api.center.post(SLOTS, body)

    answer = api.center.post(SLOTS, body)

    assert (answer.status, answer.json["code"]) == (409, "slot_exists")


def test_a_repeated_request_publishes_once(api):
    body = build_slot_body()
    first = api.center.post(SLOTS, body, key="publish-once")
    again = api.center.post(SLOTS, body, key="publish-once")

    assert (again.status, again.json) == (201, first.json)


def test_the_center_sees_who_booked_and_practices_do_not(api):
    slot_id = publish_slot(api, capacity=2)
    booker = refer_accepted(api)
    booker.book(slot_id)

    assert find_slot(api.center, slot_id)["bookings"][0]["referral_id"] == booker.referral_id
    offered = find_slot(api.other_practice, slot_id)
    assert (offered["free"], offered["bookings"]) == (1, [])


def test_a_list_can_be_limited_to_days_and_to_a_way_to_attend(api):
    starts_at = find_time(days=20)
    slot_id = publish_slot(api, starts_at=starts_at.isoformat(), mode="telehealth")
    day = starts_at.astimezone(NEW_YORK).date().isoformat()
    query = f"?first_day={day}&last_day={day}"

    assert find_slot(api.practice, slot_id, query=f"{query}&mode=telehealth")
    assert find_slot(api.practice, slot_id, query=f"{query}&mode=in_person") is None
    assert find_slot(api.practice, slot_id) is None


@pytest.mark.parametrize(
    "query", ["?first_day=2026-12-02&last_day=2026-12-01", "?first_day=2026-12-02&last_day=2027-12-01", "?day=x"]
)
def test_a_range_that_makes_no_sense_is_refused(api, query):
    assert api.practice.get(f"{SLOTS}{query}").status == 400


def test_a_booked_time_cannot_be_removed_until_it_is_canceled(api):
    slot_id = publish_slot(api)
    booker = refer_accepted(api)
    booker.book(slot_id)
    path = f"{SLOTS}/{slot_id}"

    refused = remove(api.center, path, find_slot(api.center, slot_id)["version"])
    Booker(api.center, booker.referral_id).cancel(reason="center_unavailable")
    removed = remove(api.center, path, find_slot(api.center, slot_id)["version"])

    assert (refused.status, refused.json["code"]) == (409, "slot_booked")
    assert removed.status == 204
    assert find_slot(api.center, slot_id) is None


def test_a_removal_with_an_old_version_is_refused(api):
    slot_id = publish_slot(api)
    refer_accepted(api).hold(slot_id)

    assert remove(api.center, f"{SLOTS}/{slot_id}", 1).status == 412


def test_a_pattern_can_be_booked_at_once(api):
    pattern = api.center.post(PATTERNS, build_pattern_body(starts=["06:05"], place="Clinic 4"))
    own = [item for item in api.center.get(SLOTS).json["items"] if item["pattern_id"] == pattern.json["pattern_id"]]

    assert pattern.status == 201, pattern.text
    assert own
    assert {item["place"] for item in own} == {"Clinic 4"}
    assert {datetime.fromisoformat(item["starts_at"]).astimezone(NEW_YORK).strftime("%H:%M") for item in own} == {
        "06:05"
    }
    assert refer_accepted(api).book(own[-1]["slot_id"]).json["minutes"] == 45


def test_a_removed_time_of_a_pattern_does_not_come_back(api):
    """Neither with the daily job, nor when the pattern offers its times in another way."""
    body = build_pattern_body(starts=["11:50"], weekdays=["tuesday"])
    published = api.center.post(PATTERNS, body).json
    path = f"{PATTERNS}/{published['pattern_id']}"
    slot = next(i for i in api.center.get(SLOTS).json["items"] if i["pattern_id"] == published["pattern_id"])
    assert remove(api.center, f"{SLOTS}/{slot['slot_id']}", slot["version"]).status == 204

    materialize_all(context=wiring.build_run_context())
    assert slot["starts_at"] not in list_starts(api, published["pattern_id"])
    api.center.put(path, {**body, "place": "Pavilion 4"}, version=1)
    starts = list_starts(api, published["pattern_id"])
    assert starts
    assert slot["starts_at"] not in starts
    assert remove(api.center, f"{SLOTS}/{slot['slot_id']}", slot["version"] + 1).status == 404


def list_starts(api, pattern_id):
    return [i["starts_at"] for i in api.center.get(SLOTS).json["items"] if i["pattern_id"] == pattern_id]


def test_a_changed_pattern_lists_the_booked_time_that_it_no_longer_has(api):
    pattern = api.center.post(PATTERNS, build_pattern_body(starts=["06:15"])).json
    path = f"{PATTERNS}/{pattern['pattern_id']}"
    own = [item for item in api.center.get(SLOTS).json["items"] if item["pattern_id"] == pattern["pattern_id"]]
    booker = refer_accepted(api)
    booked = booker.book(own[-1]["slot_id"]).json

    changed = api.center.put(path, build_pattern_body(starts=["06:25"]), version=1).json

    assert [each["slot_id"] for each in changed["to_review"]] == [booked["slot_id"]]
    assert changed["to_review"][0]["bookings"][0]["referral_id"] == booker.referral_id
    assert booker.read()["state"] == "booked"
    removed = remove(api.center, path, 2).json
    assert [each["slot_id"] for each in removed["to_review"]] == [booked["slot_id"]]
    assert booker.read()["state"] == "booked"
    assert pattern["pattern_id"] in {each["pattern_id"] for each in api.center.get(PATTERNS).json["items"]}


def test_a_change_with_an_old_version_is_refused(api):
    pattern = api.center.post(PATTERNS, build_pattern_body(starts=["06:35"])).json
    path = f"{PATTERNS}/{pattern['pattern_id']}"
    api.center.put(path, build_pattern_body(starts=["06:45"]), version=1)

    assert api.center.put(path, build_pattern_body(), version=1).status == 412
    assert remove(api.center, path, 1).status == 412


def test_a_removed_pattern_without_bookings_is_gone(api):
    pattern = api.center.post(PATTERNS, build_pattern_body(starts=["06:55"])).json
    path = f"{PATTERNS}/{pattern['pattern_id']}"

    assert remove(api.center, path, 1).json["removed"]
    assert pattern["pattern_id"] not in {each["pattern_id"] for each in api.center.get(PATTERNS).json["items"]}
    assert not [item for item in api.center.get(SLOTS).json["items"] if item["pattern_id"] == pattern["pattern_id"]]
    assert api.center.put(path, build_pattern_body(), version=2).status == 404


@pytest.mark.parametrize(
    ("changed", "pointer"),
    [
        ({"weekdays": [], "starts": ["09:00"]}, "/weekdays"),
        ({"starts": []}, "/starts"),
        ({"starts": ["9:00"]}, "/starts/0"),
        ({"starts": ["09:00", "09:00"]}, "/starts"),
        ({"begins_on": "2027-01-02", "ends_on": "2027-01-01"}, "/ends_on"),
        ({"mode": "phone"}, "/mode"),
        ({"extra": [{"on": "2027-01-01", "at": "25:00"}]}, "/extra/0/at"),
    ],
)
def test_a_wrong_pattern_is_refused_with_its_field(api, changed, pointer):
    answer = api.center.post(PATTERNS, build_pattern_body(**changed))

    assert answer.status == 400
    assert pointer in {error["pointer"] for error in answer.json["errors"]}


def test_an_hour_that_clocks_skip_is_shown_to_the_center_and_not_offered(api, monkeypatch):
    """Whenever this test runs, it publishes a few days before the clocks go forward."""
    sunday = find_next_clock_change(forward=True)
    before = datetime(sunday.year, sunday.month, sunday.day, 12, tzinfo=UTC) - timedelta(days=3)
    booked = {
        "weekdays": [],
        "starts": [],
        "extra": [{"on": sunday.isoformat(), "at": at} for at in ("02:30", "03:30")],
    }
    monkeypatch.setattr(wiring, "read_clock", lambda: before)
    monkeypatch.setattr(wiring, "get_token_verifier", lambda: AnyToken(api.members["center"].subject))

    pattern = api.center.post(PATTERNS, build_pattern_body(**booked)).json
    own = [item for item in api.center.get(SLOTS).json["items"] if item["pattern_id"] == pattern["pattern_id"]]

    assert pattern["skipped"] == [{"on": sunday.isoformat(), "at": "02:30"}]
    assert [datetime.fromisoformat(item["starts_at"]).astimezone(NEW_YORK).strftime("%H:%M") for item in own] == [
        "03:30"
    ]


class AnyToken:
    """Accepts every token as that of one person, because real ones are valid for an hour of today."""

    def __init__(self, subject):
        self.subject = subject

    def verify_session(self, _token, **_now):
        return TokenSession(subject=self.subject, session_id="", signed_in_at=0)
