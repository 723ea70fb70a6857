"""The result of a center's delivery: the whole table of the contract's section 4."""

from datetime import timedelta

import pytest

from chalicelib import wiring
from tests.support.api_driver import STAGES_TO_INFUSED
from tests.support.factories import CENTER, OTHER_CENTER
from tests.support.faults import FaultMode, inject_faults, plan_always, plan_interruption, plan_never

NOWHERE = "ref_" + "a" * 26


@pytest.fixture
def referral_id(shared_api):
    """The id of a referral that was just submitted to the center."""
    return shared_api.refer()["referral_id"]


def list_stages(world, referral_id):
    """Return the stages of a referral's events, oldest first."""
    items = world.practice.get(f"/v1/referrals/{referral_id}/events?limit=100").json["items"]
    return [event["stage"] for event in reversed(items)]


def ago(**how):
    return (wiring.read_clock() - timedelta(**how)).isoformat()


def read_log_row(world, center, webhook_id):
    """Return a row of the log of deliveries."""
    key = {"center_id": center.tenant_id, "webhook_id": webhook_id}
    return world.stores.delivery_log.table.get(key)


def status(answer):
    return answer.status, answer.json["status"]


def test_a_legal_event_is_applied(shared_api, referral_id):
    """The referral has the new stage, with the center's system as the reporter."""
    answer = shared_api.deliver(referral_id, "received", webhook_id="msg_applied")

    event = shared_api.practice.get(f"/v1/referrals/{referral_id}/events").json["items"][0]
    assert status(answer) == (200, "applied")
    assert answer.json == {
        "status": "applied",
        "referral_id": referral_id,
        "event_id": event["event_id"],
        "stage": "received",
    }
    assert (event["source"], event["actor_name"]) == ("center_feed", "Harbor Cell Therapy")
    assert shared_api.get_stage(referral_id) == "received"


def test_the_same_delivery_again_is_a_duplicate(shared_api, referral_id):
    """It names the event of the first time, and makes no other."""
    at = ago(seconds=0)
    first = shared_api.deliver(referral_id, "received", at=at, webhook_id="msg_again")
    again = shared_api.deliver(referral_id, "received", at=at, webhook_id="msg_again")

    assert status(again) == (200, "duplicate")
    assert again.json == first.json | {"status": "duplicate"}
    assert list_stages(shared_api, referral_id) == ["submitted", "received"]


def test_a_repeat_only_reads(shared_api, referral_id):
    """A sender that repeats what it is unsure of costs no write, also no write that is refused."""
    delivery = {"at": ago(seconds=0), "webhook_id": "msg_only_reads"}
    assert shared_api.deliver(referral_id, "received", **delivery).status == 200

    with inject_faults(plan_never) as calls:
        again = shared_api.deliver(referral_id, "received", **delivery)

    assert status(again) == (200, "duplicate")
    assert set(calls.operations) == {"GetItem", "Query"}


def test_a_late_duplicate_moves_nothing(shared_api, referral_id):
    """Senders repeat what they are unsure of, also after the referral moved on."""
    at = ago(seconds=0)
    shared_api.deliver(referral_id, "received", at=at, webhook_id="msg_late")
    shared_api.move_to(referral_id, "accepted", "consult_scheduled")

    again = shared_api.deliver(referral_id, "received", at=at, webhook_id="msg_late")

    assert (again.json["status"], again.json["stage"]) == ("duplicate", "received")
    assert shared_api.get_stage(referral_id) == "consult_scheduled"


def test_two_identical_deliveries_at_once_have_one_effect(shared_api, referral_id):
    """The slower one, already under way, gets `duplicate`."""
    at, quicker = ago(seconds=0), []

    def overtake():
        quicker.append(shared_api.deliver(referral_id, "received", at=at, webhook_id="msg_race"))

    with inject_faults(plan_interruption("TransactWriteItems", overtake)):
        slower = shared_api.deliver(referral_id, "received", at=at, webhook_id="msg_race")

    assert (quicker[0].json["status"], slower.json["status"]) == ("applied", "duplicate")
    assert list_stages(shared_api, referral_id) == ["submitted", "received"]


def test_two_events_at_once_are_decided_one_after_the_other(shared_api, referral_id):
    """The slower one is decided again, and nothing is lost."""
    earlier, later = ago(seconds=-1), ago(seconds=-2)

    def overtake():
        shared_api.deliver(referral_id, "received", at=earlier)

    with inject_faults(plan_interruption("TransactWriteItems", overtake)):
        slower = shared_api.deliver(referral_id, "accepted", at=later)

    assert slower.json["status"] == "applied"
    assert list_stages(shared_api, referral_id) == ["submitted", "received", "accepted"]


