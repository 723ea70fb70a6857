"""Planned dates: reported by the center or its system, read by both sides, and notified to the other."""

from datetime import date, timedelta

import pytest

from chalicelib import wiring
from tests.routes.referrals.test_care_events import deliver, list_notices, read, report
from tests.support.api_driver import STAGES_TO_INFUSED
from tests.support.leak_probe import dump_table

DAY = timedelta(days=1)
PLACE, CONTACT = "Buildingqx 4", "Contactqx desk"


def in_days(days):
    """Return a day some days from now, as the API reads it."""
    return (wiring.read_clock() + days * DAY).date().isoformat()


def find_plan(referral, kind):
    """Find one planned date of a referral."""
    return next(plan for plan in referral["plans"] if plan["plan"] == kind)


@pytest.fixture
def referral_id(shared_api):
    """The id of a referral that was just submitted."""
    return shared_api.refer()["referral_id"]


def test_a_center_plans_a_date_and_both_sides_read_it(shared_api, referral_id):
    """The status stays, and the shape that is read is the shape that was written."""
    data = {"plan": "leukapheresis", "on": in_days(20), "place": PLACE, "contact": CONTACT, "mode": "in_person"}

    answer = report(shared_api, referral_id, "plan.changed", data)

    assert (answer.status, answer.json["status"], answer.json["stage"]) == (200, "applied", "submitted")
    for side in ("practice", "center"):
        referral = read(shared_api, referral_id, side=side)
        plan = find_plan(referral, "leukapheresis")
        assert {name: plan[name] for name in data} == data
        assert (plan["time_zone"], plan["canceled"], plan["open"]) == ("America/New_York", False, True)
        assert (referral["next_plan"]["plan"], referral["next_plan"]["on"]) == ("leukapheresis", data["on"])
    newest = shared_api.practice.get(f"/v1/referrals/{referral_id}/events").json["items"][0]
    assert (newest["type"], newest["data"], newest["stage_label"]) == ("plan.changed", data, "Leukapheresis planned")


def test_the_appointment_of_a_scheduled_consultation_is_a_fact_of_its_own(shared_api, referral_id):
    """A center's system sends the status with its date, and again when the date moves."""
    shared_api.move_to(referral_id, "received", "accepted")
    first, second = f"{in_days(10)}T15:00:00Z", f"{in_days(12)}T16:30:00Z"
    data = {"stage": "consult_scheduled", "starts_at": first, "mode": "telehealth"}

    sent = deliver(shared_api, referral_id, "stage.changed", data)
    repeated = deliver(shared_api, referral_id, "stage.changed", data)
    moved = deliver(shared_api, referral_id, "stage.changed", data | {"starts_at": second})

    assert [answer.json["status"] for answer in (sent, repeated, moved)] == ["applied", "recorded", "applied"]
    referral = read(shared_api, referral_id)
    plan = find_plan(referral, "consultation")
    assert (referral["stage"], plan["starts_at"], plan["mode"]) == ("consult_scheduled", second, "telehealth")
    assert plan["moved_from"] == {"starts_at": first, "on": None}


def test_the_practice_is_notified_of_a_new_moved_and_canceled_date(shared_api, referral_id):
    """The titles say nothing about the date; the details name the center's time zone."""
    for days, plan in (
        (3, {"on": in_days(30)}),
        (2, {"starts_at": f"{in_days(40)}T15:00:00Z"}),
        (1, {"canceled": True}),
    ):
        at = wiring.read_clock() - timedelta(minutes=days)
        assert report(shared_api, referral_id, "plan.changed", {"plan": "infusion"} | plan, at=at).status == 200

    notices = list_notices(shared_api, referral_id, side="practice")

    assert sorted((notice["title"], notice["detail"].split(":")[0]) for notice in notices) == [
        ("A date was planned or moved", "Date set"),
        ("A date was planned or moved", "New date"),
        ("A planned date was canceled", "Canceled"),
    ]
    assert all("CAR T infusion" in notice["detail"] for notice in notices)
    assert any("(America/New_York)" in notice["detail"] for notice in notices)
    assert list_notices(shared_api, referral_id, side="center") == []


