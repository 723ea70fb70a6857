"""Electronic benefits checks, from the request to the applied answer, with simulated payers over the wire."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from chalicelib import wiring
from chalicelib.domain.notices.tasks import TaskQueue
from chalicelib.domain.platform.rate_limit import RateLimit
from chalicelib.services.coverage import checks as check_service
from chalicelib.services.coverage.payer_setups import PayerDirectory
from chalicelib.services.notices.outbox_worker import run_job
from infra.payers.server import Behavior, run_simulator
from infra.payers.setups import PAYERS_SECRET, store_secrets
from tests.support import aws_fakes as cloud
from tests.support import stores as store_tools
from tests.support.coverage_driver import get_today, play
from tests.support.coverage_values import CLEARED


@pytest.fixture(autouse=True)
def _generous_limit(monkeypatch):
    """One member requests more checks here than in any clinic."""
    monkeypatch.setattr(check_service, "COVERAGE_CHECKS_PER_MEMBER", RateLimit(10_000, 100))


@pytest.fixture
def payers(shared_api, monkeypatch):
    """Simulated payers that the product is configured for, and that no check of another test still waits for."""
    cloud.forget_tasks()
    with run_simulator(behavior=Behavior(slow_s=0.01)) as simulator:
        store_secrets(wiring.get_aws_client("secretsmanager"), simulator.url)
        directory = PayerDirectory(
            secrets=wiring.get_payer_secrets(),
            secret_name=PAYERS_SECRET,
            loopback=True,
            read_monotonic=wiring.read_monotonic,
        )
        monkeypatch.setattr(wiring, "get_payer_directory", lambda: directory)
        yield simulator
    forget_payers(shared_api.stores)


def forget_payers(stores):
    """Forget what is known about payers: tests run the worker at later times, and then again now."""
    for row in store_tools.list_rows("allowances"):
        if row["subject"].startswith("payer"):
            table = stores.payer_states.table
            table.client().delete_item(TableName=table.name, Key={"subject": {"S": row["subject"]}})
            stores.rate_limits._callers.pop(row["subject"], None)


def refer(world, member_id, *, payer="Example Health", **changed):
    insurance = {"payer": payer, "plan_type": "commercial", "member_id": member_id, "group": "42", **changed}
    return f"/v1/referrals/{world.refer(insurance=insurance)['referral_id']}"


def request(site, path, **options):
    return site.post(f"{path}/coverage-checks", None, **options)


def run(after=timedelta()):
    """Run the worker at a later time."""
    run_job(TaskQueue.EVENT, context=wiring.build_job_context(wiring.read_clock() + after))


def read_check(site, path):
    return site.get(f"{path}/coverage-checks").json["items"][0]


def check(world, path):
    """Request a check and let the worker ask the payer once."""
    assert request(world.practice, path).status == 202
    run()
    return read_check(world.practice, path)


def read_facts(body):
    return {name: body[name]["answer"] for name in ("benefits", "authorization", "network", "determination")}


ANSWERS = {
    "XEX0001": (("active", "not_stated", "not_stated"), "verified"),
    "XEX0002": (("inactive", "not_stated", "not_stated"), "plan_changed"),
    "XEX0003": (("active", "required", "not_stated"), "to_submit"),
    "XEX0004": (("active", "not_stated", "out_of_network"), "verified"),
    "XEX0005": (("active", "required", "designated_provider_required"), "to_submit"),
    "XEX0006": (("active", "not_stated", "not_stated"), "verified"),
}


@pytest.mark.parametrize("payer", ["Example Health", "Example Mutual"])
@pytest.mark.parametrize("member_id", ANSWERS)
def test_an_answer_gives_four_facts_and_moves_the_coverage(shared_api, payers, member_id, payer):
    """The same over both wire formats. A determination is never in an electronic answer."""
    path = refer(shared_api, member_id, payer=payer)

    body = check(shared_api, path)

    facts, state = ANSWERS[member_id]
    assert body["state"] == "completed"
    assert read_facts(body) == {
        **dict(zip(("benefits", "authorization", "network"), facts, strict=True)),
        "determination": "none",
    }
    assert shared_api.center.get(f"{path}/coverage").json["state"] == state


def test_a_check_is_never_a_guarantee(shared_api, payers):
    """The response says so while it is open, and next to the answer."""
    path = refer(shared_api, "XEX0001")

    requested = request(shared_api.practice, path).json
    run()

    for body in (requested, read_check(shared_api.practice, path)):
        assert body["disclaimer"] == "Not a guarantee of coverage."


def test_a_request_is_answered_at_once_and_asks_no_one(shared_api, payers):
    """The worker asks later."""
    path = refer(shared_api, "XEX0001")

    answer = request(shared_api.practice, path)

    assert (answer.status, answer.json["state"]) == (202, "requested")
    assert payers.received.requests == []
    assert shared_api.practice.get(f"{path}/coverage").json["verification"] == "requested"


def test_a_second_request_gets_the_running_check(shared_api, payers):
    """By the other side as well: 200, and the payer is asked once."""
    path = refer(shared_api, "XEX0001")
    first = request(shared_api.practice, path).json["coverage_check_id"]

    second = request(shared_api.center, path)
    run()

    assert (second.status, second.json["coverage_check_id"]) == (200, first)
    assert len(payers.received.requests) == 1


def test_parallel_requests_make_one_check(shared_api, payers):
    """The lock is part of the transaction."""
    path = refer(shared_api, "XEX0001")

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: request(shared_api.practice, path), range(6)))

    assert sorted(answer.status for answer in answers) == [200] * 5 + [202]
    assert len(shared_api.practice.get(f"{path}/coverage-checks").json["items"]) == 1


def test_a_repeated_request_gets_the_same_response(shared_api, payers):
    """Also after the check has ended: it starts no new one."""
    path = refer(shared_api, "XEX0001")
    first = request(shared_api.practice, path, key="once")
    run()

    again = request(shared_api.practice, path, key="once")

    assert (again.status, again.json) == (202, first.json)
    assert len(payers.received.requests) == 1


def test_a_finished_check_can_be_followed_by_another(shared_api, payers):
    """Again, while the coverage stays verified."""
    path = refer(shared_api, "XEX0001")
    check(shared_api, path)

    body = check(shared_api, path)

    assert body["state"] == "completed"
    assert len(shared_api.practice.get(f"{path}/coverage-checks").json["items"]) == 2


def test_a_payer_that_does_not_respond_costs_retries_and_never_the_request(shared_api, payers):
    """Closed connections, then "unable to respond", then an answer."""
    payers.behavior.unable_attempts = 1
    path = refer(shared_api, "XEX0009")
    request(shared_api.practice, path)
    states = []

    for minutes in (0, 2, 6, 20, 60):
        run(timedelta(minutes=minutes))
        body = read_check(shared_api.practice, path)
        states.append((body["state"], body["attempts"], body["next_try_at"] is not None))

    assert states[:4] == [
        ("requested", 1, True),
        ("requested", 2, True),
        ("requested", 3, True),
        ("completed", 4, False),
    ]


def test_an_attempt_without_an_answer_says_that_the_payer_was_asked(shared_api, payers):
    """Both sides see it once, however many attempts follow."""
    payers.behavior.unable_attempts = 3
    path = refer(shared_api, "XEX0009")
    request(shared_api.practice, path)
    payers.received.attempts["XEX0009"] = payers.behavior.refused_attempts

    for minutes in (0, 2):
        run(timedelta(minutes=minutes))

    coverage = shared_api.center.get(f"{path}/coverage").json
    assert (coverage["state"], coverage["verification"]) == ("verifying", "verifying")
    assert [row["move"] for row in coverage["history"]] == ["verification_started", "verification_requested"]
    assert read_check(shared_api.practice, path)["attempts"] == 2


def test_a_check_fails_after_a_day_with_a_plain_reason(shared_api, payers):
    """Only then. The practice is notified, and the coverage says that it is not verified."""
    payers.behavior.refused_attempts = 1_000
    path = refer(shared_api, "XEX0009")
    request(shared_api.practice, path)
    for hours in range(24):
        run(timedelta(hours=hours))
        assert read_check(shared_api.practice, path)["state"] == "requested"

    for hours in (25, 26):
        run(timedelta(hours=hours))

    body = read_check(shared_api.practice, path)
    assert (body["state"], body["reason"]) == ("failed", "no_answer")
    assert body["message"]
    assert shared_api.practice.get(f"{path}/coverage").json["state"] == "unable_to_verify"
    titles = [notice["title"] for notice in shared_api.practice.get("/v1/notices?limit=100").json["items"]]
    assert "The electronic benefits check brought no answer: call the payer" in titles


def test_an_open_breaker_asks_no_one_until_a_probe(shared_api, payers):
    """After five failures in a row, another patient's check waits and does not fail."""
    payers.behavior.raw, payers.behavior.status = b"", 503
    for number in range(5):
        request(shared_api.practice, refer(shared_api, "XEX0001", group=f"{number}"))
    run()
    asked = len(payers.received.requests)

    waiting = refer(shared_api, "XEX0001", group="6")
    request(shared_api.practice, waiting)
    run()

    body = read_check(shared_api.practice, waiting)
    assert len(payers.received.requests) == asked
    assert (body["state"], body["attempts"], body["reason"]) == ("requested", 0, "waiting")
    payers.behavior.raw = None
    run(timedelta(minutes=5))
    run(timedelta(minutes=10))
    assert read_check(shared_api.practice, waiting)["state"] == "completed"


