"""Planned dates: set, moved and canceled by those who may; the order of arrival does not matter."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.domain.referrals.apply_event import decide_event
from chalicelib.domain.referrals.events import Corrected, EventSource, PlanChanged
from chalicelib.domain.referrals.history import replay
from chalicelib.domain.referrals.plan_terms import PlanKind, PlannedDay, VisitMode
from chalicelib.domain.referrals.planned_dates import list_current_plans
from chalicelib.domain.referrals.plans import MAX_REPORTS, NO_PLANS, PlanReport
from chalicelib.domain.referrals.stage_changes import Applied, Recorded, Rejected
from chalicelib.domain.referrals.stages import Actor, Stage
from chalicelib.domain.referrals.worklists import summarize_stage
from tests.support.referral_values import (
    HOUR,
    NOON,
    InMemoryInbox,
    apply_event,
    build_context,
    build_event,
    build_referral,
    build_stage_change,
    get_rejection,
    record_event,
)

DAY = timedelta(days=1)
MARCH_3, MARCH_9 = date(2027, 3, 3), date(2027, 3, 9)
TEN_O_CLOCK = datetime(2027, 3, 3, 15, 0, tzinfo=UTC)
ACCEPTED = build_referral(Stage.ACCEPTED)


def build_plan(on=MARCH_3, at=NOON + HOUR, *, plan=PlanKind.LEUKAPHERESIS, event_id="evt_1", **changed):
    """Build a report of a planned day by the center's people."""
    fields = {"source": EventSource.CENTER} | changed
    return build_event(PlanChanged, at, event_id=event_id, plan=plan, on=on, **fields)


def get_plan(referral, kind=PlanKind.LEUKAPHERESIS):
    """Return a plan that was reported."""
    plan = referral.plans.find(kind)
    assert plan
    return plan


def find_next(referral, *, now=NOON):
    """Find the kind of the next plan."""
    found = summarize_stage(referral).find_next_plan(now=now, time_zone="America/New_York")
    return found.plan if found else None


@pytest.mark.parametrize("kind", PlanKind)
def test_a_planned_date_never_moves_the_stage(kind):
    """The center plans each of the six."""
    planned = apply_event(ACCEPTED, build_plan(plan=kind, place="Building 4", contact="Fictional desk"))

    assert (planned.stage, planned.stage_since) == (ACCEPTED.stage, ACCEPTED.stage_since)
    plan = get_plan(planned, kind)
    assert (plan.day.on, plan.place, plan.contact, plan.moved_from) == (MARCH_3, "Building 4", "Fictional desk", None)


def test_a_moved_date_names_the_date_before():
    """In both orders of arrival."""
    first, second = build_plan(event_id="a"), build_plan(MARCH_9, NOON + DAY, event_id="b")

    for events in permutations([first, second]):
        referral = ACCEPTED
        for event in events:
            referral = InMemoryInbox(referral).receive([event]).referral
        plan = get_plan(referral)
        assert (plan.day.on, plan.moved_from) == (MARCH_9, PlannedDay(None, MARCH_3))


def test_a_late_report_of_a_plan_is_history():
    """An older date does not replace a newer one, and no one is notified of it."""
    planned = apply_event(ACCEPTED, build_plan(MARCH_9, NOON + DAY, event_id="b"))

    late = record_event(planned, build_plan(MARCH_3, event_id="a"))

    assert (get_plan(late).day.on, get_plan(late).moved_from) == (MARCH_9, PlannedDay(None, MARCH_3))


def test_a_new_date_does_not_keep_the_old_place():
    """Otherwise the patient would go to the wrong place. A repeated date keeps it."""
    planned = apply_event(ACCEPTED, build_plan(place="Building 4", mode=VisitMode.IN_PERSON))

    repeated = record_event(planned, build_plan(at=NOON + DAY, event_id="b"))
    moved = apply_event(repeated, build_plan(MARCH_9, NOON + 2 * DAY, event_id="c"))

    assert get_plan(repeated).place == "Building 4"
    assert (get_plan(moved).place, get_plan(moved).mode) == (None, None)


def test_a_canceled_plan_keeps_its_date_and_is_not_the_next_one():
    """It can be planned again; that is not a move."""
    planned = apply_event(ACCEPTED, build_plan())
    canceled = apply_event(planned, build_plan(None, NOON + DAY, event_id="b", canceled=True))
    again = apply_event(canceled, build_plan(MARCH_9, NOON + 2 * DAY, event_id="c"))

    assert (get_plan(canceled).canceled, get_plan(canceled).day.on) == (True, MARCH_3)
    assert (find_next(planned), find_next(canceled)) == (PlanKind.LEUKAPHERESIS, None)
    assert (get_plan(again).canceled, get_plan(again).moved_from) == (False, None)


def test_a_cancellation_without_a_plan_is_recorded():
    """There is nothing to cancel."""
    assert list_current_plans(record_event(ACCEPTED, build_plan(None, canceled=True))) == []


