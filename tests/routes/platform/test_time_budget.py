"""Ten seconds for a request, whatever hangs: 503 in time, and nothing half done."""

import pytest

from chalicelib import budget, fetching, wiring
from chalicelib.aws_responses import ATTEMPT_S
from chalicelib.errors import UnavailableError
from chalicelib.mail import MailMessage
from chalicelib.mail.ses import SesMailer
from tests.support import factories, tokens
from tests.support import stores as store_tools
from tests.support.faults import FaultMode
from tests.support.hanging_dependencies import SimulatedClock, hang_calls, with_simulated_pauses

DYNAMODB = ("GetItem", "PutItem", "Query", "TransactWriteItems")
KEY_SERVICE = ("Decrypt", "GenerateDataKey")


@pytest.fixture
def referral_id(shared_api):
    """A referral that the center has received; the caches are filled."""
    referral_id = shared_api.refer()["referral_id"]
    shared_api.move_to(referral_id, "received")
    shared_api.center.get(f"/v1/referrals/{referral_id}")
    return referral_id


def requests(world, referral_id):
    """Return one request of each kind, by its name; each a first time."""
    event = {"type": "stage.changed", "occurred_at": wiring.read_clock().isoformat(), "data": {"stage": "accepted"}}
    return {
        "read": lambda: world.practice.get(f"/v1/referrals/{referral_id}"),
        "list": lambda: world.practice.get("/v1/referrals"),
        "refer": lambda: world.practice.post("/v1/referrals", factories.build_referral_body()),
        "report": lambda: world.center.post(f"/v1/referrals/{referral_id}/events", event),
        "deliver": lambda: world.deliver(referral_id, "accepted"),
    }


def assert_refused_in_time(answer, clock, started):
    """503 with a pause, and no later than promised."""
    assert answer.status == 503, answer.text
    assert int(answer.headers["retry-after"]) >= 1
    assert clock.now - started <= budget.MAX_BUDGET_S


@pytest.mark.parametrize("operation", DYNAMODB)
@pytest.mark.parametrize("kind", ["read", "list", "refer", "report", "deliver"])
def test_a_hanging_database_is_503_in_time(shared_api, referral_id, kind, operation):
    """At whichever call it begins to hang."""
    send, before = requests(shared_api, referral_id)[kind], store_tools.dump_tables()

    with hang_calls(lambda name: name == operation) as (clock, calls):
        started = clock.now
        answer = send()

    if calls.count_faults:
        assert_refused_in_time(answer, clock, started)
        assert calls.count_faults <= 3
        assert store_tools.dump_tables()["referrals"] == before["referrals"]
        assert store_tools.dump_tables()["outbox"] == before["outbox"]
    else:
        assert answer.status < 300


def test_every_call_above_was_made_by_some_request(shared_api, referral_id):
    """Otherwise nothing would have hung."""
    made = set()
    for send in requests(shared_api, referral_id).values():
        with hang_calls(lambda _name: False) as (_, calls):
            send()
        made |= set(calls.operations)

    assert made >= set(DYNAMODB)


@pytest.mark.parametrize("mode", [FaultMode.THROTTLE, FaultMode.SERVER_ERROR, FaultMode.REFUSED])
def test_a_database_that_refuses_at_once_is_tried_three_times(shared_api, referral_id, mode):
    """With pauses, and not more often, whatever it answers: two queries begin at the same time."""
    with hang_calls(lambda name: name == "Query", mode=mode, takes=0) as (clock, calls):
        started = clock.now
        answer = shared_api.deliver(referral_id, "accepted")

    assert_refused_in_time(answer, clock, started)
    assert calls.operations.count("Query") == 2 * 3


def test_a_slow_database_is_503_in_time(shared_api, referral_id):
    """Each call answers just before its limit: the next one is not started."""
    slow = ATTEMPT_S - 0.1
    before = store_tools.dump_tables()

    with hang_calls(lambda _name: True, mode=None, takes=slow) as (clock, calls):
        started = clock.now
        answer = requests(shared_api, referral_id)["report"]()

    assert_refused_in_time(answer, clock, started)
    assert calls.operations == ["Query", "GetItem"]
    assert store_tools.dump_tables() == before


def test_a_lost_reply_is_not_repeated_without_time(shared_api, referral_id):
    """The write was made and its reply never came: 503, and the repeat finds it done."""
    at = wiring.read_clock().isoformat()
    with hang_calls(lambda name: name == "TransactWriteItems", mode=FaultMode.LOST_REPLY) as (clock, _):
        started = clock.now
        answer = shared_api.deliver(referral_id, "accepted", at=at, webhook_id=f"m-{referral_id}")

    assert_refused_in_time(answer, clock, started)
    again = shared_api.deliver(referral_id, "accepted", at=at, webhook_id=f"m-{referral_id}")
    assert again.json["status"] == "duplicate"
    assert shared_api.get_stage(referral_id) == "accepted"