@pytest.mark.parametrize("attempts", range(1, 6))
def test_garbage_keeps_the_request_open(shared_api, payers, attempts):
    """A page, nothing, half an answer, an answer to someone else, and one that is too large."""
    payers.received.attempts["XEX0010"] = attempts - 1
    path = refer(shared_api, "XEX0010")

    body = check(shared_api, path)

    assert (body["state"], body["attempts"]) == ("requested", 1)
    assert body["message"]


def test_a_member_that_is_not_found_names_what_to_correct(shared_api, payers):
    """The check has ended; after the correction a new one begins."""
    path = refer(shared_api, "XEX0007")

    body = check(shared_api, path)

    assert (body["state"], body["reason"]) == ("failed", "needs_correction")
    assert [each["pointer"] for each in body["rejections"]] == ["/insurance/member_id"]
    assert shared_api.practice.get(f"{path}/coverage").json["state"] == "unable_to_verify"


def test_an_answer_after_the_plan_changed_is_filed_and_moves_nothing(shared_api, payers):
    """It is about the old plan."""
    path = refer(shared_api, "XEX0003")
    request(shared_api.practice, path)
    version = shared_api.practice.get(path).json["version"]
    insurance = {"payer": "Example Health", "plan_type": "commercial", "member_id": "XEX0001", "group": "7"}
    shared_api.practice.patch(path, {"insurance": insurance}, version=version)

    run()

    body = read_check(shared_api.practice, path)
    coverage = shared_api.practice.get(f"{path}/coverage").json
    assert (body["state"], body["filed"]) == ("completed", True)
    assert (coverage["state"], coverage["authorization"]) == ("plan_changed", "unknown")
    assert [row["filed"] for row in coverage["history"] if row["move"] == "result_recorded"] == [True]


