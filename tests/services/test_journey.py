"""A center's feed moves a referral: what is written, what is answered, what a repeat finds."""

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.domain.notices.notice_rules import Lane
from chalicelib.domain.referrals.stages import Actor, Stage
from chalicelib.errors import RefusedError
from chalicelib.services.referrals import report_event as journey
from tests.support import faults, shelves
from tests.support.desk import MINUTE, TO_CONDITIONED
from tests.support.factories import (
    OTHER_CENTER,
)
from tests.support.journey import a_change


def stages_of(desk):
    """The timeline as stages with what became of each."""
    return [(event.event.stage.value, event.status.value) for event in desk.events()]


def test_a_delivery_moves_the_referral(referred):
    """Applied, and told so with the stage it now stands at."""
    outcome = referred.deliver("received")

    assert (outcome.status, outcome.stage) == ("applied", "received")
    assert referred.referral().stage is Stage.RECEIVED
    assert stages_of(referred) == [("submitted", "applied"), ("received", "applied")]


def test_everything_that_belongs_to_a_move_is_written_at_once(referred):
    """One transaction: receipt, referral, event, audit row and what follows from it."""
    referred.deliver("received")
    warm = referred

    with faults.injected(faults.never) as calls:
        warm.deliver("accepted", at=referred.now + MINUTE)

    assert calls.operations == ["Query", "TransactWriteItems"]


def test_the_same_delivery_again_is_a_duplicate(referred):
    """Said again as it was answered, and nothing is written."""
    first = referred.deliver("received", webhook_id="msg-1")
    before = shelves.dump()

    again = referred.deliver("received", webhook_id="msg-1")

    # A data key may be made for what would have been parked; nothing is sealed with it.
    assert again == replace(first, status="duplicate")
    assert shelves.dump() | {"keys": []} == before | {"keys": []}


def test_an_id_with_another_body_is_refused(referred):
    """The first delivery stands."""
    referred.deliver("received", webhook_id="msg-1", body=b"{}")

    with pytest.raises(RefusedError) as refusal:
        referred.deliver("received", webhook_id="msg-1", body=b"[]")

    assert refusal.value.code == "webhook_id_reused"
    assert stages_of(referred)[1:] == [("received", "applied")]


def test_a_late_delivery_is_recorded(referred):
    """History with its date; the stage stays, and nobody is told of it."""
    referred.deliver("accepted", at=referred.now + MINUTE)
    tasks = len(shelves.tasks())

    outcome = referred.deliver("received")

    assert (outcome.status, outcome.stage) == ("recorded", "accepted")
    assert stages_of(referred) == [
        ("submitted", "applied"),
        ("received", "recorded"),
        ("accepted", "applied"),
    ]
    assert len(shelves.tasks()) == tasks


def test_a_recorded_delivery_again_is_a_duplicate(referred):
    """As with one that was applied."""
    referred.deliver("accepted", at=referred.now + MINUTE)
    referred.deliver("received", webhook_id="msg-1")

    assert referred.deliver("received", webhook_id="msg-1").status == "duplicate"
    assert len(referred.events()) == 3


@pytest.mark.parametrize("times", [1, 3])
def test_what_can_never_be_legal_is_refused_and_stays_refused(referred, times):
    """The same answer each time, one row in the log, one in the audit."""
    referred.move_to("declined")
    at = referred.now + MINUTE
    codes = []
    for _ in range(times):
        with pytest.raises(RefusedError) as refusal:
            referred.deliver("accepted", webhook_id="msg-late", at=at)
        codes.append(refusal.value.code)

    logged = [row for row in shelves.rows("deliveries") if row["webhook_id"] == "msg-late"]
    audited = [row for row in shelves.rows("audit") if row["outcome"] == "referral_closed"]
    assert codes == ["referral_closed"] * times
    assert [(row["status"], row["code"]) for row in logged] == [("refused", "referral_closed")]
    assert len(audited) == 1


def test_a_centers_feed_does_not_withdraw(referred):
    """The practice's move, whoever signs."""
    with pytest.raises(RefusedError) as refusal:
        referred.deliver("withdrawn")

    assert refusal.value.code == "not_your_move"
    assert referred.referral().stage is Stage.SUBMITTED


def test_a_foreign_center_is_answered_as_if_there_were_nothing(referred):
    """The same words for another center's referral and for none at all, and no effect."""
    foreign = referred.deliver("accepted", center=OTHER_CENTER, webhook_id="a")
    unknown = referred.deliver(
        "accepted", center=OTHER_CENTER, webhook_id="b", referral_id="ref_unknown"
    )

    same = {"referral_id": "ref_1", "event_id": foreign.event_id}
    assert replace(unknown, **same) == foreign
    assert (foreign.status, foreign.stage) == ("parked", None)
    assert referred.referral().stage is Stage.SUBMITTED
    assert len(referred.events()) == 1


def test_a_foreign_delivery_never_applies(referred):
    """Not when the referral moves on, and not when it is looked at again."""
    referred.deliver("received", center=OTHER_CENTER, webhook_id="a")
    referred.move_to("received", "accepted")

    settled = journey.settle("ref_1", stores=referred.stores, now=referred.now)

    assert settled == 0
    assert referred.waiting() == ["received"]
    assert {e.event.actor_id for e in referred.events()[1:]} == {"feed:ctr_harbor"}


def test_a_draft_that_names_a_center_is_nothing_to_it(desk):
    """What was not submitted is not there for the center."""
    desk.refer(submit=False)

    assert desk.deliver("received").status == "parked"
    assert desk.referral().stage is Stage.DRAFT


def test_a_center_cannot_use_up_anothers_ids(referred):
    """An id that a stranger sent first still moves the referral of whom it belongs to."""
    referred.deliver("received", center=OTHER_CENTER, webhook_id="msg-1")

    assert referred.deliver("received", webhook_id="msg-1").status == "applied"


@pytest.mark.parametrize(("product_id", "parts"), [("breyanzi", 1), ("aucatzyl", 2), (None, 3)])
def test_a_dose_of_any_parts_leads_to_monitoring(desk, product_id, parts):
    """Nine days apart, with the daily job running: only the last part is followed by monitoring."""
    desk.refer(product_id=product_id)
    desk.move_to(*TO_CONDITIONED)
    between = set()
    for part in range(1, parts + 1):
        desk.now += timedelta(days=9)
        desk.work_off(Lane.PLAN)
        between.add(desk.referral().stage)
        assert desk.deliver("infused", part=part, of=parts).status == "applied"

    desk.work_off(Lane.PLAN, now=desk.now + timedelta(days=1, hours=12))

    assert between <= {Stage.LYMPHODEPLETION_STARTED, Stage.INFUSED}
    assert desk.referral().stage is Stage.MONITORING
    assert desk.referral().window is not None


def test_the_product_makes_no_move_that_makes_no_sense(referred):
    """Of a referral that is not there, or that is not where it thought: nothing is written."""
    before = shelves.dump()
    change = a_change(Stage.MONITORING, referred.now, referral_id="ref_1", actor=Actor.SYSTEM)
    moved = [
        journey.report_by_system(told, stores=referred.stores, now=referred.now)
        for told in (change, replace(change, referral_id="ref_unknown"))
    ]

    assert moved == [False, False]
    assert shelves.dump() == before