def test_a_silent_status_with_a_date_is_notified_once(shared_api, referral_id):
    """Without a date no one is notified of a scheduled leukapheresis."""
    shared_api.move_to(referral_id, *STAGES_TO_INFUSED[: STAGES_TO_INFUSED.index("apheresis_scheduled")])
    report(shared_api, referral_id, "stage.changed", {"stage": "apheresis_scheduled", "on": in_days(9), "place": PLACE})

    [notice] = list_notices(shared_api, referral_id, side="practice")

    assert (notice["title"], PLACE in notice["detail"]) == ("A date was planned or moved", True)


@pytest.mark.parametrize(("moved_by", "notices"), [(0, 1), (1, 2)])
def test_a_silent_status_with_the_date_that_was_planned_before_notifies_no_one(
    shared_api, referral_id, moved_by, notices
):
    """The practice knows the date already. Another date is news."""
    shared_api.move_to(referral_id, *STAGES_TO_INFUSED[: STAGES_TO_INFUSED.index("apheresis_scheduled")])
    before = list_notices(shared_api, referral_id, side="practice")
    report(shared_api, referral_id, "plan.changed", {"plan": "leukapheresis", "on": in_days(9)})

    answer = report(
        shared_api, referral_id, "stage.changed", {"stage": "apheresis_scheduled", "on": in_days(9 + moved_by)}
    )

    assert answer.json["status"] == "applied"
    after = list_notices(shared_api, referral_id, side="practice")
    assert len(after) == len(before) + notices


def test_the_next_date_is_in_the_list(shared_api, referral_id):
    """Without its place."""
    report(shared_api, referral_id, "plan.changed", {"plan": "consultation", "on": in_days(5), "place": PLACE})

    rows = shared_api.practice.get("/v1/referrals?limit=100").json["items"]
    row = next(row for row in rows if row["referral_id"] == referral_id)

    assert row["next_plan"] == {
        "plan": "consultation",
        "label": "Consultation",
        "starts_at": None,
        "on": in_days(5),
        "time_zone": "America/New_York",
    }


def test_an_ending_cancels_all_plans(shared_api, referral_id):
    """Nothing planned is shown, and nothing can be planned until the referral is reopened."""
    plan = {"plan": "leukapheresis", "on": in_days(20)}
    report(shared_api, referral_id, "plan.changed", plan)
    shared_api.move_to(referral_id, "received", "declined")

    refused = report(shared_api, referral_id, "plan.changed", plan)
    ended = read(shared_api, referral_id)

    assert (refused.status, refused.json["code"]) == (409, "referral_closed")
    assert (ended["plans"], ended["next_plan"]) == ([], None)


def test_a_reopened_referral_shows_its_plans_again(shared_api, referral_id):
    """The ending hid them and deleted nothing."""
    report(shared_api, referral_id, "plan.changed", {"plan": "leukapheresis", "on": in_days(20)})
    shared_api.move_to(referral_id, "received", "declined")
    assert read(shared_api, referral_id)["plans"] == []

    report(shared_api, referral_id, "referral.reopened", {"note": "It was ended by mistake."})

    plan = find_plan(read(shared_api, referral_id), "leukapheresis")
    assert (plan["on"], plan["canceled"], plan["open"]) == (in_days(20), False, True)


def test_the_practice_plans_the_return_and_the_center_is_notified(shared_api, referral_id):
    """Only from the infusion on, and no other date."""
    shared_api.move_to(referral_id, *STAGES_TO_INFUSED)

    answer = report(shared_api, referral_id, "plan.changed", {"plan": "return", "on": in_days(30)}, side="practice")
    foreign = report(shared_api, referral_id, "plan.changed", {"plan": "infusion", "on": in_days(9)}, side="practice")

    assert (answer.status, foreign.status, foreign.json["code"]) == (200, 409, "not_your_move")
    [notice] = list_notices(shared_api, referral_id, side="center")
    assert notice["detail"].startswith("Date set: Return to the referring practice on ")