def test_a_new_plan_can_be_checked_while_the_old_check_still_waits(shared_api, payers):
    """The new check replaces the old one, which ends without an alarm."""
    payers.behavior.refused_attempts = 1_000
    path = refer(shared_api, "XEX0009")
    request(shared_api.practice, path)
    run()
    version = shared_api.practice.get(path).json["version"]
    insurance = {"payer": "Example Health", "plan_type": "commercial", "member_id": "XEX0001", "group": "7"}
    shared_api.practice.patch(path, {"insurance": insurance}, version=version)

    assert request(shared_api.practice, path).status == 202
    run(timedelta(hours=1))

    newest, oldest = shared_api.practice.get(f"{path}/coverage-checks").json["items"]
    assert (newest["state"], oldest["state"], oldest["reason"]) == ("completed", "failed", "replaced")


def test_what_was_sent_and_received_is_kept_encrypted(shared_api, payers):
    """For audit, and nowhere in clear."""
    path = refer(shared_api, "XEX0003")

    body = check(shared_api, path)

    referral = shared_api.stores.referrals.get(path.rpartition("/")[2])
    [(sent, received)] = shared_api.stores.coverage_checks.list_exchanges(
        referral.referral_id, body["coverage_check_id"], scope=referral.practice_id
    )
    assert b"NM1*IL*1*EXAMPLE*ANA" in sent
    assert b"CAR T THERAPY REQUIRES PRIOR AUTHORIZATION" in received
    assert "CAR T THERAPY REQUIRES" not in str(store_tools.dump_tables())


