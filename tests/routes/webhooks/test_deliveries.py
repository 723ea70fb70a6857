"""A center's deliveries, as its administrators see them: the log, replays, and secrets."""

from base64 import b64decode
from datetime import timedelta

import pytest
import time_machine

from chalicelib import wiring
from chalicelib.domain.notices.tasks import TaskQueue
from chalicelib.services.notices.outbox_worker import run_job
from tests.support.api_driver import STAGES_TO_INFUSED

LOG = "/v1/centers/ctr_harbor/deliveries"
SECRETS = "/v1/centers/ctr_harbor/webhook-secrets"
HOUR = timedelta(hours=1)


@pytest.fixture
def admin(shared_api):
    """An administrator of the center."""
    return shared_api.get_client_for(shared_api.members["center_admin"])


@pytest.fixture
def referral_id(shared_api):
    """The id of a referral that was just submitted."""
    return shared_api.refer()["referral_id"]


def log(site, path=f"{LOG}?limit=100"):
    return site.get(path).json["items"]


def find_log_line(site, delivery_id):
    """Return a delivery as the log has it."""
    (found,) = [row for row in log(site) if row["delivery_id"] == delivery_id]
    return found


def read(world, referral_id):
    return world.practice.get(f"/v1/referrals/{referral_id}").json


def replay(site, delivery_id):
    return site.post(f"{LOG}/{delivery_id}/replay", None)


def test_the_log_shows_the_result_of_each_delivery(shared_api, admin, referral_id):
    """Applied, recorded, parked and refused, newest first."""
    before = (wiring.read_clock() - HOUR).isoformat()
    sent = [("accepted", None), ("received", before), ("infused", None), ("withdrawn", None)]
    for n, (stage, at) in enumerate(sent):
        shared_api.deliver(referral_id, stage, at=at, webhook_id=f"{referral_id}-{n}")

    rows = [row for row in log(admin) if row["referral_id"] == referral_id]

    assert [(row["delivery_id"][-1], row["status"], row["code"]) for row in rows] == [
        ("3", "refused", "not_your_move"),
        ("2", "parked", None),
        ("1", "recorded", None),
        ("0", "applied", None),
    ]
    assert rows[-1]["stage"] == "accepted"
    assert all(row["event_id"] and row["received_at"] for row in rows)


def test_the_log_comes_in_pages(shared_api, admin, referral_id):
    """Each find_log_line once, in one order."""
    shared_api.move_to(referral_id, "received", "accepted", "consult_scheduled")
    whole = [row["delivery_id"] for row in log(admin)]

    found, cursor = [], ""
    while cursor is not None:
        page = admin.get(f"{LOG}?limit=2{cursor and f'&cursor={cursor}'}").json
        found += [row["delivery_id"] for row in page["items"]]
        cursor = page["next_cursor"]

    assert found == whole
    assert len(set(found)) == len(found) >= 3


@pytest.mark.parametrize("path", [LOG, f"{LOG}/x/replay", SECRETS])
def test_only_the_centers_administrators_see_its_deliveries(shared_api, path):
    """Others learn nothing, not even that the center exists."""

    def ask(handle, at=path):
        site = shared_api.get_client_for(shared_api.members[handle])
        answer = site.get(at) if path == LOG else site.post(at, None)
        return answer.status, answer.json["code"]

    strangers = ("practice", "practice_admin", "other_center", "operator")
    assert {ask(handle) for handle in strangers} == {(404, "not_found")}
    assert {ask(handle) for handle in ("center", "clinician")} == {(403, "admin_only")}
    assert ask("center_admin", path.replace("harbor", "mesa")) == (404, "not_found")


def test_an_unknown_delivery_is_not_replayed(admin):
    """Nor one that was applied."""
    assert replay(admin, "nothing").status == 404


def test_an_applied_delivery_is_not_replayed(shared_api, admin, referral_id):
    """There is nothing to retry."""
    shared_api.deliver(referral_id, "received", webhook_id=f"{referral_id}-r")

    answer = replay(admin, f"{referral_id}-r")

    assert (answer.status, answer.json["code"]) == (409, "delivery_settled")


def test_a_replay_of_a_parked_delivery_changes_nothing(shared_api, admin, referral_id):
    """The event that must come before is still missing."""
    shared_api.deliver(referral_id, "infused", webhook_id=f"{referral_id}-w")

    answers = [replay(admin, f"{referral_id}-w") for _ in range(2)]

    assert [(a.status, a.json["status"]) for a in answers] == [(200, "parked")] * 2
    assert shared_api.get_stage(referral_id) == "submitted"


@pytest.fixture
def expired_referral_id(shared_api, referral_id):
    """The id of a referral whose infusion was parked for a day."""
    at = (wiring.read_clock() + timedelta(minutes=9)).isoformat()
    shared_api.deliver(referral_id, "infused", at=at, webhook_id=f"{referral_id}-w")
    run_job(TaskQueue.PLAN, context=wiring.build_job_context(wiring.read_clock() + 25 * HOUR))
    return referral_id


