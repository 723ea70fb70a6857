"""Inject each fault at each AWS call of a move, of a requested check and of its answer, then repeat.

Whatever failed, the coverage moved once in the end, and its parts say the same.
"""

from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from chalicelib.domain.coverage.checks import CheckState
from chalicelib.domain.coverage.moves import MoveName
from chalicelib.domain.coverage.rows import AttemptFailure, Exchange, FailureKind
from chalicelib.domain.platform.rate_limit import RateLimit
from chalicelib.domain.referrals.coverage_status import VerificationState
from chalicelib.errors import PreconditionFailedError, UnavailableError
from chalicelib.services.coverage import checks
from chalicelib.services.coverage.ask_payer import ask_payer
from chalicelib.services.coverage.checks import NewCheck, build_attempt_task
from chalicelib.services.coverage.moves import record_elapsed_dates, record_move
from chalicelib.settings import SettingsError
from chalicelib.store.platform.idempotency import StoredResponse
from tests.support import faults
from tests.support import stores as store_tools
from tests.support.coverage_values import build_facts
from tests.support.factories import PRACTICE, build_member
from tests.support.faults import FaultMode
from tests.support.payer_answers import PAYER, a_row, an_answer

MEMBER = build_member(PRACTICE)
SINGLE_FAULTS = (FaultMode.CRASH_BEFORE, FaultMode.CRASH_AFTER, FaultMode.LOST_REPLY)


@pytest.fixture(autouse=True)
def _generous_limit(monkeypatch):
    """One member requests more checks here than in any clinic."""
    monkeypatch.setattr(checks, "COVERAGE_CHECKS_PER_MEMBER", RateLimit(10_000, 100))


@dataclass
class AnsweringPayer:
    """A gateway to one payer that answers every question at once."""

    asked: int = 0

    def list_payers(self):
        return (PAYER,)

    def open_connection(self, _payer):
        return self

    def ask(self, question, *, ids):
        self.asked += 1
        answer = an_answer(a_row("1", "30"), a_row("CB", "78", authorization="Y"), trace_id=question.trace_id)
        return Exchange(outcome=replace(answer, answered_at=ids.sent_at), sent=b"asked", received=b"answered")


def list_plans(total):
    """A plan for each fault at each call, by name."""
    for number in range(1, total + 1):
        for mode in SINGLE_FAULTS:
            yield f"{number}-{mode}", faults.plan_fault_at(number, mode)


def count_calls(flow):
    with faults.inject_faults(faults.plan_never) as calls:
        flow()
    return len(calls.operations)


def repeat_after(plan, flow):
    """Run a flow with a fault, and again if it did not end."""
    with faults.inject_faults(plan) as calls:
        try:
            flow()
        except (faults.SimulatedCrash, UnavailableError):
            pass
        else:
            return calls.count_faults
    flow()
    return calls.count_faults


def record(services, referral_id, **changed):
    """Record a result as a person does, who reads the coverage again after a lost response."""
    facts = build_facts("result_recorded", today=services.now.date(), authorization="required", **changed)
    try:
        record_move(
            referral_id,
            MoveName.RESULT_RECORDED,
            facts,
            version=0,
            member=MEMBER,
            context=services.restart().context,
        )
    except PreconditionFailedError:
        assert read_track(services, referral_id).version == 1


def request(services, referral_id):
    """Request a check with the key of the first try."""
    new = NewCheck(check_id=f"chk_{referral_id}", trace_id="C5F0A1", list_payers=lambda: (PAYER,))
    return checks.request_check(
        referral_id,
        new,
        member=MEMBER,
        request=services.build_request(MEMBER, f"POST {referral_id}", f"check-{referral_id}"),
        build_response=lambda check, status: StoredResponse(status=status, headers={}, body={"id": check.check_id}),
        context=services.restart().context,
    )


def answer(services, referral_id, payer):
    """Run the attempt that is planned, a second after the one before: a payer limits how often it is asked."""
    services.now += timedelta(seconds=1)
    fresh = services.restart()
    check = read_check(services, referral_id)
    task = build_attempt_task(referral_id, check, due_at=services.now)
    return ask_payer(task, context=replace(fresh.build_job_context(), payers=payer))


def read_track(services, referral_id):
    return services.stores.coverage_tracks.get(referral_id, scope=PRACTICE.tenant_id)


def read_check(services, referral_id):
    [check] = services.stores.coverage_checks.list_for_referral(referral_id, scope=PRACTICE.tenant_id)
    return check


def list_moves(services, referral_id):
    """The moves of the history and of the timeline; they must be the same."""
    changes, _ = services.stores.coverage_tracks.list_changes(referral_id, scope=PRACTICE.tenant_id, limit=100)
    events = [e.event for e in services.list_events(referral_id) if e.event.type == "coverage.changed"]
    assert sorted(change.move for change in changes) == sorted(event.move for event in events)
    assert services.get_referral(referral_id).coverage == read_track(services, referral_id).status
    return sorted(change.move for change in changes)


