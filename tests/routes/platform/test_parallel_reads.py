"""Calls of a request at the same time, in real threads: who may see nothing gets nothing, and no row is missing."""

from dataclasses import replace
from itertools import count
from threading import Barrier

import pytest

from chalicelib import wiring
from chalicelib.domain.identity.members import build_membership_key
from chalicelib.errors import UnavailableError
from chalicelib.store.notices.notices import Notices
from chalicelib.store.platform.transactions import Transactions
from tests.support import aws_fakes as cloud
from tests.support import factories, faults
from tests.support import stores as store_tools
from tests.support.faults import FaultMode

A_WHILE = 60
"""Seconds after which a test gives up. No test takes them."""

new_numbers = count(100)
"""Of members whom one test uses."""

READS = (
    "/v1/referrals/{}",
    "/v1/referrals/{}/events",
    "/v1/referrals/{}/window",
    "/v1/referrals/{}/changes",
    "/v1/referrals/{}/messages",
    "/v1/referrals",
    "/v1/referrals?sort=patient",
)


@pytest.fixture
def threaded_api(shared_api, monkeypatch):
    """A function with threads and a limit that no one reaches, as in production."""
    with monkeypatch.context() as patch:
        patch.setenv("CALL_THREADS", "4")
        patch.setenv("MEMBER_LIMIT", "1000/100")
        wiring.reset()
        yield shared_api
    wiring.reset()


@pytest.fixture
def referral_id(threaded_api):
    return threaded_api.refer()["referral_id"]


@pytest.fixture
def two_memberships(threaded_api):
    """A person's membership of a practice, and a later one of a center."""
    first = factories.build_member(n=next(new_numbers))
    second = factories.build_member(factories.CENTER, n=next(new_numbers))
    second = replace(second, subject=build_membership_key(first.subject, second.member_id))
    factories.add_members(threaded_api.stores, [first])
    threaded_api.stores.transactions.commit(*threaded_api.stores.members.prepare_add_later(second))
    return first, second


def meet(parties, *operations):
    """Plan no fault. The calls of these operations continue only when all of them have begun."""
    meeting = Barrier(parties, timeout=A_WHILE)

    def plan(_number, operation):
        if operation in operations:
            meeting.wait()

    return plan


def meet_once(parties, operation):
    """Plan no fault. The first calls of an operation continue only when so many of them have begun."""
    meeting, numbers = Barrier(parties, timeout=A_WHILE), count()

    def plan(_number, called):
        if called == operation and next(numbers) < parties:
            meeting.wait()

    return plan


def list_audit_rows():
    """Return what the audit trail says, without its hashes."""
    return {(row["subject"], row["actor_id"], row["action"], row["outcome"]) for row in store_tools.list_rows("audit")}


def disable(member):
    """Disable a member, in the table alone."""
    stores = wiring.get_stores()
    row = stores.members.get_by_subject(member.subject)
    assert row
    changed = replace(row, active=False, version=row.version + 1)
    Transactions(wiring.get_dynamodb_client).commit(stores.members.prepare_save(changed))


def test_a_list_is_read_while_its_audit_row_is_written(threaded_api, referral_id):
    """And while the reader's views are read: three calls at once."""
    threaded_api.practice.get("/v1/referrals")

    with faults.inject_faults(meet(3, "Query", "PutItem")):
        answer = threaded_api.practice.get("/v1/referrals")

    assert referral_id in answer.text


def test_a_referral_is_read_while_its_reader_is_checked(threaded_api, referral_id):
    """The two reads of one item are at once."""
    threaded_api.practice.get(f"/v1/referrals/{referral_id}/events")

    with faults.inject_faults(meet(2, "GetItem")):
        answer = threaded_api.practice.get(f"/v1/referrals/{referral_id}/events")

    assert answer.status == 200


