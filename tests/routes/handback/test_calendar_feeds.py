"""Follow-up through the API: its days, the file, the feed and the wallet card."""

from datetime import date, timedelta
from urllib.parse import urlsplit

import pytest
from icalendar import Calendar

from chalicelib import wiring
from chalicelib.domain.platform.rate_limit import RateLimit
from chalicelib.services.handback.calendar import CALENDAR_DAYS_AHEAD
from tests.support import factories
from tests.support.api_driver import REQUIRED_STAGES_TO_INFUSED
from tests.support.handbacks import build_handback_body

ALIAS = "Müller; the \\Blue\\, a länger Heron"


def return_referral(world, **patient):
    """Create a referral whose patient is back with the practice; return its path."""
    changed = {f"patient__{name}": value for name, value in patient.items()}
    referral_id = world.refer(**changed)["referral_id"]
    world.move_to(referral_id, *REQUIRED_STAGES_TO_INFUSED, "monitoring", "window_complete", "handback_ready")
    event = {
        "type": "stage.changed",
        "occurred_at": wiring.read_clock().isoformat(),
        "data": {"stage": "handed_back", "first_visit_on": "2026-12-08"},
    }
    path = f"/v1/referrals/{referral_id}"
    assert world.practice.post(f"{path}/events", event).status == 200
    return path


@pytest.fixture(scope="module")
def returned_referral_id(shared_api):
    return return_referral(shared_api)


def new_feed(site):
    return urlsplit(site.post("/v1/me/calendar", None).json["url"]).path


def events_of(answer):
    return list(Calendar.from_ical(answer.text).walk("VEVENT"))


def test_before_an_infusion_there_is_no_follow_up(shared_api):
    """There is no day to count from."""
    path = f"/v1/referrals/{shared_api.refer()['referral_id']}"

    assert shared_api.practice.get(f"{path}/follow-up").status == 404
    assert shared_api.practice.get(f"{path}/follow-up.ics").status == 404


def test_both_sides_read_the_same_days(shared_api, returned_referral_id):
    """Counted from the infusion, each with its source, earliest first."""
    result = shared_api.practice.get(f"{returned_referral_id}/follow-up").json
    day = date.fromisoformat(result["infused_on"]) + timedelta(days=100)

    assert result["items"] == shared_api.center.get(f"{returned_referral_id}/follow-up").json["items"]
    by_key = {item["key"]: item for item in result["items"]}
    assert by_key["visit_day_100"]["date"] == day.isoformat()
    assert by_key["first_visit"]["date"] == "2026-12-08"
    assert [i["date"] for i in result["items"]] == sorted(i["date"] for i in result["items"])
    assert all(item["source"] for item in result["items"])


def test_the_wallet_card_works_without_a_summary(shared_api, returned_referral_id):
    """With the published minimum, and the number in the directory."""
    card = shared_api.practice.get(f"{returned_referral_id}/follow-up").json["card"]

    assert card["product"] == "Breyanzi"
    assert card["phone"] == "+14105550199"
    assert [line["label"] for line in card["lines"]] == [
        "Blood products",
        "Driving and operating machinery",
        "Corticosteroids",
    ]
    assert card["lines"][1]["text"].startswith("No driving before ")
    assert len(card["statements"]) == 2


def test_the_centers_summary_is_on_the_wallet_card(shared_api):
    """Its number and its days come before the minimum."""
    path = return_referral(shared_api)
    shared_api.center.put(f"{path}/handback", build_handback_body(), version=0)
    card = shared_api.practice.get(f"{path}/follow-up").json["card"]

    assert card["phone"] == "+17135550199"
    assert "through February 15, 2027" in card["lines"][0]["text"]
    assert card["lines"][1]["text"] == "Cleared to drive by the center starting November 16, 2026."