def play_with_faults(services, flow, *, before=None):
    """Run a flow with each fault at each of its calls, each on a referral of its own. Return their ids."""

    def prepare(name):
        services.refer(name, key=f"key-{name}")
        if before:
            before(name)

    prepare("ref_first")
    flow("ref_first")
    prepare("ref_count")
    names = []
    for name, plan in list_plans(count_calls(lambda: flow("ref_count"))):
        prepare(f"ref_{name}")
        assert repeat_after(plan, lambda name=name: flow(f"ref_{name}")), name
        names.append(f"ref_{name}")
    return names


def test_a_move_is_recorded_once_despite_any_fault(services):
    """With its history, its event and what follows from it."""
    names = play_with_faults(services, lambda name: record(services, name))

    moves = {name: list_moves(services, name) for name in names}
    assert {tuple(each) for each in moves.values()} == {("authorization_required", "result_recorded")}


def test_a_check_is_requested_once_despite_any_fault(services):
    """One check, one lock, one task and one move."""
    names = play_with_faults(services, lambda name: request(services, name))

    assert {tuple(list_moves(services, name)) for name in names} == {("verification_requested",)}
    tasks = [row["referral_id"] for row in store_tools.list_task_rows() if row["rule"] == "ask_payer"]
    assert sorted(tasks) == sorted([*names, "ref_first", "ref_count"])
    assert {read_check(services, name).state for name in names} == {CheckState.REQUESTED}


def test_an_answer_is_applied_once_despite_any_fault(services):
    """The payer may be asked twice, because a question changes nothing there."""
    payer = AnsweringPayer()
    names = play_with_faults(
        services, lambda name: answer(services, name, payer), before=lambda name: request(services, name)
    )

    assert {read_check(services, name).state for name in names} == {CheckState.COMPLETED}
    expected = ("authorization_required", "result_recorded", "verification_requested")
    assert {tuple(list_moves(services, name)) for name in names} == {expected}
    assert payer.asked >= len(names)


class SilentPayer(AnsweringPayer):
    """A gateway to a payer that takes a question and does not answer."""

    def ask(self, question, *, ids):
        failure = AttemptFailure(kind=FailureKind.RETRY, reason="timeout", sentence="The payer did not answer.")
        return Exchange(outcome=failure, sent=f"{question.trace_id} {ids.control_number}".encode())


def test_an_attempt_without_an_answer_counts_once_despite_any_fault(services):
    """The coverage says once that the payer was asked, and the next attempt is planned once."""

    def request_while_the_breaker_is_closed(name):
        services.stores.payer_states.record_response(PAYER.payer_id)
        request(services, name)

    names = play_with_faults(
        services, lambda name: answer(services, name, SilentPayer()), before=request_while_the_breaker_is_closed
    )

    assert {tuple(list_moves(services, name)) for name in names} == {("verification_requested", "verification_started")}
    # After a lost reply of the commit, the repeat here is the next attempt.
    assert {read_check(services, name).attempts for name in names} <= {1, 2}


class BrokenPayer(AnsweringPayer):
    """A gateway whose connection has a fault of ours."""

    def ask(self, question, *, ids):
        raise KeyError(question.trace_id, ids.payload_id)


class MisconfiguredPayers(AnsweringPayer):
    """A gateway whose configuration cannot be read."""

    def list_payers(self):
        raise SettingsError("payer 1: address has a host")


@pytest.mark.parametrize("gateway", [BrokenPayer, MisconfiguredPayers])
def test_a_fault_of_ours_keeps_the_request_open(services, gateway):
    """It is tried again, and answered when the fault is gone."""
    services.refer("ref_1")
    request(services, "ref_1")

    answer(services, "ref_1", gateway())

    assert (read_check(services, "ref_1").state, read_check(services, "ref_1").attempts) == (CheckState.REQUESTED, 1)
    answer(services, "ref_1", AnsweringPayer())
    assert read_check(services, "ref_1").state is CheckState.COMPLETED


def test_a_check_in_a_new_plan_year_counts_although_no_job_has_recorded_the_year(services):
    """The request records that the plan changed, so the answer is about the new plan."""
    services.refer("ref_1")
    record(services, "ref_1", plan_year="calendar", valid_until=...)
    services.now = services.now.replace(year=services.now.year + 1, month=1, day=2)

    request(services, "ref_1")
    record_elapsed_dates("ref_1", context=services.restart().context)
    answer(services, "ref_1", AnsweringPayer())

    assert not read_check(services, "ref_1").filed
    assert read_track(services, "ref_1").status.verification is VerificationState.VERIFIED


def test_faults_of_ours_do_not_keep_other_checks_from_the_payer(services):
    """The circuit breaker is about the payer."""
    services.refer("ref_1")
    request(services, "ref_1")
    for _ in range(6):
        answer(services, "ref_1", BrokenPayer())

    services.refer("ref_2", key="key-2")
    request(services, "ref_2")
    answer(services, "ref_2", AnsweringPayer())

    assert read_check(services, "ref_2").state is CheckState.COMPLETED


def test_a_check_that_no_worker_ran_for_a_day_ends_and_keeps_no_one_away(services):
    """The lease ends, and a new check begins."""
    services.refer("ref_1")
    request(services, "ref_1")
    services.now += timedelta(hours=30)

    answer(services, "ref_1", AnsweringPayer())

    assert read_check(services, "ref_1").state is CheckState.FAILED
    holder = services.stores.coverage_checks.find_lock_holder("ref_1", PAYER.payer_id, now=services.now)
    assert holder is None