def test_the_practice_plans_only_the_return_and_only_after_the_infusion():
    """Every other date is the center's."""
    infused = build_referral(Stage.INFUSED)

    assert get_rejection(ACCEPTED, build_plan(actor=Actor.PRACTICE)) == "not_your_move"
    assert get_rejection(ACCEPTED, build_plan(plan=PlanKind.RETURN, actor=Actor.PRACTICE)) == "parked"
    returning = apply_event(infused, build_plan(plan=PlanKind.RETURN, actor=Actor.PRACTICE))
    assert get_plan(returning, PlanKind.RETURN).reported_by is Actor.PRACTICE


@pytest.mark.parametrize(
    ("stage", "kind"),
    [
        (Stage.CONSULT_SCHEDULED, PlanKind.CONSULTATION),
        (Stage.APHERESIS_SCHEDULED, PlanKind.LEUKAPHERESIS),
        (Stage.PRODUCT_SHIPPED, PlanKind.DELIVERY),
    ],
)
def test_a_status_brings_its_planned_date(stage, kind):
    """The same fact as a report of the date alone."""
    before = {
        Stage.CONSULT_SCHEDULED: Stage.ACCEPTED,
        Stage.APHERESIS_SCHEDULED: Stage.CENTER_PROCEED,
        Stage.PRODUCT_SHIPPED: Stage.RELEASED,
    }[stage]

    referral = apply_event(build_referral(before), build_stage_change(stage, on=MARCH_3, place="Building 4"))

    assert (referral.stage, get_plan(referral, kind).day.on) == (stage, MARCH_3)


def test_a_repeated_status_with_another_date_is_news():
    """For a system, too, which repeats its status every night. The same date again is a repeat."""
    scheduled = apply_event(ACCEPTED, build_stage_change(Stage.CONSULT_SCHEDULED, event_id="a", starts_at=TEN_O_CLOCK))
    repeat = build_stage_change(Stage.CONSULT_SCHEDULED, NOON + DAY, event_id="b", starts_at=TEN_O_CLOCK)
    plain = build_stage_change(Stage.CONSULT_SCHEDULED, NOON + DAY, event_id="c")
    moved = build_stage_change(Stage.CONSULT_SCHEDULED, NOON + DAY, event_id="d", starts_at=TEN_O_CLOCK + HOUR)

    assert isinstance(decide_event(scheduled, repeat, build_context()), Recorded)
    assert isinstance(decide_event(scheduled, plain, build_context()), Recorded)
    plan = get_plan(apply_event(scheduled, moved), PlanKind.CONSULTATION)
    assert (plan.day.starts_at, plan.moved_from) == (TEN_O_CLOCK + HOUR, PlannedDay(TEN_O_CLOCK, None))


def test_a_plan_is_done_when_its_step_is_reported():
    """A plan that is made after that belongs to the next time, such as a second leukapheresis."""
    scheduled = apply_event(
        build_referral(Stage.CENTER_PROCEED), build_stage_change(Stage.APHERESIS_SCHEDULED, event_id="a", on=MARCH_3)
    )
    done = apply_event(scheduled, build_stage_change(Stage.APHERESIS_COMPLETED, NOON + DAY, event_id="b"))
    again = apply_event(done, build_plan(MARCH_9, NOON + 2 * DAY, event_id="c"))

    assert (find_next(scheduled), find_next(done), find_next(again)) == (
        PlanKind.LEUKAPHERESIS,
        None,
        PlanKind.LEUKAPHERESIS,
    )


def test_the_next_plan_is_the_earliest_of_today_or_later():
    """The day is the center's: 9 pm in New York is tomorrow in UTC."""
    planned = apply_event(ACCEPTED, build_plan(MARCH_9, event_id="a"))
    planned = apply_event(planned, build_plan(plan=PlanKind.CONSULTATION, event_id="b"))
    evening = datetime(2027, 3, 4, 2, 0, tzinfo=UTC)

    assert find_next(planned) is find_next(planned, now=evening) is PlanKind.CONSULTATION
    assert find_next(planned, now=evening + DAY) is PlanKind.LEUKAPHERESIS
    assert find_next(planned, now=evening + 7 * DAY) is None


@pytest.mark.parametrize("stage", [Stage.DECLINED, Stage.DECEASED])
def test_an_ending_cancels_all_plans(stage):
    """Nothing planned is shown, and no plan can be added."""
    ended = apply_event(apply_event(ACCEPTED, build_plan()), build_stage_change(stage, NOON + DAY, event_id="b"))

    assert (list_current_plans(ended), find_next(ended)) == ([], None)
    assert get_rejection(ended, build_plan(at=NOON + 2 * DAY, event_id="c")) == "referral_closed"
    late = record_event(ended, build_plan(MARCH_9, NOON + 2 * HOUR, event_id="d"))
    assert list_current_plans(late) == []


