"""AWS responds with nonsense, or refuses us: 503 with a pause, never 500, and a repeat is safe."""

import pytest

from chalicelib import wiring
from tests.support import factories, faults
from tests.support import stores as store_tools
from tests.support.faults import FaultMode

UNREADABLE = (FaultMode.TORN_REPLY, FaultMode.GARBLED_REPLY, FaultMode.EMPTY_REPLY)
REFUSALS = (FaultMode.EXPIRED_TOKEN, FaultMode.ACCESS_DENIED)


@pytest.fixture
def referral_id(shared_api):
    return shared_api.refer()["referral_id"]


def build_requests(world, referral_id):
    """One request of each kind, by its name."""
    event = {"type": "stage.changed", "occurred_at": wiring.read_clock().isoformat(), "data": {"stage": "received"}}
    return {
        "read": lambda: world.practice.get(f"/v1/referrals/{referral_id}"),
        "list": lambda: world.practice.get("/v1/referrals"),
        "refer": lambda: world.practice.post("/v1/referrals", factories.build_referral_body()),
        "report": lambda: world.center.post(f"/v1/referrals/{referral_id}/events", event),
        "deliver": lambda: world.deliver(referral_id, "received"),
    }


def list_operations(send):
    """The operations that a request calls."""
    with faults.inject_faults(faults.plan_never) as calls:
        assert send().status < 300
    return list(dict.fromkeys(calls.operations))


@pytest.mark.parametrize("mode", [*UNREADABLE, *REFUSALS])
@pytest.mark.parametrize("kind", ["read", "list", "refer", "report", "deliver"])
def test_a_response_that_is_no_answer_is_503(shared_api, referral_id, kind, mode):
    """Whichever operation it happens to, in a function that has just started and so calls all of them."""
    # Twice, because the very first request creates data keys.
    for known in (shared_api.refer()["referral_id"], shared_api.refer()["referral_id"]):
        wiring.get_stores().encryption._cache.clear()
        operations = list_operations(build_requests(shared_api, known)[kind])
    send = build_requests(shared_api, referral_id)[kind]
    assert "GetItem" in operations

    for operation in operations:
        wiring.get_stores().encryption._cache.clear()
        with faults.inject_faults(faults.plan_always(operation, mode)) as calls:
            answer = send()
        assert (operation, answer.status) == (operation, 503), answer.text
        assert (answer.json["code"], int(answer.headers["retry-after"]) >= 1) == ("unavailable", True)
        # Only what may get better by itself is tried again at once. Others were on their way, or load keys ahead.
        attempts = 3 if mode in UNREADABLE else 1
        assert len(calls.met) in {n * attempts for n in range(1, 6)}


@pytest.mark.parametrize("mode", UNREADABLE)
def test_an_unreadable_response_is_not_an_empty_one(shared_api, referral_id, mode):
    """A list that could not be read never says that there is no referral. One torn response is tried again."""
    whole = shared_api.practice.get("/v1/referrals").json

    with faults.inject_faults(faults.plan_nth_fault("Query", 1, mode)):
        answer = shared_api.practice.get("/v1/referrals")

    assert [item["referral_id"] for item in answer.json["items"]] == [item["referral_id"] for item in whole["items"]]
    assert referral_id in answer.text


@pytest.mark.parametrize("mode", UNREADABLE)
def test_a_commit_with_an_unreadable_response_is_done_once(shared_api, referral_id, mode):
    """The transaction was made. The sender's repeat gets its result, and nothing is written again."""
    delivery = {"at": wiring.read_clock().isoformat(), "webhook_id": f"msg_{mode}"}
    with faults.inject_faults(faults.plan_always("TransactWriteItems", mode)):
        lost = shared_api.deliver(referral_id, "received", **delivery)
    after = store_tools.dump_tables()

    repeated = shared_api.deliver(referral_id, "received", **delivery)

    assert (lost.status, repeated.status) == (503, 200)
    assert shared_api.get_stage(referral_id) == "received"
    assert store_tools.dump_tables()["referrals"] == after["referrals"]


@pytest.mark.parametrize(
    ("mode", "code"),
    [(FaultMode.EXPIRED_TOKEN, "ExpiredTokenException"), (FaultMode.ACCESS_DENIED, "AccessDeniedException")],
)
def test_the_log_says_why_aws_refuses_us(shared_api, referral_id, caplog, mode, code):
    """An operator has to help, so the code of the service is in the log, and nowhere else."""
    with faults.inject_faults(faults.plan_always("Query", mode)):
        answer = shared_api.practice.get("/v1/referrals")

    [record] = [record for record in caplog.records if record.message == "refused by AWS"]
    assert (record.levelname, record.error) == ("ERROR", code)
    assert code not in answer.text
