"""What the operator sees of the running service, and that nothing of it is about a patient."""

import json
from datetime import timedelta

import pytest
import time_machine

from chalicelib import wiring
from chalicelib.domain.platform.jobs import ScheduledJob
from chalicelib.store.notices.recipients import Suppression, SuppressionReason
from infra.organizations.access import lock_organization, unlock_organization
from tests.support.factories import CENTER, NOON, PRACTICE
from tests.support.tasks import build_task, claim_one, write_tasks

OPERATIONS = "/v1/operations"
UNREACHABLE = "/v1/operations/unreachable-members"
RETRY = "/v1/operations/failed-tasks/retry"


@pytest.fixture
def operator(shared_api):
    """The operator of the service."""
    return shared_api.get_client_for(shared_api.members["operator"])


def find(rows, name, value):
    (found,) = [row for row in rows if row[name] == value]
    return found


@pytest.fixture
def failed_task_id(shared_api):
    """A task that failed for the last time."""
    outbox = shared_api.stores.outbox
    task = build_task(outbox_id="out_" + "b" * 26)
    if outbox.table.get({"outbox_id": task.outbox_id}):
        outbox.table.delete({"outbox_id": task.outbox_id})
    write_tasks(shared_api.stores, task)
    assert outbox.mark_failed(claim_one(outbox), error="KeyError", now=NOON)
    return task.outbox_id


@pytest.mark.parametrize("path", [OPERATIONS, UNREACHABLE])
def test_only_the_operator_sees_how_the_service_runs(shared_api, path):
    """Not even an administrator of an organization."""
    people = ("practice", "practice_admin", "center", "center_admin")
    answers = [shared_api.get_client_for(shared_api.members[handle]).get(path) for handle in people]

    assert {(answer.status, answer.json["code"]) for answer in answers} == {(403, "operator_only")}


def test_a_job_is_late_after_two_of_its_periods(shared_api, operator):
    """The relay runs each 5 minutes."""
    now = wiring.read_clock()
    shared_api.stores.heartbeats.record_success(ScheduledJob.RELAY, {}, now=now - timedelta(minutes=11))
    shared_api.stores.heartbeats.record_success(ScheduledJob.NOTICES, {}, now=now - timedelta(minutes=11))

    jobs = operator.get(OPERATIONS).json["jobs"]

    assert (find(jobs, "job", "relay")["late"], find(jobs, "job", "notices")["late"]) == (True, False)


def test_a_job_that_never_ran_has_no_time(operator):
    """It is not late: a new deployment has no runs."""
    job = find(operator.get(OPERATIONS).json["jobs"], "job", "slots")

    assert (job["last_success_at"], job["late"]) == (None, False)


def test_a_job_that_was_never_recorded_is_late_when_the_others_ran_long_ago(shared_api, operator):
    """Then its schedule is missing: the relay would have recorded each job that it expects."""
    heartbeats = shared_api.stores.heartbeats
    heartbeats.record_success(ScheduledJob.CLOCKS, {}, now=wiring.read_clock() - timedelta(minutes=11))
    heartbeats.table.delete({"job": ScheduledJob.RELAY})

    job = find(operator.get(OPERATIONS).json["jobs"], "job", "relay")

    assert (job["last_success_at"], job["late"]) == (None, True)


def test_a_job_that_is_only_expected_has_no_success(shared_api, operator):
    """The relay recorded when its period began."""
    heartbeats = shared_api.stores.heartbeats
    heartbeats.table.delete({"job": ScheduledJob.DIGEST})
    heartbeats.record_expected(ScheduledJob.DIGEST, now=wiring.read_clock() - timedelta(hours=3))

    job = find(operator.get(OPERATIONS).json["jobs"], "job", "digest")

    assert (job["last_success_at"], job["late"]) == (None, True)


def test_the_backlog_counts_what_is_due(shared_api, operator):
    """A submitted referral makes tasks."""
    shared_api.refer()

    with time_machine.travel(wiring.read_clock() + timedelta(minutes=7), tick=False):
        later = shared_api.get_client_for(shared_api.members["operator"])
        backlog = later.get(OPERATIONS).json["backlog"]

    assert backlog["due"] >= 1
    assert backlog["oldest_minutes"] >= 6


def test_a_failed_task_has_its_kind_and_no_patient(operator, failed_task_id):
    """Neither the referral, nor the rule, which says what happened to someone."""
    tasks = operator.get(OPERATIONS).json["failed_tasks"]

    task = find(tasks, "outbox_id", failed_task_id)
    assert (task["label"], task["error"], task["attempts"]) == ("Planned notice", "KeyError", 1)
    assert "handback_near" not in json.dumps(tasks)