def test_the_file_follows_rfc_5545(shared_api):
    """Lines end with CRLF and have 75 octets at most; text is escaped; days are whole days."""
    path = return_referral(shared_api, alias=ALIAS)
    answer = shared_api.practice.get(f"{path}/follow-up.ics")

    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    raw = answer.text.encode()
    assert raw.endswith(b"END:VCALENDAR\r\n")
    lines = raw.split(b"\r\n")[:-1]
    assert b"\n" not in b"".join(lines)
    assert max(len(line) for line in lines) <= 75
    for line in lines:
        line.decode()  # No letter is cut in two.
    unfolded = raw.replace(b"\r\n ", b"").decode()
    assert "SUMMARY:Müller\\; the \\\\Blue\\\\\\, a länger Heron: Visit due\r\n" in unfolded
    assert "DTSTART;VALUE=DATE:20261208\r\nDTEND;VALUE=DATE:20261209" in unfolded
    for needed in (
        "VERSION:2.0",
        "PRODID:",
        "CALSCALE:GREGORIAN",
        "REFRESH-INTERVAL;VALUE=DURATION:PT12H",
        "X-PUBLISHED-TTL:PT12H",
    ):
        assert unfolded.count(needed) == 1
    for needed in ("UID:", "DTSTAMP:", "SEQUENCE:", "DTSTART;VALUE=DATE:"):
        assert unfolded.count(f"\r\n{needed}") == unfolded.count("BEGIN:VEVENT")


def test_a_file_contains_only_an_alias_and_a_kind_of_day(shared_api):
    """What a summary says about the patient stays behind the sign-in."""
    path = return_referral(shared_api)
    shared_api.center.put(f"{path}/handback", build_handback_body(), version=0)
    events = events_of(shared_api.practice.get(f"{path}/follow-up.ics"))

    alias = shared_api.practice.get(path).json["alias"]
    message = {str(event["summary"]) for event in events}
    kinds = ("First visit", "Visit at another site", "Visit due", "Task due", "Date to review")
    assert message == {f"{alias}: {kind}" for kind in kinds}
    assert {str(event["description"]) for event in events} == {
        f"Sign in for details: {wiring.get_settings().public_url}"
    }


def test_entries_keep_their_uid_and_grow_in_sequence(shared_api):
    """A day that moves is moved in the calendar, not doubled."""
    path = return_referral(shared_api)
    shared_api.center.put(f"{path}/handback", build_handback_body(), version=0)
    before = {e["uid"]: e for e in events_of(shared_api.practice.get(f"{path}/follow-up.ics"))}
    moved = build_handback_body(next_center_visit_on="2027-02-09")
    shared_api.center.put(f"{path}/handback", moved, version=1)
    after = {e["uid"]: e for e in events_of(shared_api.practice.get(f"{path}/follow-up.ics"))}

    assert set(before) == set(after)
    other = [uid for uid in after if after[uid].start != before[uid].start]
    assert [after[uid].start for uid in other] == [date(2027, 2, 9)]
    assert all(after[uid]["sequence"] > before[uid]["sequence"] for uid in other)


def test_the_same_state_is_the_same_bytes(shared_api, returned_referral_id):
    """A program that fetches it each hour sees no change where there is none."""
    first, second = (shared_api.practice.get(f"{returned_referral_id}/follow-up.ics").text for _ in range(2))

    assert first == second


def test_a_feed_has_all_patients_of_its_owner(shared_api, returned_referral_id):
    """Of the practice or of the center, without signing in, and of no one else."""
    alias = shared_api.practice.get(returned_referral_id).json["alias"]
    for site, is_there in ((shared_api.practice, True), (shared_api.center, True), (shared_api.other_practice, False)):
        events = events_of(shared_api.anyone.get(new_feed(site)))
        assert any(str(e["summary"]).startswith(alias) for e in events) is is_there


def test_a_feed_covers_only_near_days(shared_api, returned_referral_id):
    """Not fifteen years of everyone."""
    latest = wiring.read_clock().date() + CALENDAR_DAYS_AHEAD

    days = [event.start for event in events_of(shared_api.anyone.get(new_feed(shared_api.practice)))]
    assert days
    assert max(days) <= latest + timedelta(days=1)