def test_a_late_event_is_recorded(shared_api, referral_id):
    """It becomes history, and the response shows the current stage."""
    shared_api.deliver(referral_id, "accepted")

    late = shared_api.deliver(referral_id, "received", at=ago(hours=1))

    assert status(late) == (200, "recorded")
    assert late.json["stage"] == "accepted"
    assert shared_api.get_stage(referral_id) == "accepted"


def without_ids(answer):
    """Return a response without the ids that have to differ."""
    result = answer.json
    text = answer.text.replace(result["referral_id"], "REF").replace(result["event_id"], "EVT")
    headers = {k: v for k, v in answer.headers.items() if k != "x-request-id"}
    return answer.status, text, headers


def test_another_centers_referral_looks_like_an_unknown_one(shared_api, referral_id):
    """Unknown, another center's, or not submitted yet: parked, and the same bytes."""
    draft = shared_api.refer(submit=False)["referral_id"]

    unknown = shared_api.deliver(NOWHERE, "accepted")
    foreign = shared_api.deliver(referral_id, "accepted", center=OTHER_CENTER)
    unsent = shared_api.deliver(draft, "accepted")

    assert status(unknown) == (202, "parked")
    assert unknown.json["stage"] is None
    assert without_ids(unknown) == without_ids(foreign) == without_ids(unsent)
    assert len(unknown.text) == len(foreign.text) == len(unsent.text)


@pytest.mark.parametrize("stage", ["withdrawn", "infused", "declined", "submitted", "monitoring", "deceased"])
def test_every_event_for_another_centers_referral_is_parked(shared_api, referral_id, stage):
    """Also an impossible one: a refusal would reveal that the referral exists."""
    draft = shared_api.refer(submit=False)["referral_id"]

    foreign = shared_api.deliver(referral_id, stage, center=OTHER_CENTER)
    unsent = shared_api.deliver(draft, stage)

    none = without_ids(shared_api.deliver(NOWHERE, stage))
    assert without_ids(foreign) == without_ids(unsent) == none


def refused(answer):
    return answer.status, answer.json["code"]


@pytest.mark.parametrize(
    ("before", "stage", "code"),
    [
        (("received", "declined"), "accepted", "referral_closed"),
        (("received", "declined"), "released", "referral_closed"),
        (("received",), "withdrawn", "not_your_move"),
        (("received",), "submitted", "not_your_move"),
        (STAGES_TO_INFUSED, "apheresis_scheduled", "move_not_legal"),
    ],
)
def test_an_event_that_can_never_be_legal_is_refused_and_logged(shared_api, referral_id, before, stage, code):
    """409, at once and when repeated; the center's log says why."""
    shared_api.move_to(referral_id, *before)
    at, webhook_id = ago(seconds=-1), f"msg_never_{referral_id[4:30]}"

    first = shared_api.deliver(referral_id, stage, at=at, webhook_id=webhook_id)
    again = shared_api.deliver(referral_id, stage, at=at, webhook_id=webhook_id)

    assert refused(first) == refused(again) == (409, code)
    row = read_log_row(shared_api, CENTER, webhook_id)
    assert (row["status"], row["code"], row["referral_id"]) == ("refused", code, referral_id)
    assert shared_api.get_stage(referral_id) == before[-1]


def test_a_wrong_day_of_an_infusion_is_refused(shared_api, referral_id):
    """A broken hard rule does not depend on order."""
    shared_api.move_to(referral_id, *STAGES_TO_INFUSED[:-1])

    answer = shared_api.deliver(referral_id, "infused", local_date="2020-01-01")

    assert refused(answer) == (409, "local_date_wrong")


def test_the_same_id_with_another_body_is_refused(shared_api, referral_id):
    """The first one stays."""
    shared_api.deliver(referral_id, "received", webhook_id="msg_taken")

    answer = shared_api.deliver(referral_id, "accepted", webhook_id="msg_taken")

    assert refused(answer) == (409, "webhook_id_reused")
    assert shared_api.get_stage(referral_id) == "received"


