"""A referral with 500 events: read, paged, moved, corrected and verified like any other."""

import json
from datetime import date, datetime, timedelta

import pytest

from chalicelib import wiring
from chalicelib.domain.platform.ids import derive_id
from chalicelib.domain.referrals.events import EventSource, EventStatus, HoldEnded, HoldStarted
from chalicelib.domain.referrals.stages import Actor
from chalicelib.services.audit.verification import verify_audit_trail
from chalicelib.services.platform.run_context import RunContext
from tests.support import faults
from tests.support.factories import CENTER, PRACTICE

HOLDS = 248
"""Each is an event when it starts and one when it ends; with the moves they are 500."""


def build_hold(referral_id, begins, n):
    """Build a hold by the center and its end, half a second later."""
    result = {
        "referral_id": referral_id,
        "recorded_at": begins,
        "actor": Actor.CENTER,
        "source": EventSource.CENTER_FEED,
        "actor_id": f"feed:{CENTER.tenant_id}",
        "actor_name": CENTER.name,
    }
    for m, kind in enumerate((HoldStarted, HoldEnded)):
        at = begins + timedelta(seconds=n + m / 2)
        yield kind(event_id=derive_id("evt", "long", str(n), str(m)), occurred_at=at, **result)


@pytest.fixture(scope="module")
def long_referral(shared_api):
    """The id of a referral whose center paused 248 times between two moves, and when it began."""
    referral_id = shared_api.refer()["referral_id"]
    begins = wiring.read_clock()
    deliver(shared_api, referral_id, "received", begins)
    events = [event for n in range(1, HOLDS + 1) for event in build_hold(referral_id, begins, n)]
    log = shared_api.stores.referrals.prepare_log_event
    for start in range(0, len(events), 100):
        rows = (
            log(event, EventStatus.APPLIED, practice_id=PRACTICE.tenant_id) for event in events[start : start + 100]
        )
        shared_api.stores.transactions.commit(*rows)
    deliver(shared_api, referral_id, "accepted", begins + timedelta(seconds=300))
    deliver(shared_api, referral_id, "consult_scheduled", begins + timedelta(seconds=310))
    return referral_id, begins


def deliver(world, referral_id, stage, at, **more):
    answer = world.deliver(referral_id, stage, at=at.isoformat(), **more)
    assert answer.json["status"] == "applied", answer.text


def read_timeline(world, referral_id):
    """Read the whole read_timeline, page after page."""
    path = f"/v1/referrals/{referral_id}/events?limit=100"
    answer = world.practice.get(path).json
    items = answer["items"]
    while answer["next_cursor"]:
        answer = world.practice.get(f"{path}&cursor={answer['next_cursor']}").json
        items += answer["items"]
    return items


def count_operations(send):
    """Return what an operation reads and writes in the tables."""
    with faults.inject_faults(faults.plan_never) as calls:
        answer = send()
    assert answer.status < 300, answer.text
    return calls.operations


def test_a_long_timeline_has_every_event_once(shared_api, long_referral):
    """Five pages and more, newest first."""
    items = read_timeline(shared_api, long_referral[0])

    assert len({item["event_id"] for item in items}) == len(items) >= 500
    times = [datetime.fromisoformat(item["occurred_at"]) for item in items]
    assert times == sorted(times, reverse=True)


def test_a_long_referral_is_read_with_the_calls_of_a_short_one(shared_api, long_referral):
    """By as many calls, and none that reads its history."""
    short = shared_api.refer()["referral_id"]
    shared_api.move_to(short, "received", "accepted", "consult_scheduled")
    for referral_id in (short, long_referral[0]):
        shared_api.practice.get(f"/v1/referrals/{referral_id}")

    reads = [
        count_operations(lambda r=r: shared_api.practice.get(f"/v1/referrals/{r}")) for r in (short, long_referral[0])
    ]

    assert reads[0] == reads[1]
    assert len(reads[0]) <= 4


@pytest.fixture(scope="module")
def next_event(shared_api, long_referral):
    """What the next event read and wrote, before anything was corrected."""
    referral_id, begins = long_referral
    at = (begins + timedelta(seconds=320)).isoformat()
    return count_operations(lambda: shared_api.deliver(referral_id, "consult_completed", at=at))


def test_the_next_event_is_three_reads_and_one_transaction(shared_api, long_referral, next_event):
    """The delivery's log entry, the center's secrets and the referral, however long the history is."""
    assert sorted(next_event) == ["GetItem", "Query", "Query", "TransactWriteItems"]
    assert shared_api.get_stage(long_referral[0]) == "consult_completed"


def test_a_correction_replays_the_whole_history(shared_api, long_referral, next_event):
    """The consultation was scheduled earlier than reported: the 500 events are replayed."""
    referral_id, begins = long_referral
    wrong = next(event for event in read_timeline(shared_api, referral_id) if event["stage"] == "consult_scheduled")
    body = {
        "type": "event.corrected",
        "referral_id": referral_id,
        "occurred_at": (begins + timedelta(seconds=330)).isoformat(),
        "data": {
            "supersedes": wrong["event_id"],
            "replacement": {
                "type": "stage.changed",
                "occurred_at": (begins + timedelta(seconds=305)).isoformat(),
                "data": {"stage": "consult_scheduled"},
            },
        },
    }

    answer = shared_api.deliver_raw(json.dumps(body).encode())

    assert answer.status == 200, answer.text
    reached = {
        stage["stage"]: stage["at"]
        for phase in shared_api.practice.get(f"/v1/referrals/{referral_id}").json["journey"]
        for stage in phase["stages"]
    }
    assert reached["consult_scheduled"][:19] == body["data"]["replacement"]["occurred_at"][:19]


def test_a_long_audit_trail_verifies(shared_api, long_referral):
    """Every chain of the module's tables, this referral's among them."""
    shared_api.practice.get(f"/v1/referrals/{long_referral[0]}")
    today = wiring.read_clock()
    written = list(shared_api.stores.audit_log.list_chained_rows(long_referral[0]))

    found = verify_audit_trail(
        context=RunContext(shared_api.stores, today), first_day=date.fromordinal(today.toordinal() - 1)
    )

    assert found.breaks == []
    assert found.rows > len(written) >= 4
