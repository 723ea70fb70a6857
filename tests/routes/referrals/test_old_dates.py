"""J15: a person's event dated long before the referral is asked about before it is accepted."""

import json
from datetime import datetime, timedelta

import pytest

from chalicelib import wiring
from chalicelib.domain.identity.members import Role
from tests.support.factories import CENTER, build_member


@pytest.fixture
def path(shared_api):
    """The events of a new referral of a patient born on April 2, 1961."""
    return f"/v1/referrals/{shared_api.refer()['referral_id']}/events"


def now():
    return wiring.read_clock().isoformat()


def build_hold(at, **more):
    return {"type": "hold.started", "occurred_at": at, "data": {"reason_code": "patient_choice"}, **more}


def test_a_date_in_1999_is_asked_about(shared_api, path):
    answer = shared_api.center.post(path, build_hold("1999-01-05T12:00:00Z"))

    assert (answer.status, answer.json["code"]) == (409, "confirm_old_date")
    assert [(error["pointer"], error["code"]) for error in answer.json["errors"]] == [("/occurred_at", "confirm")]
    assert "1999" not in answer.text
    assert len(shared_api.center.get(path).json["items"]) == 1


def test_a_confirmed_old_date_is_accepted(shared_api, path):
    answer = shared_api.center.post(path, build_hold("1999-01-05T12:00:00Z", confirm_old_date=True))

    assert answer.status == 200, answer.text
    oldest = shared_api.center.get(path).json["items"][-1]
    assert oldest["occurred_at"] == "1999-01-05T12:00:00Z"
    assert "confirm_old_date" not in oldest


def test_the_practice_is_asked_too(shared_api, path):
    assert shared_api.practice.post(path, build_hold("2020-01-05T12:00:00Z")).json["code"] == "confirm_old_date"


@pytest.mark.parametrize(("days", "status"), [(59, 200), (61, 409)])
def test_sixty_days_before_the_referral_is_the_limit(shared_api, path, days, status):
    start = datetime.fromisoformat(shared_api.practice.get(path.removesuffix("/events")).json["submitted_at"])

    answer = shared_api.center.post(path, build_hold((start - timedelta(days=days)).isoformat()))

    assert answer.status == status, answer.text


def test_a_date_before_the_birth_is_refused_also_if_confirmed(shared_api, path):
    answer = shared_api.center.post(path, build_hold("1961-03-31T12:00:00Z", confirm_old_date=True))

    assert (answer.status, answer.json["code"]) == (400, "before_birth")
    assert shared_api.center.post(path, build_hold("1961-04-02T12:00:00Z", confirm_old_date=True)).status == 200


def test_a_report_that_is_not_possible_gets_its_own_reason(shared_api, path):
    body = {"type": "stage.changed", "occurred_at": "1999-01-05T12:00:00Z", "data": {"stage": "deceased"}}

    assert shared_api.center.post(path, body).json["code"] == "before_referral"


def test_a_correction_is_asked_about_the_date_that_it_puts_in_place(shared_api, path):
    received = shared_api.center.post(
        path, {"type": "stage.changed", "occurred_at": now(), "data": {"stage": "received"}}
    )
    body = {
        "type": "event.corrected",
        "occurred_at": now(),
        "data": {
            "supersedes": received.json["event_id"],
            "replacement": {"occurred_at": "1999-01-05T12:00:00Z", "data": {"stage": "received"}},
        },
    }

    answer = shared_api.center.post(path, body)

    assert (answer.status, answer.json["code"]) == (409, "confirm_old_date")
    assert answer.json["errors"][0]["pointer"] == "/data/replacement/occurred_at"
    body["data"]["replacement"] = None
    assert shared_api.center.post(path, body | {"data": body["data"] | {"note": "No."}}).status == 200


def test_the_refusal_is_in_the_audit_trail(shared_api, path):
    shared_api.center.post(path, build_hold("1999-01-05T12:00:00Z"))

    admin = shared_api.get_client_for(build_member(CENTER, role=Role.ADMIN))
    rows = admin.get(path.removesuffix("events") + "audit").json["items"]
    assert "confirm_old_date" in [row["outcome"] for row in rows]


def test_a_center_system_is_not_asked(shared_api, path):
    referral_id = path.split("/")[3]

    body = build_hold("1999-01-05T12:00:00Z") | {"referral_id": referral_id}
    answer = shared_api.deliver_raw(json.dumps(body).encode())

    assert answer.status == 200, answer.text