def test_a_referral_is_in_the_practices_feed_from_the_return_on(shared_api):
    """Before it, the center is responsible for the patient."""
    referral_id = shared_api.refer(patient__alias="Umber Plover")["referral_id"]
    shared_api.move_to(referral_id, *REQUIRED_STAGES_TO_INFUSED)

    assert "Umber Plover" not in shared_api.anyone.get(new_feed(shared_api.practice)).text


def test_a_new_link_ends_the_one_before(shared_api):
    """One per member."""
    old = new_feed(shared_api.practice)
    new = new_feed(shared_api.practice)

    assert shared_api.anyone.get(old).status == 404
    assert shared_api.anyone.get(new).status == 200


def test_an_ended_link_looks_like_one_that_never_existed(shared_api):
    """To the byte."""
    path = new_feed(shared_api.center)
    assert shared_api.center.get("/v1/me/calendar").json["active"] is True
    assert shared_api.center.send("DELETE", "/v1/me/calendar").status == 204
    ended = shared_api.anyone.get(path, **{"X-Request-Id": "one-request-id"})
    member_id = shared_api.members["center"].member_id
    for other in (f"{member_id}.{'a' * 26}.ics", f"mem_{'a' * 26}.{'a' * 26}.ics", "x.ics", "x"):
        never = shared_api.anyone.get(f"/v1/calendars/{other}", **{"X-Request-Id": "one-request-id"})
        assert never == ended
    assert ended.status == 404
    assert shared_api.center.get("/v1/me/calendar").json == {"active": False, "made_at": None}


def test_a_repeated_request_returns_the_same_link(shared_api):
    """A lost response costs no calendar."""
    first = shared_api.practice.post("/v1/me/calendar", None, key="make")
    again = shared_api.practice.post("/v1/me/calendar", None, key="make")

    assert again.json == first.json
    assert again.headers["idempotent-replayed"] == "true"


def test_a_feed_ends_with_its_owners_membership(shared_api):
    """On the next fetch."""
    leaver = factories.build_member(n=77)
    shared_api.stores.members.add(leaver)
    path = new_feed(shared_api.get_client_for(leaver))
    assert shared_api.anyone.get(path).status == 200
    table = shared_api.stores.members.table
    table.put({**table.get({"subject": leaver.subject}), "active": False})

    assert shared_api.anyone.get(path).status == 404


def test_the_stored_row_cannot_open_the_feed(shared_api):
    """Only a hash of the link is stored."""
    path = new_feed(shared_api.practice)
    row = shared_api.stores.calendar_feeds.table.get({"member_id": shared_api.members["practice"].member_id})

    secret = path.removesuffix(".ics").rpartition(".")[2]
    assert secret not in str(row)


def test_reading_a_feed_is_audited(shared_api, returned_referral_id):
    """Under the name of its owner."""
    path = new_feed(shared_api.practice)
    shared_api.anyone.get(path)

    member_id = shared_api.members["practice"].member_id
    rows = shared_api.stores.audit_log.table.query_all("referral_id = :id", {"id": f"calendar#{member_id}/reads"})
    assert {"calendar.make", "calendar.read"} <= {row["action"] for row in rows}


def test_an_unchanged_feed_is_not_sent_again(shared_api, returned_referral_id):
    """A calendar program that names the version it has gets 304; after a change it gets the new days."""
    path = new_feed(shared_api.practice)
    first = shared_api.anyone.get(path)
    named = {"If-None-Match": f'"other", W/{first.headers["etag"]}'}
    again = shared_api.anyone.get(path, **named)
    return_referral(shared_api)
    changed = shared_api.anyone.get(path, **named)

    assert (first.status, again.status, again.text) == (200, 304, "")
    assert again.headers["etag"] == first.headers["etag"]
    assert changed.status == 200
    assert changed.headers["etag"] != first.headers["etag"]


def test_a_feed_that_is_fetched_too_often_is_limited(shared_api, monkeypatch):
    """A broken program only costs its owner's calendar."""
    path = new_feed(shared_api.practice)
    monkeypatch.setattr(wiring, "get_member_rate_limit", lambda: RateLimit(burst=2, per_second=0.001))

    assert [shared_api.anyone.get(path).status for _ in range(4)][-1] == 429