def test_a_delivery_parked_for_a_day_has_failed(shared_api, admin, expired_referral_id):
    """In the log, and on the referral, its list and its worklist."""
    rows = shared_api.practice.get("/v1/referrals?worklist=update_overdue&limit=100").json["items"]

    assert find_log_line(admin, f"{expired_referral_id}-w")["status"] == "failed"
    assert read(shared_api, expired_referral_id)["updates_lost"] == 1
    assert {row["referral_id"]: row["missing_updates"] for row in rows}[expired_referral_id] is True


def test_expiring_twice_counts_once(shared_api, expired_referral_id):
    """The job may run again."""
    run_job(TaskQueue.PLAN, context=wiring.build_job_context(wiring.read_clock() + 26 * HOUR))

    assert read(shared_api, expired_referral_id)["updates_lost"] == 1


def test_a_failed_delivery_can_be_replayed_when_the_rest_has_arrived(shared_api, admin, expired_referral_id):
    """After a day it no longer applies by itself; a replay applies it, and nothing is lost."""
    at = (wiring.read_clock() + timedelta(minutes=1)).isoformat()
    with time_machine.travel(wiring.read_clock() + 25 * HOUR):
        for stage in STAGES_TO_INFUSED[:-1]:
            shared_api.deliver(expired_referral_id, stage, at=at)
        waits = shared_api.get_stage(expired_referral_id)
        answer = replay(shared_api.get_client_for(shared_api.members["center_admin"]), f"{expired_referral_id}-w")
        result = read(shared_api, expired_referral_id)

    assert waits == "lymphodepletion_started"
    assert (answer.status, answer.json["status"]) == (200, "applied")
    assert (result["stage"], result["updates_lost"]) == ("infused", 0)


def test_a_new_secret_is_shown_once_and_works_at_once(shared_api, admin, referral_id):
    """The old one works for one more day, and then no more."""
    made = admin.post(SECRETS, None, key="rotate-1")
    again = admin.post(SECRETS, None, key="rotate-1")
    old, new = shared_api.secrets["ctr_harbor"], b64decode(made.json["secret"].removeprefix("whsec_"))

    assert made.status == 201
    assert (again.text, again.headers["idempotent-replayed"]) == (made.text, "true")
    assert shared_api.deliver(referral_id, "received", secret=new).status == 200
    assert shared_api.deliver(referral_id, "accepted", secret=old).status == 200
    with time_machine.travel(wiring.read_clock() + 24 * HOUR + timedelta(seconds=1)):
        assert shared_api.deliver(referral_id, "consult_scheduled", secret=old).status == 401
        assert shared_api.deliver(referral_id, "consult_scheduled", secret=new).status == 200
    shared_api.secrets["ctr_harbor"] = new


def test_only_administrators_read_the_audit_trail(shared_api, referral_id):
    """Of either side, and of no one else's."""
    shared_api.move_to(referral_id, "received")
    path = f"/v1/referrals/{referral_id}/audit"
    result = {
        handle: shared_api.get_client_for(shared_api.members[handle]).get(path)
        for handle in ("practice_admin", "center_admin", "practice", "center", "other_practice")
    }

    statuses = {handle: answer.status for handle, answer in result.items()}
    assert statuses == {
        "practice_admin": 200,
        "center_admin": 200,
        "practice": 403,
        "center": 403,
        "other_practice": 403,
    }
    rows = result["center_admin"].json["items"]
    assert {"event.submitted", "event.received"} <= {row["action"] for row in rows}
    assert [row["at"] for row in rows] == sorted((row["at"] for row in rows), reverse=True)


@pytest.mark.parametrize("side", ["practice", "center"])
def test_lists_and_counts_agree(shared_api, side):
    """Each worklist has as many rows as the counts say, and rows are late where the counts say so."""
    for stages in (("received",), ("received", "info_requested"), ("received", "declined")):
        shared_api.move_to(shared_api.refer()["referral_id"], *stages)
    site = shared_api.get_client_for(shared_api.members[side])

    def rows(query):
        return site.get(f"/v1/referrals?limit=100&{query}").json["items"]

    counts = site.get("/v1/referrals/counts").json
    assert {name: len(rows(f"worklist={name}")) for name in counts["worklists"]} == (counts["worklists"])
    assert {phase: len(rows(f"phase={phase}")) for phase in counts["phases"]} == counts["phases"]
    late, on_time = rows("late=true"), rows("late=false")
    assert len(late) + len(on_time) == counts["total"]
    assert {row["clock_level"] for row in late} <= {"amber", "red"}
    assert not {row["clock_level"] for row in on_time} & {"amber", "red"}