@pytest.mark.parametrize(
    ("changed", "code", "pointer"),
    [
        ({"payer": "Unknown Mutual of Nowhere"}, "payer_not_electronic", "/insurance/payer"),
        ({"subscriber": {"relationship": "spouse"}}, "payer_facts_missing", "/insurance/subscriber/family_name"),
    ],
)
def test_a_check_that_cannot_be_sent_is_refused_with_what_to_do(shared_api, payers, changed, code, pointer):
    """Before anything is stored."""
    path = refer(shared_api, "XEX0001", **changed)

    answer = request(shared_api.practice, path)

    assert (answer.status, answer.json["code"]) == (409, code)
    assert pointer in {error["pointer"] for error in answer.json["errors"]}
    assert shared_api.practice.get(f"{path}/coverage-checks").json["items"] == []


def test_a_dependent_is_checked_through_the_policy_holder(shared_api, payers):
    """The subscriber loop names the holder."""
    subscriber = {"relationship": "child", "given_name": "Luis", "family_name": "Example", "birth_date": "1935-01-02"}
    path = refer(shared_api, "XEX0001", subscriber=subscriber)

    body = check(shared_api, path)

    assert body["state"] == "completed"
    assert b"NM1*IL*1*EXAMPLE*LUIS" in payers.received.requests[0][2]


def test_no_check_starts_or_goes_on_after_the_referral_ended(shared_api, payers):
    """The payer is not asked."""
    path = refer(shared_api, "XEX0001")
    request(shared_api.practice, path)
    shared_api.deliver(path.rpartition("/")[2], "declined", reason_code="capacity_full")

    run()

    assert payers.received.requests == []
    assert read_check(shared_api.practice, path)["reason"] == "referral_closed"
    assert request(shared_api.practice, path).json["code"] == "referral_closed"


def list_titles(site):
    return [notice["title"] for notice in site.get("/v1/notices?limit=100").json["items"]]


NO_ANSWER = "The electronic benefits check brought no answer: call the payer"


def test_no_one_is_asked_to_call_a_payer_after_the_referral_ended(shared_api, payers):
    """The patient may have died."""
    before = list_titles(shared_api.practice).count(NO_ANSWER)
    path = refer(shared_api, "XEX0001")
    request(shared_api.practice, path)
    shared_api.deliver(path.rpartition("/")[2], "deceased")

    run()

    assert read_check(shared_api.practice, path)["state"] == "failed"
    assert list_titles(shared_api.practice).count(NO_ANSWER) == before


def test_no_one_waits_for_a_payer_after_a_closed_referral_was_opened_again(shared_api, payers):
    """The check ended while the referral was closed, so the practice is asked to check again."""
    path = refer(shared_api, "XEX0001")
    request(shared_api.practice, path)
    shared_api.deliver(path.rpartition("/")[2], "declined", reason_code="capacity_full")
    run()
    reopened = {"type": "referral.reopened", "occurred_at": wiring.read_clock().isoformat(), "data": {"note": "x"}}
    assert shared_api.center.post(f"{path}/events", reopened).status == 200
    run()

    coverage = shared_api.practice.get(f"{path}/coverage").json
    assert (coverage["state"], coverage["next_actor"]) == ("unable_to_verify", "practice")
    notices = shared_api.practice.get("/v1/notices?limit=100").json["items"]
    titles = [notice["title"] for notice in notices if path.endswith(notice["referral_id"])]
    assert titles == ["The referral was reopened", "The center declined the referral"]


