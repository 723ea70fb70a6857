"""A center's system that sends `occurred_at` as a date without a time."""

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine

from chalicelib import wiring
from chalicelib.routes.referrals.dates_without_time import read_dates_as_days
from tests.routes.referrals.test_care_events import deliver
from tests.support.factories import CENTER

DAY = timedelta(days=1)


def today():
    return wiring.read_clock().astimezone(ZoneInfo(CENTER.time_zone)).date()


@pytest.fixture
def referral_id(shared_api):
    return shared_api.refer()["referral_id"]


def test_a_date_means_the_whole_day_at_the_center(shared_api, referral_id):
    """The submission was later on the same day, and the step still follows it."""
    answer = shared_api.deliver(referral_id, "received", at=today().isoformat())

    assert (answer.status, answer.json["status"], answer.json["stage"]) == (200, "applied", "received")
    events = shared_api.center.get(f"/v1/referrals/{referral_id}/events").json["items"]
    newest = next(event for event in events if event["data"].get("stage") == "received")
    at = datetime.fromisoformat(newest["occurred_at"]).astimezone(ZoneInfo(CENTER.time_zone))
    assert (at.date(), at.hour, at.minute) == (today(), 0, 0)


def test_steps_of_the_same_date_follow_each_other(shared_api, referral_id):
    """In the order in which the system sends them."""
    answers = [
        shared_api.deliver(referral_id, stage, at=today().isoformat())
        for stage in ("received", "accepted", "consult_scheduled", "consult_completed")
    ]

    assert [answer.json["status"] for answer in answers] == ["applied"] * 4


def test_a_replacement_may_have_a_date(shared_api, referral_id):
    """As the report that it replaces."""
    shared_api.move_to(referral_id, "received", "accepted")
    reported = shared_api.center.get(f"/v1/referrals/{referral_id}/events").json["items"][0]
    replacement = {"occurred_at": today().isoformat(), "data": {"stage": "accepted"}}
    data = {"supersedes": reported["event_id"], "replacement": replacement}

    answer = deliver(shared_api, referral_id, "event.corrected", data, at=today())

    assert (answer.status, answer.json["stage"]) == (200, "accepted"), answer.text


@pytest.mark.parametrize("days", [1, 2, 400])
def test_a_date_of_a_later_day_is_refused(shared_api, referral_id, days):
    """It is not in the history yet. Five minutes before midnight, the next day is within the tolerance for clocks."""
    with time_machine.travel(wiring.read_clock().replace(hour=17) + DAY, tick=False):
        answer = shared_api.deliver(referral_id, "received", at=(today() + days * DAY).isoformat())

    assert (answer.status, answer.json["code"]) == (400, "occurred_in_future")


@pytest.mark.parametrize("at", ["2026-02-30", "2026-13-01", "2026-1-05", "20260105", "0000-00-00"])
def test_a_date_that_does_not_exist_is_refused(shared_api, referral_id, at):
    """The error names the field."""
    answer = shared_api.deliver(referral_id, "received", at=at)

    assert answer.status == 400
    assert [error["pointer"] for error in answer.json["errors"]] == ["/occurred_at"]


def test_a_person_enters_a_time(shared_api, referral_id):
    """Input from people stays strict."""
    body = {"type": "stage.changed", "occurred_at": today().isoformat(), "data": {"stage": "received"}}

    answer = shared_api.center.post(f"/v1/referrals/{referral_id}/events", body)

    assert answer.status == 400
    assert [error["pointer"] for error in answer.json["errors"]] == ["/occurred_at"]


@pytest.mark.parametrize("zone", ["America/Santiago", "Africa/Cairo", "UTC"])
def test_a_day_starts_with_midnight_also_where_the_clocks_skip_it(zone):
    """In Santiago, September 6, 2026 starts at 1 AM; in Cairo, April 24, 2026."""
    for day in (date(2026, 9, 6), date(2026, 4, 24)):
        body: dict[str, Any] = {"occurred_at": day.isoformat(), "data": {}}
        read_dates_as_days(body, get_time_zone=lambda: zone)
        assert body["occurred_at"].startswith(f"{day}T00:00:00")
        assert datetime.fromisoformat(body["occurred_at"]).utcoffset() is not None
