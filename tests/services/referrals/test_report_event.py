"""A center's feed moves a referral: what is written, what is answered, what a repeat finds."""

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.domain.notices.tasks import TaskQueue
from chalicelib.domain.referrals.stages import Actor, Stage
from chalicelib.errors import ConflictError
from chalicelib.services.referrals import report_event as journey
from tests.support import faults
from tests.support import stores as shelves
from tests.support.factories import OTHER_CENTER
from tests.support.referral_values import build_stage_change
from tests.support.service_driver import MINUTE, STAGES_TO_LYMPHODEPLETION


def stages_of(desk):
    """The timeline as stages with what became of each."""
    return [(event.event.stage.value, event.status.value) for event in desk.list_events()]


def test_a_delivery_moves_the_referral(submitted_services):
    """Applied, and told so with the stage it now stands at."""
    outcome = submitted_services.deliver("received")

    assert (outcome.status, outcome.stage) == ("applied", "received")
    assert submitted_services.get_referral().stage is Stage.RECEIVED
    assert stages_of(submitted_services) == [("submitted", "applied"), ("received", "applied")]


def test_everything_that_belongs_to_a_move_is_written_at_once(submitted_services):
    """One transaction: receipt, referral, event, audit row and what follows from it."""
    submitted_services.deliver("received")
    warm = submitted_services

    with faults.inject_faults(faults.plan_never) as calls:
        warm.deliver("accepted", at=submitted_services.now + MINUTE)

    assert calls.operations == ["Query", "TransactWriteItems"]


def test_the_same_delivery_again_is_a_duplicate(submitted_services):
    """Said again as it was answered, and nothing is written."""
    first = submitted_services.deliver("received", webhook_id="msg-1")
    before = shelves.dump_tables()

    again = submitted_services.deliver("received", webhook_id="msg-1")

    # A data key may be made for what would have been parked; nothing is sealed with it.
    assert again == replace(first, status="duplicate")
    assert shelves.dump_tables() | {"keys": []} == before | {"keys": []}


def test_an_id_with_another_body_is_refused(submitted_services):
    """The first delivery stands."""
    submitted_services.deliver("received", webhook_id="msg-1", body=b"{}")

    with pytest.raises(ConflictError) as refusal:
        submitted_services.deliver("received", webhook_id="msg-1", body=b"[]")

    assert refusal.value.code == "webhook_id_reused"
    assert stages_of(submitted_services)[1:] == [("received", "applied")]


def test_a_late_delivery_is_recorded(submitted_services):
    """History with its date; the stage stays, and nobody is told of it."""
    submitted_services.deliver("accepted", at=submitted_services.now + MINUTE)
    tasks = len(shelves.list_task_rows())

    outcome = submitted_services.deliver("received")

    assert (outcome.status, outcome.stage) == ("recorded", "accepted")
    assert stages_of(submitted_services) == [
        ("submitted", "applied"),
        ("received", "recorded"),
        ("accepted", "applied"),
    ]
    assert len(shelves.list_task_rows()) == tasks


def test_a_recorded_delivery_again_is_a_duplicate(submitted_services):
    """As with one that was applied."""
    submitted_services.deliver("accepted", at=submitted_services.now + MINUTE)
    submitted_services.deliver("received", webhook_id="msg-1")

    assert submitted_services.deliver("received", webhook_id="msg-1").status == "duplicate"
    assert len(submitted_services.list_events()) == 3


@pytest.mark.parametrize("times", [1, 3])
def test_what_can_never_be_legal_is_refused_and_stays_refused(submitted_services, times):
    """The same answer each time, one row in the log, one in the audit."""
    submitted_services.move_to("declined")
    at = submitted_services.now + MINUTE
    codes = []
    for _ in range(times):
        with pytest.raises(ConflictError) as refusal:
            submitted_services.deliver("accepted", webhook_id="msg-late", at=at)
        codes.append(refusal.value.code)

    logged = [row for row in shelves.list_rows("deliveries") if row["webhook_id"] == "msg-late"]
    audited = [row for row in shelves.list_rows("audit") if row["outcome"] == "referral_closed"]
    assert codes == ["referral_closed"] * times
    assert [(row["status"], row["code"]) for row in logged] == [("refused", "referral_closed")]
    assert len(audited) == 1