def test_writers_that_always_conflict_are_refused_in_time(shared_api, referral_id, monkeypatch):
    """Five attempts with growing pauses, then "busy"."""
    with hang_calls(lambda name: name == "TransactWriteItems", mode=FaultMode.CONFLICT, takes=1) as (clock, calls):
        stores = with_simulated_pauses(wiring.get_stores(), clock)
        monkeypatch.setattr(wiring, "get_stores", lambda: stores)
        started = clock.now
        answer = shared_api.deliver(referral_id, "accepted")

    assert_refused_in_time(answer, clock, started)
    assert calls.operations.count("TransactWriteItems") == 5


def test_slow_conflicts_are_not_tried_five_times(shared_api, referral_id, monkeypatch):
    """The fourth attempt could not end in time."""
    with hang_calls(lambda name: name == "TransactWriteItems", mode=FaultMode.CONFLICT, takes=2.5) as (clock, calls):
        stores = with_simulated_pauses(wiring.get_stores(), clock)
        monkeypatch.setattr(wiring, "get_stores", lambda: stores)
        started = clock.now
        answer = shared_api.deliver(referral_id, "accepted")

    assert_refused_in_time(answer, clock, started)
    assert calls.operations.count("TransactWriteItems") == 3


@pytest.mark.parametrize("kind", ["read", "refer", "report"])
def test_a_hanging_key_service_is_503_in_time(shared_api, referral_id, kind):
    """In a function without a cached key. Nothing is shown or stored in clear text."""
    send, before = requests(shared_api, referral_id)[kind], store_tools.dump_tables()
    wiring.get_stores().encryption._cache.clear()

    with hang_calls(lambda name: name in KEY_SERVICE) as (clock, calls):
        started = clock.now
        answer = send()

    assert_refused_in_time(answer, clock, started)
    assert set(calls.operations[-1:]) <= set(KEY_SERVICE)
    assert store_tools.dump_tables()["referrals"] == before["referrals"]


def test_hanging_identity_keys_are_503_in_time(shared_api, monkeypatch):
    """In a function that has never read them: no one gets in unverified."""
    clock = SimulatedClock()

    def hang():
        clock.wait(fetching.KEYS_TIMEOUT_S)
        raise TimeoutError

    monkeypatch.setattr(wiring, "read_monotonic", clock)
    wiring.get_token_verifier.cache_clear()
    monkeypatch.setattr(wiring, "_fetch_issuer_keys", hang)
    started = clock.now

    answer = shared_api.practice.get("/v1/me")

    assert_refused_in_time(answer, clock, started)
    wiring.get_token_verifier.cache_clear()


def test_a_hanging_sign_in_is_503_in_time(shared_api):
    """Calls to Cognito follow the same rules."""
    who = {"email": "somebody@practice.example", "password": "Correct-Horse-7-Battery"}

    with hang_calls(lambda name: name == "InitiateAuth") as (clock, calls):
        started = clock.now
        answer = shared_api.anyone.send("POST", "/v1/sessions", who)

    assert_refused_in_time(answer, clock, started)
    assert calls.count_faults == 2


def test_a_hanging_mail_service_costs_a_task_ten_seconds(shared_api):
    """A job continues with the next task; no lease of five minutes runs out."""
    with hang_calls(lambda name: name == "SendEmail") as (clock, calls):
        mailer = SesMailer(
            client=lambda: store_tools.get_aws_client("sesv2"), clock=clock, sender="a@b.example",
            configuration_set="",
        )  # fmt: skip
        message = MailMessage(to="c@d.example", subject="s", text="t", html="h")
        started = clock.now
        with pytest.raises(UnavailableError):
            mailer.send(message, tag="out_1")

    assert clock.now - started <= budget.MAX_BUDGET_S
    assert calls.count_faults == 2


def test_a_function_without_time_left_starts_no_call(shared_api):
    """Lambda's remaining time counts, where it is less."""

    class Hurried:
        @staticmethod
        def get_remaining_time_in_millis():
            return 4_000

    site = shared_api.anyone.with_token(tokens.create_token(shared_api.members["practice"].subject))
    headers = {"Authorization": f"Bearer {site.token}"}
    event = site.build_event("GET", "/v1/me", None, headers)

    with hang_calls(lambda _name: False) as (_, calls):
        answer = site.app(event, Hurried())

    assert answer["statusCode"] == 503
    assert calls.operations == []