WRONG = [
    ({"plan": "surgery", "on": "2028-06-01"}, 400, "/data/plan"),
    ({"plan": "infusion"}, 400, "/data/starts_at"),
    ({"plan": "infusion", "on": "2028-02-30"}, 400, "/data/on"),
    ({"plan": "infusion", "starts_at": "2028-06-01T10:00:00"}, 400, "/data/starts_at"),
    ({"plan": "infusion", "on": "2028-06-01", "starts_at": "2028-06-01T10:00:00Z"}, 400, "/data/on"),
    ({"plan": "infusion", "on": "2099-01-01"}, 400, "/data/on"),
    ({"plan": "infusion", "canceled": True, "on": "2028-06-01"}, 400, "/data/on"),
    ({"plan": "infusion", "on": "2028-06-01", "mode": "by_post"}, 400, "/data/mode"),
    ({"plan": "infusion", "on": "2028-06-01", "place": "x" * 201}, 400, "/data/place"),
    ({"plan": "infusion", "on": "2020-03-03"}, 409, "/data/on"),
]


@pytest.mark.parametrize(("data", "status", "pointer"), WRONG)
@pytest.mark.parametrize("send", [report, deliver], ids=["person", "system"])
def test_an_impossible_date_is_refused_with_its_field(shared_api, referral_id, send, data, status, pointer):
    """For a person and for a center's system."""
    answer = send(shared_api, referral_id, "plan.changed", data)

    assert (answer.status, [error["pointer"] for error in answer.json["errors"]]) == (status, [pointer])
    assert read(shared_api, referral_id)["plans"] == []


def find_spring_change():
    """Find the next day on which the clocks in New York skip the hour from 2 to 3 AM: the second Sunday of March."""
    march = date((wiring.read_clock() + DAY).year + 1, 3, 8)
    return march + (6 - march.weekday()) * DAY


@pytest.mark.parametrize("offset", ["-05:00", "-04:00"])
@pytest.mark.parametrize("send", [report, deliver], ids=["person", "system"])
def test_an_hour_that_the_clocks_skip_is_refused(shared_api, referral_id, send, offset):
    """With the offset of before or after the change."""
    data = {"plan": "infusion", "starts_at": f"{find_spring_change().isoformat()}T02:30:00{offset}"}

    answer = send(shared_api, referral_id, "plan.changed", data)

    assert (answer.status, answer.json["code"]) == (409, "no_such_hour")
    assert [error["pointer"] for error in answer.json["errors"]] == ["/data/starts_at"]
    assert read(shared_api, referral_id)["plans"] == []


@pytest.mark.parametrize("send", [report, deliver], ids=["person", "system"])
def test_the_hour_after_the_skipped_one_is_accepted(shared_api, referral_id, send):
    """On the same day."""
    data = {"plan": "infusion", "starts_at": f"{find_spring_change().isoformat()}T03:30:00-04:00"}

    assert send(shared_api, referral_id, "plan.changed", data).json["status"] == "applied"


@pytest.mark.parametrize(("days", "status"), [(3 * 366 - 1, 200), (3 * 366 + 2, 400)])
@pytest.mark.parametrize("send", [report, deliver], ids=["person", "system"])
def test_a_date_may_be_at_most_three_years_ahead(shared_api, referral_id, send, days, status):
    """A later one is a typing error."""
    answer = send(shared_api, referral_id, "plan.changed", {"plan": "infusion", "on": in_days(days)})

    assert answer.status == status


@pytest.mark.parametrize(
    ("data", "pointer"),
    [
        ({"stage": "received", "on": "2028-06-01"}, "/data/on"),
        ({"stage": "consult_scheduled", "place": PLACE}, "/data/starts_at"),
    ],
)
def test_a_status_takes_only_a_date_of_its_own(shared_api, referral_id, data, pointer):
    """A place needs a date."""
    answer = deliver(shared_api, referral_id, "stage.changed", data)

    assert (answer.status, [error["pointer"] for error in answer.json["errors"]]) == (400, [pointer])


def test_places_and_contacts_are_stored_encrypted(shared_api, referral_id):
    """In the referral, its history and its notices."""
    data = {"plan": "consultation", "starts_at": f"{in_days(9)}T15:00:00Z", "place": PLACE, "contact": CONTACT}
    report(shared_api, referral_id, "plan.changed", data)
    assert any(PLACE in notice["detail"] for notice in list_notices(shared_api, referral_id, side="practice"))

    for table in ("referrals", "notices", "outbox", "audit", "deliveries", "idempotency"):
        stored = dump_table(table)
        assert PLACE.encode() not in stored, table
        assert CONTACT.encode() not in stored, table