def test_a_payer_is_not_asked_after_the_consent_was_withdrawn(shared_api, payers):
    """Also if the check was requested before, and waits for its next attempt."""
    payers.behavior.raw, payers.behavior.status = b"", 503
    path = refer(shared_api, "XEX0001")
    request(shared_api.practice, path)
    run()
    asked = len(payers.received.requests)
    referral = shared_api.practice.get(path).json
    consent = {**referral["consent_to_share"], "withdrawn_on": get_today().isoformat()}
    answer = shared_api.practice.patch(path, {"consent_to_share": consent}, version=referral["version"])
    assert answer.status == 200, answer.text

    run(timedelta(minutes=5))

    body = read_check(shared_api.practice, path)
    assert (body["state"], body["reason"]) == ("failed", "no_consent")
    assert len(payers.received.requests) == asked


def test_a_check_that_no_worker_ran_for_more_than_a_day_says_so(shared_api, payers):
    """Its lease has ended. It was not replaced, and the practice is notified."""
    before = list_titles(shared_api.practice).count(NO_ANSWER)
    path = refer(shared_api, "XEX0001")
    request(shared_api.practice, path)

    run(timedelta(hours=30))
    run(timedelta(hours=31))

    body = read_check(shared_api.practice, path)
    assert (body["state"], body["reason"]) == ("failed", "no_answer")
    assert list_titles(shared_api.practice).count(NO_ANSWER) == before + 1


def test_an_electronic_answer_does_not_replace_what_a_person_learned(shared_api, payers):
    """What the payer left open is not a no: the phone call about the network stays."""
    path = refer(shared_api, "XEX0001")
    play(shared_api, path, ("result_recorded", {"network": "in_network"}))

    check(shared_api, path)

    facts = {fact["fact"]: fact for fact in shared_api.practice.get(f"{path}/coverage").json["facts"]}
    assert (facts["network"]["answer"], facts["network"]["source"]) == ("in_network", "phone")
    assert facts["benefits"]["source"] == "electronic"


def test_an_inactive_answer_ends_the_clearance(shared_api, payers):
    """The card is an old one."""
    path = refer(shared_api, "XEX0002")
    play(shared_api, path, *CLEARED)

    check(shared_api, path)

    assert not shared_api.center.get(f"{path}/coverage").json["is_cleared"]


def test_control_numbers_are_never_repeated(shared_api, payers):
    """A new one for each attempt, the same trace id."""
    path = refer(shared_api, "XEX0009")
    request(shared_api.practice, path)
    for minutes in (0, 2, 6):
        run(timedelta(minutes=minutes))

    referral = shared_api.stores.referrals.get(path.rpartition("/")[2])
    check_id = read_check(shared_api.practice, path)["coverage_check_id"]
    stored = shared_api.stores.coverage_checks.get(referral.referral_id, check_id, scope=referral.practice_id)
    # Checks of other tests may be due again as well.
    sent = [body.decode() for _, _, body in payers.received.requests]
    bodies = [body for body in sent if stored.question.trace_id in body]

    assert len({body.partition("<PayloadID>")[2].partition("<")[0] for body in bodies}) == len(bodies) == 3
    assert len({body.partition("TRN*1*")[2].partition("*")[0] for body in bodies}) == 1
    assert len({body.partition("ISA*")[2].split("*")[12] for body in bodies}) == 3


def test_the_payers_reached_are_only_those_of_the_configuration(shared_api, payers):
    """Each request went to the simulator that the secret names."""
    check(shared_api, refer(shared_api, "XEX0001"))

    assert [path for path, _, _ in payers.received.requests] == ["/core"]
