"""A slice of each search about state, small enough for every run of the tests."""

import random

import pytest

from chalicelib.domain.platform.ids import derive_id
from chalicelib.services.notices.send_mail import MAX_SINGLE_MAILS
from tests.simulation import crowds, deliveries, faults, writers
from tests.simulation.every_flow import FLOWS
from tests.simulation.flows import Scene, SubmitReferral
from tests.simulation.proof_world import open_proof_world
from tests.simulation.scenarios import ScenarioResult, ScenarioRunner
from tests.simulation.section_protocol import LOCAL_CLOUD, Budget, SectionResult
from tests.support.faults import CallLog, FaultMode


@pytest.fixture(scope="module")
def world():
    """One world on the local cloud for the slices."""
    with open_proof_world(LOCAL_CLOUD) as made:
        yield made


def test_20_000_deliveries_in_any_order_end_as_in_order():
    """And the order of arrival does matter to a handler that takes the last one."""
    found = deliveries.check_in_memory(deliveries.DeliveryPart(7, 20_000, ""))

    assert found.wrong == []
    assert found.naive > 1000


@pytest.mark.parametrize("flow", FLOWS)
def test_some_pairs_of_faults_lose_nothing(world, flow):
    """Some of each flow, drawn; all of them are for `make simulation`."""
    world.start_over()
    theater = ScenarioRunner(world, FLOWS[flow], cold=False)
    # Creates what only the very first run has to.
    theater.play()
    drawn = random.Random(flow)  # noqa: S311 to be repeated
    firsts = list(faults._each(theater.play().runs[0].operations))
    for first, mode in drawn.sample(firsts, 3):
        pairs = faults.list_fault_pairs(theater, first, mode)
        for pair in drawn.sample(pairs, min(2, len(pairs))):
            theater.play(*pair)

    assert theater.find_violations() == []


def test_a_read_that_changes_what_comes_after_it_is_found_out(world):
    """Faults on reads are left out of pairs, because a retry makes no difference."""
    result = ScenarioResult(Scene(world, "read"), [{1: FaultMode.THROTTLE}])
    result.runs.append(CallLog(["GetItem", "GetItem", "PutItem"]))

    faults._look_at_reads(result, 0, ["GetItem", "PutItem"])
    assert result.trouble == []

    faults._look_at_reads(result, 0, ["GetItem", "Query", "PutItem"])
    assert result.trouble == ["a read that was asked again changed the run"]


def test_a_naive_handler_is_found_out(world):
    """The reply to its mark is lost, and with it the event."""
    theater = ScenarioRunner(world, faults.UnsafeIntake(), cold=False)
    theater.play({1: FaultMode.LOST_REPLY})

    [wrong] = theater.find_violations()
    assert "mail lost" in wrong


class Later(SubmitReferral):
    """A flow that runs after others."""

    name = "later"


def test_what_was_left_to_be_done_before_is_not_due_in_a_scenario(world):
    """Its email would be merged with theirs, if there were enough."""
    for n in range(MAX_SINGLE_MAILS):
        world.driver.refer(f"ref_left_{n}", key=f"key-left-{n}")
    theater = ScenarioRunner(world, Later(), cold=False)

    theater.play()

    assert theater.find_violations() == []


def test_eight_writers_at_once_lose_nothing(world, monkeypatch):
    """Each writer gets the truth, and the versions have no gap."""
    monkeypatch.setattr(writers, "OPERATIONS", 5)
    service_driver = world.driver
    ids = [derive_id("ref", f"slice {n}") for n in range(2)]

    logs = writers.run_writers(service_driver, ids, seed=1)

    assert sum(len(log.answered) for log in logs) > 20
    assert writers.find_violations(service_driver, ids, logs) == []


@pytest.mark.parametrize(("number", "share"), [(1, 0.0), (2, 0.0), (3, 0.1), (4, 0.1), (5, 0.1)])
def test_runs_at_once_with_threads_send_each_notice(world, number, share):
    """Once without faults. With them none is lost, and the faults explain every copy."""
    assert crowds.play_round(world, f"crowd slice {number}", crowds.draw_faults(number, share=share)) == []


def test_the_checker_of_histories_finds_a_lost_answer(world):
    """An event that is not stored although the response said that it was applied."""
    service_driver = world.driver
    service_driver.refer("ref_lost", key="key-lost")
    log = writers.WriterLog(answered=[("ref_lost", "evt_lost")])

    assert writers.find_violations(service_driver, ["ref_lost"], [log]) == [
        "evt_lost was answered and is not in the history"
    ]


def test_a_promise_that_was_not_tried_does_not_hold():
    """Nor one with a counterexample."""
    assert SectionResult(claim="", tries=1).holds
    assert not SectionResult(claim="", tries=0).holds
    assert not SectionResult(claim="", tries=1, counterexamples=["one"]).holds


def test_a_share_of_a_search_is_never_nothing():
    """However small."""
    assert Budget(share=0.0001).scale(100) == 1
    assert Budget(share=1).scale(100) == 100