def test_what_a_person_sees_first_is_read_while_the_member_is_checked(threaded_api):
    """The member, the organization, and whether email reaches the person are read at once."""
    threaded_api.practice.get("/v1/me")

    with faults.inject_faults(meet_once(3, "GetItem")):
        answer = threaded_api.practice.get("/v1/me")

    assert answer.json["tenant"]["tenant_id"] == factories.PRACTICE.tenant_id


def test_a_guess_of_another_membership_shows_nothing_of_it(threaded_api, two_memberships):
    """The first membership of a person lost its access after the function had used it."""
    first, second = two_memberships
    reader = threaded_api.get_client_for(first)
    assert reader.get("/v1/me").json["tenant"]["tenant_id"] == factories.PRACTICE.tenant_id
    disable(first)

    answer = reader.get("/v1/me")

    assert answer.json["member_id"] == second.member_id
    assert answer.json["tenant"]["tenant_id"] == factories.CENTER.tenant_id


def test_a_failure_of_a_guess_that_was_wrong_is_no_ones(threaded_api, two_memberships, monkeypatch):
    """Everything of the membership that is used was read."""
    first, second = two_memberships
    reader = threaded_api.get_client_for(first)
    reader.get("/v1/me")
    disable(first)
    read = Notices.count_unread

    def fail_for_first(notices, member_id):
        if member_id == first.member_id:
            raise UnavailableError
        return read(notices, member_id)

    monkeypatch.setattr(Notices, "count_unread", fail_for_first)

    assert reader.get("/v1/me").json["member_id"] == second.member_id


@pytest.mark.parametrize("path", READS)
def test_a_read_without_an_audit_row_shows_nothing(threaded_api, referral_id, path):
    """503, although everything else was read."""
    asked = path.format(referral_id)
    threaded_api.practice.get(asked)

    with faults.inject_faults(faults.plan_always("PutItem", FaultMode.SERVER_ERROR)):
        answer = threaded_api.practice.get(asked)

    assert (answer.status, answer.json["code"]) == (503, "unavailable")
    assert referral_id not in answer.text


@pytest.mark.parametrize("path", READS)
def test_a_disabled_member_gets_nothing(threaded_api, referral_id, path):
    """On the next request, although the function knows the member; and nothing is recorded as read."""
    member = factories.build_member(n=next(new_numbers))
    factories.add_members(threaded_api.stores, [member])
    reader = threaded_api.get_client_for(member)
    assert reader.get("/v1/me").status == 200
    disable(member)
    before = list_audit_rows()

    answer = reader.get(path.format(referral_id))

    assert (answer.status, answer.json["code"]) == (403, "not_a_member")
    assert referral_id not in answer.text
    assert {action for _, actor, action, _ in list_audit_rows() - before if actor == member.member_id} <= {
        "membership.use"
    }


@pytest.mark.parametrize("path", READS[:5])
def test_another_tenants_referral_is_not_found(threaded_api, referral_id, path):
    """The early read finds it, and nothing of it is used. The trail has the attempt, and no read."""
    before = list_audit_rows()

    answer = threaded_api.other_practice.get(path.format(referral_id))

    assert answer.status == 404
    assert {outcome for *_, outcome in list_audit_rows() - before} == {"not_found"}


def test_a_cursor_of_another_tenant_is_refused(threaded_api, referral_id):
    """And shows no row."""
    threaded_api.refer()
    cursor = threaded_api.practice.get("/v1/referrals?limit=1").json["next_cursor"]

    answer = threaded_api.other_practice.get(f"/v1/referrals?limit=1&cursor={cursor}")

    assert (answer.status, answer.json["code"]) == (400, "cursor_not_valid")
    assert "items" not in answer.json


def test_a_hint_at_another_member_counts_against_no_limit(threaded_api):
    """The membership that a header names is counted only if the person could use it before."""
    cloud.forget_rate_limits()
    victim = threaded_api.members["center"]
    thief = threaded_api.practice.with_membership(victim.member_id)

    refused = {thief.get("/v1/me").status for _ in range(4)}

    counted = {row["subject"] for row in store_tools.list_rows("allowances")}
    assert refused == {403}
    assert f"member#{victim.member_id}" not in counted