def test_a_plan_of_a_draft_waits_for_the_submission():
    """The center cannot see a draft."""
    assert get_rejection(build_referral(Stage.DRAFT), build_plan()) == "parked"


@pytest.mark.parametrize(
    ("fields", "code", "pointer"),
    [
        ({"on": NOON.date() - 2 * DAY}, "planned_before_referral", "/data/on"),
        ({"on": None, "starts_at": NOON - 2 * DAY}, "planned_before_referral", "/data/starts_at"),
        (
            {"on": None, "starts_at": datetime.fromisoformat("2027-03-14T02:30:00-05:00")},
            "no_such_hour",
            "/data/starts_at",
        ),
    ],
)
def test_an_impossible_date_is_refused_with_its_field(fields, code, pointer):
    """The clocks in New York go from 2 to 3 am on March 14, 2027."""
    refused = decide_event(ACCEPTED, build_plan(**fields), build_context(time_zone="America/New_York"))

    assert isinstance(refused, Rejected)
    assert (refused.code, refused.pointer) == (code, pointer)


@pytest.mark.parametrize("written", ["2027-03-14T02:30:00Z", "2027-03-14T03:30:00-04:00", "2027-11-07T01:30:00-05:00"])
def test_an_hour_that_exists_is_accepted(written):
    """In UTC, after the change, and in the hour that comes twice."""
    event = build_plan(None, starts_at=datetime.fromisoformat(written))

    assert isinstance(decide_event(ACCEPTED, event, build_context(time_zone="America/New_York")), Applied)


def test_a_plan_that_was_reported_in_error_is_taken_back():
    """The replay counts only what remains."""
    history = [
        build_stage_change(Stage.SUBMITTED, NOON, event_id="evt_0", actor=Actor.PRACTICE, source=EventSource.PRACTICE),
        build_plan(event_id="evt_a"),
        build_plan(MARCH_9, NOON + 2 * HOUR, event_id="evt_b"),
    ]
    inbox = InMemoryInbox(build_referral(Stage.DRAFT)).receive(history)

    inbox.receive([build_event(Corrected, NOON + DAY, event_id="evt_c", supersedes="evt_b", source=EventSource.CENTER)])

    assert (inbox.rejected, inbox.parked) == ([], [])
    assert (get_plan(inbox.referral).day.on, get_plan(inbox.referral).moved_from) == (MARCH_3, None)
    assert replay(inbox.referral, inbox.history, build_context()).plans == inbox.referral.plans != NO_PLANS


def test_the_state_keeps_the_newest_reports_of_each_plan():
    """So a system that sends its plans every night does not fill the row."""
    plans = NO_PLANS
    for n in range(MAX_REPORTS + 5):
        order = replace(build_plan(), occurred_at=NOON + n * HOUR, event_id=f"evt_{n:03d}").order
        plans = plans.with_report(
            PlanReport(order=order, by=Actor.CENTER, plan=PlanKind.INFUSION, on=MARCH_3 + timedelta(days=n))
        )

    found = plans.find(PlanKind.INFUSION)
    assert len(plans.reports) == MAX_REPORTS
    assert found
    assert found.day.on == MARCH_3 + timedelta(days=MAX_REPORTS + 4)


@st.composite
def plan_histories(draw):
    """A consultation that is scheduled, and reports of plans around it, also at the same time."""
    events = [build_stage_change(Stage.CONSULT_SCHEDULED, NOON + 5 * HOUR, event_id="evt_s", starts_at=TEN_O_CLOCK)]
    for n in range(draw(st.integers(1, 7))):
        at = NOON + timedelta(hours=draw(st.integers(1, 60)))
        is_canceled = draw(st.booleans())
        on = None if is_canceled else draw(st.sampled_from([MARCH_3, MARCH_9]))
        kind = draw(st.sampled_from([PlanKind.CONSULTATION, PlanKind.LEUKAPHERESIS]))
        place = None if is_canceled else draw(st.sampled_from([None, "Building 4"]))
        source = draw(st.sampled_from([EventSource.CENTER, EventSource.CENTER_FEED]))
        event_id = f"evt_{draw(st.integers(0, 9))}{n}"
        events.append(
            build_plan(on, at, plan=kind, event_id=event_id, canceled=is_canceled, place=place, source=source)
        )
    return events


@settings(max_examples=300)
@given(history=plan_histories(), data=st.data())
def test_plans_are_the_same_in_every_order_of_arrival(history, data):
    """And so does the replay of the whole history."""
    in_order = InMemoryInbox(ACCEPTED).receive(sorted(history, key=lambda event: event.order))

    shuffled = InMemoryInbox(ACCEPTED).receive(data.draw(st.permutations(history)))

    assert (in_order.parked, in_order.rejected, shuffled.parked, shuffled.rejected) == ([], [], [], [])
    assert shuffled.referral.plans == in_order.referral.plans
    assert shuffled.referral.stage is in_order.referral.stage is Stage.CONSULT_SCHEDULED