def test_a_retried_task_is_planned_again(operator, failed_task_id):
    """Once: a repeat finds no failed task."""
    retried = [operator.post(RETRY, {"outbox_ids": [failed_task_id]}).json["retried"] for _ in range(2)]

    assert retried == [1, 0]
    assert failed_task_id not in operator.get(OPERATIONS).text


def test_a_retry_is_audited(shared_api, operator, failed_task_id):
    """With the operator who did it."""
    operator.post(RETRY, {"outbox_ids": [failed_task_id]})

    rows = shared_api.stores.audit_log.list_chained_rows(f"task#{failed_task_id}/reads")
    assert ("outbox.retry", shared_api.members["operator"].member_id) in [
        (row["action"], row["actor_id"]) for row in rows
    ]


def test_no_one_else_retries_a_task(shared_api, operator, failed_task_id):
    """And it stays a failed task."""
    admin = shared_api.get_client_for(shared_api.members["center_admin"])

    assert admin.post(RETRY, {"outbox_ids": [failed_task_id]}).status == 403
    assert failed_task_id in operator.get(OPERATIONS).text


def test_a_connected_center_is_silent_after_two_days(shared_api, operator):
    """A center without a delivery is silent too."""
    shared_api.deliver(shared_api.refer()["referral_id"], "received")
    before = operator.get(OPERATIONS).json["connections"]
    with time_machine.travel(wiring.read_clock() + timedelta(hours=49), tick=False):
        later = shared_api.get_client_for(shared_api.members["operator"])
        after = later.get(OPERATIONS).json["connections"]

    assert not find(before, "center_id", CENTER.tenant_id)["silent"]
    assert find(after, "center_id", CENTER.tenant_id)["silent"]
    assert find(before, "center_id", "ctr_mesa") == {
        "center_id": "ctr_mesa",
        "name": find(before, "center_id", "ctr_mesa")["name"],
        "last_delivery_at": None,
        "silent": True,
    }


def test_a_test_event_does_not_end_the_silence(shared_api):
    """An administrator can send one from a browser while the center's system is down."""
    shared_api.deliver(shared_api.refer()["referral_id"], "received")
    with time_machine.travel(wiring.read_clock() + timedelta(hours=49), tick=False):
        assert shared_api.deliver_raw(b'{"type": "test.sent"}').json["status"] == "tested"
        later = shared_api.get_client_for(shared_api.members["operator"])
        connections = later.get(OPERATIONS).json["connections"]

    assert find(connections, "center_id", CENTER.tenant_id)["silent"]


def test_a_locked_organization_is_listed_first(shared_api, operator):
    """With the time since when."""
    context = wiring.build_run_context()
    lock_organization(PRACTICE, by="operator:jo", context=context)
    try:
        first = operator.get(OPERATIONS).json["organizations"][0]
    finally:
        unlock_organization(PRACTICE, by="operator:jo", context=context)

    assert (first["tenant_id"], first["kind"]) == (PRACTICE.tenant_id, "practice")
    assert first["locked_at"] is not None
    assert all(each["locked_at"] is None for each in operator.get(OPERATIONS).json["organizations"])


def test_a_member_whose_email_bounces_is_listed(shared_api, operator):
    """With the organization, whose administrator can correct the address."""
    member = shared_api.members["practice"]
    bounced = Suppression(SuppressionReason.BOUNCED, NOON)
    shared_api.stores.recipients.suppress_address(member, member.email, bounced)

    [found] = operator.get(UNREACHABLE).json["items"]

    assert (found["member_id"], found["reason"]) == (member.member_id, "bounced")
    assert (found["name"], found["organization"]) == (member.name, PRACTICE.name)


def test_a_member_with_a_new_address_gets_email_again(shared_api, operator):
    """What bounced was the address, not the person."""
    member = shared_api.members["center"]
    complaint = Suppression(SuppressionReason.COMPLAINED, NOON)
    shared_api.stores.recipients.suppress_address(member, "old@harbor.example", complaint)

    assert member.member_id not in operator.get(UNREACHABLE).text


def test_nothing_about_a_patient_is_shown(shared_api, operator):
    """Although there are referrals, notices and deliveries."""
    referral = shared_api.refer()
    shared_api.deliver(referral["referral_id"], "received")
    text = operator.get(OPERATIONS).text + operator.get(UNREACHABLE).text

    assert referral["referral_id"] not in text
    assert referral["patient"]["alias"] not in text
    assert "ref_" not in text