def test_a_centers_feed_does_not_withdraw(submitted_services):
    """The practice's move, whoever signs."""
    with pytest.raises(ConflictError) as refusal:
        submitted_services.deliver("withdrawn")

    assert refusal.value.code == "not_your_move"
    assert submitted_services.get_referral().stage is Stage.SUBMITTED


def test_a_foreign_center_is_answered_as_if_there_were_nothing(submitted_services):
    """The same words for another center's referral and for none at all, and no effect."""
    foreign = submitted_services.deliver("accepted", center=OTHER_CENTER, webhook_id="a")
    unknown = submitted_services.deliver("accepted", center=OTHER_CENTER, webhook_id="b", referral_id="ref_unknown")

    same = {"referral_id": "ref_1", "event_id": foreign.event_id}
    assert replace(unknown, **same) == foreign
    assert (foreign.status, foreign.stage) == ("parked", None)
    assert submitted_services.get_referral().stage is Stage.SUBMITTED
    assert len(submitted_services.list_events()) == 1


def test_a_foreign_delivery_never_applies(submitted_services):
    """Not when the referral moves on, and not when it is looked at again."""
    submitted_services.deliver("received", center=OTHER_CENTER, webhook_id="a")
    submitted_services.move_to("received", "accepted")

    settled = journey.apply_parked("ref_1", context=submitted_services.context)

    assert settled == 0
    assert submitted_services.list_parked_stages() == ["received"]
    assert {e.event.actor_id for e in submitted_services.list_events()[1:]} == {"feed:ctr_harbor"}


def test_a_draft_that_names_a_center_is_nothing_to_it(services):
    """What was not submitted is not there for the center."""
    services.refer(submit=False)

    assert services.deliver("received").status == "parked"
    assert services.get_referral().stage is Stage.DRAFT


def test_a_center_cannot_use_up_anothers_ids(submitted_services):
    """An id that a stranger sent first still moves the referral of whom it belongs to."""
    submitted_services.deliver("received", center=OTHER_CENTER, webhook_id="msg-1")

    assert submitted_services.deliver("received", webhook_id="msg-1").status == "applied"


@pytest.mark.parametrize(("product_id", "parts"), [("breyanzi", 1), ("aucatzyl", 2), (None, 3)])
def test_a_dose_of_any_parts_leads_to_monitoring(services, product_id, parts):
    """Nine days apart, with the daily job running: only the last part is followed by monitoring."""
    services.refer(product_id=product_id)
    services.move_to(*STAGES_TO_LYMPHODEPLETION)
    between = set()
    for part in range(1, parts + 1):
        services.now += timedelta(days=9)
        services.run_queue(TaskQueue.PLAN)
        between.add(services.get_referral().stage)
        assert services.deliver("infused", part=part, of=parts).status == "applied"

    services.run_queue(TaskQueue.PLAN, now=services.now + timedelta(days=1, hours=12))

    assert between <= {Stage.LYMPHODEPLETION_STARTED, Stage.INFUSED}
    assert services.get_referral().stage is Stage.MONITORING
    assert services.get_referral().window is not None


def test_the_product_makes_no_move_that_makes_no_sense(submitted_services):
    """Of a referral that is not there, or that is not where it thought: nothing is written."""
    before = shelves.dump_tables()
    change = build_stage_change(Stage.MONITORING, submitted_services.now, referral_id="ref_1", actor=Actor.SYSTEM)
    moved = [
        journey.report_by_system(told, context=submitted_services.context)
        for told in (change, replace(change, referral_id="ref_unknown"))
    ]

    assert moved == [False, False]
    assert shelves.dump_tables() == before