def test_a_refused_member_is_not_counted_again(threaded_api):
    """What a function knows of a member is forgotten with the first refusal."""
    member = factories.build_member(n=next(new_numbers))
    factories.add_members(threaded_api.stores, [member])
    reader = threaded_api.get_client_for(member)
    reader.get("/v1/me")
    disable(member)

    assert reader.get("/v1/me").status == 403
    assert wiring.get_last_members().get((member.subject, None)) is None


def test_a_delivery_is_refused_when_its_secret_was_revoked(threaded_api, referral_id):
    """Although the function has the secret in memory, and has begun to read the referral."""
    assert threaded_api.deliver(referral_id, "received").status == 200
    stores, center = wiring.get_stores(), factories.CENTER.tenant_id
    table = stores.secrets.table
    revoked = list(table.query_all("center_id = :center", {"center": center}))
    for row in revoked:
        table.delete({"center_id": center, "secret_id": row["secret_id"]})
    before = list_audit_rows()

    answer = threaded_api.deliver(referral_id, "accepted")

    for row in revoked:
        table.put(row)
    stores.secrets.clear_cache(center)
    assert answer.status == 401
    assert list_audit_rows() == before
    assert threaded_api.get_stage(referral_id) == "received"


@pytest.fixture
def start_function(threaded_api, monkeypatch):
    """Start the function that responds to requests again, as on Lambda."""
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "cart-referrals-APIHandler")
    monkeypatch.setenv("_HANDLER", "app.app")

    def start():
        wiring.reset()
        wiring.warm_up()

    return start


def test_what_every_first_request_needs_is_read_while_the_function_starts(threaded_api, referral_id, start_function):
    """The issuer's keys and the directory of centers: neither is read again."""
    start_function()
    directory = wiring.get_stores().tenants
    fetched = []

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(wiring, "_fetch_issuer_keys", lambda: fetched.append("keys"))
        patch.setattr(type(directory), "read_directory", lambda _self: fetched.append("directory"))
        answer = threaded_api.practice.get(f"/v1/referrals/{referral_id}")

    assert (answer.status, answer.json["center"]["name"], fetched) == (200, factories.CENTER.name, [])


def test_a_function_starts_when_nothing_can_be_read(threaded_api, referral_id, start_function):
    """Its first request reads again."""
    with faults.inject_faults(faults.plan_always("Query", FaultMode.SERVER_ERROR)):
        start_function()

    assert threaded_api.practice.get(f"/v1/referrals/{referral_id}").status == 200


def test_a_background_function_reads_nothing_while_it_starts(threaded_api, monkeypatch):
    """It verifies no tokens, and may need no center."""
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "cart-referrals-relay")
    monkeypatch.setenv("_HANDLER", "app.relay")
    wiring.reset()

    with faults.inject_faults(faults.plan_never) as calls:
        wiring.warm_up()

    assert calls.operations == []


def test_a_centers_first_list_loads_the_keys_of_its_practices_at_the_same_time(threaded_api, referral_id):
    """Two practices have referred. The first two calls of KMS wait for each other."""
    other = threaded_api.other_practice.post("/v1/referrals", factories.build_referral_body()).json["referral_id"]
    wiring.reset()
    threaded_api.center.get("/v1/me")

    with faults.inject_faults(meet_once(2, "Decrypt")):
        answer = threaded_api.center.get("/v1/referrals")

    assert referral_id in answer.text
    assert other in answer.text


def test_a_submission_reads_its_directory_and_possible_duplicates_at_the_same_time(threaded_api):
    """Each of the two waits for the other one."""
    threaded_api.refer()

    with faults.inject_faults(meet(2, "Query")):
        answer = threaded_api.practice.post("/v1/referrals", factories.build_referral_body())

    assert answer.status == 201