def test_the_same_id_with_another_body_leaves_a_delivery_and_an_audit_row(shared_api, referral_id):
    """One of each, however often the sender repeats it, and the first delivery keeps its row."""
    webhook_id = f"msg_twice_{referral_id[4:30]}"
    at = ago(seconds=1)
    shared_api.deliver(referral_id, "received", webhook_id=webhook_id)

    for _ in range(3):
        assert refused(shared_api.deliver(referral_id, "accepted", at=at, webhook_id=webhook_id))[0] == 409

    entries, _ = shared_api.stores.delivery_log.list_entries(CENTER.tenant_id, limit=100, start=None)
    rows = [entry for entry in entries if entry.delivery.webhook_id.startswith(webhook_id)]
    assert [(row.result.status, row.result.code, row.result.stage) for row in rows] == [
        ("refused", "webhook_id_reused", "accepted"),
        ("applied", None, "received"),
    ]
    audited = shared_api.stores.audit_log.list_chained_rows(f"{referral_id}/reads")
    assert [row["action"] for row in audited if row["outcome"] == "webhook_id_reused"] == ["event.accepted"]


def test_one_center_cannot_use_up_anothers_ids(shared_api, referral_id):
    """Ids belong to one center: a guessed id of another one has no effect."""
    shared_api.deliver(NOWHERE, "accepted", center=OTHER_CENTER, webhook_id="msg_guessed")

    answer = shared_api.deliver(referral_id, "received", webhook_id="msg_guessed")

    assert status(answer) == (200, "applied")


@pytest.mark.parametrize(
    "named", ["ref_x", "REF_" + "A" * 26, "ref_" + "a" * 27, "../x", "list#prc_cedar", "", 7, None]
)
def test_an_impossible_referral_id_is_malformed(shared_api, named):
    """An id that we never gave is never parked."""
    answer = shared_api.deliver(named, "received")

    assert refused(answer) == (400, "malformed")


def test_an_event_of_the_future_is_malformed(shared_api, referral_id):
    """More than ten minutes ahead of our clock, it would be the latest forever."""
    answer = shared_api.deliver(referral_id, "received", at=ago(minutes=-11))

    assert refused(answer) == (400, "occurred_in_future")
    assert shared_api.get_stage(referral_id) == "submitted"


@pytest.mark.parametrize("mode", [FaultMode.THROTTLE, FaultMode.SERVER_ERROR, FaultMode.CONFLICT, FaultMode.REFUSED])
def test_a_delivery_can_be_repeated_after_our_failure(shared_api, referral_id, mode):
    """503 with Retry-After, nothing half done; the repeat is a first time."""
    at, webhook_id = ago(seconds=0), f"msg_503_{mode}"
    with inject_faults(plan_always("TransactWriteItems", mode)):
        failed = shared_api.deliver(referral_id, "received", at=at, webhook_id=webhook_id)
    between = (shared_api.get_stage(referral_id), list_stages(shared_api, referral_id))
    again = shared_api.deliver(referral_id, "received", at=at, webhook_id=webhook_id)

    assert failed.status == 503
    assert int(failed.headers["retry-after"]) > 0
    assert between == ("submitted", ["submitted"])
    assert status(again) == (200, "applied")


def test_a_lost_response_is_given_again(shared_api, referral_id):
    """Written, and the reply lost on the way: the repeat finds its idempotency record."""
    at = ago(seconds=0)
    with inject_faults(plan_always("TransactWriteItems", FaultMode.LOST_REPLY)):
        failed = shared_api.deliver(referral_id, "received", at=at, webhook_id="msg_lost")
    again = shared_api.deliver(referral_id, "received", at=at, webhook_id="msg_lost")

    assert failed.status == 503
    assert status(again) == (200, "duplicate")
    assert list_stages(shared_api, referral_id) == ["submitted", "received"]


def test_every_delivery_is_audited(shared_api, referral_id):
    """Applied, parked or refused: each leaves an audit row of the center's system."""
    shared_api.deliver(referral_id, "received")
    shared_api.deliver(referral_id, "infused")
    shared_api.deliver(referral_id, "withdrawn")

    rows = [
        row
        for chain in (referral_id, f"{referral_id}/reads")
        for row in shared_api.stores.audit_log.list_chained_rows(chain)
    ]
    by_feed = [row for row in rows if row["actor_id"] == "feed:ctr_harbor"]
    assert sorted((row["action"], row["outcome"]) for row in by_feed) == [
        ("event.infused", "parked"),
        ("event.received", "allowed"),
        ("event.withdrawn", "not_your_move"),
    ]
