"""Adverse events, relapse and bridging therapy: when they count, and that the order of arrival does not matter."""

from dataclasses import replace
from datetime import timedelta
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.domain.referrals.adverse_events import AdverseEventKind, AdverseEventStatus
from chalicelib.domain.referrals.care_reports import MAX_REPORTS
from chalicelib.domain.referrals.care_terms import BridgingStatus, BridgingTeam, DiseaseResponse, RelapseStatus
from chalicelib.domain.referrals.events import (
    AdverseEventReported,
    BridgingReported,
    Corrected,
    EventSource,
    RelapseReported,
    ToxicityNoticed,
)
from chalicelib.domain.referrals.history import replay
from chalicelib.domain.referrals.stages import Actor, Stage
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
INFUSED = build_referral(Stage.INFUSED)


def build_adverse_event(kind=AdverseEventKind.CRS, at=NOON + HOUR, *, event_id="evt_1", **changed):
    """Build a report of an adverse event by the center's people."""
    fields = {"source": EventSource.CENTER} | changed
    return build_event(AdverseEventReported, at, event_id=event_id, kind=kind, **fields)


def list_states(referral):
    """List each reported kind with its grade, its start and whether it is open."""
    return [
        (event.kind.value, event.grade, event.since, event.is_open) for event in referral.care.list_adverse_events()
    ]


@pytest.mark.parametrize("actor", [Actor.PRACTICE, Actor.CENTER])
@pytest.mark.parametrize("kind", AdverseEventKind)
def test_either_side_reports_every_kind_after_the_infusion(kind, actor):
    """The stage does not change."""
    reported = apply_event(INFUSED, build_adverse_event(kind, actor=actor, grade=2))

    assert (reported.stage, reported.stage_since) == (Stage.INFUSED, NOON)
    assert list_states(reported) == [(kind.value, 2, NOON + HOUR, True)]


def test_the_product_itself_reports_no_adverse_event():
    """Only people and the systems of centers do."""
    assert get_rejection(INFUSED, build_adverse_event(actor=Actor.SYSTEM)) == "not_your_move"


def test_the_older_form_is_the_same_report():
    """`neurotoxicity` is ICANS."""
    reported = apply_event(INFUSED, build_event(ToxicityNoticed, kind="neurotoxicity", grade=1))

    assert list_states(reported) == [("icans", 1, NOON + HOUR, True)]


@pytest.mark.parametrize(
    "event", [build_adverse_event(at=NOON + 2 * HOUR), build_event(RelapseReported, NOON + 2 * HOUR)]
)
def test_a_report_is_parked_until_the_infusion_arrives(event):
    """Deliveries overtake each other."""
    inbox = InMemoryInbox(build_referral(Stage.LYMPHODEPLETION_STARTED))

    inbox.receive([replace(event, event_id="evt_2")])
    waiting = len(inbox.parked)
    inbox.receive([build_stage_change(Stage.INFUSED)])

    assert (waiting, inbox.parked) == (1, [])
    assert inbox.referral.care.adverse_events or inbox.referral.care.relapses


@pytest.mark.parametrize("stage", [Stage.LOST_TO_FOLLOW_UP, Stage.TRANSFERRED_CARE, Stage.CLOSED_COMPLETE])
def test_a_late_effect_is_reported_after_the_referral_has_ended(stage):
    """A second cancer can appear years later; the referral stays closed."""
    ended = build_referral(stage, stage_entered_at={Stage.INFUSED: NOON - 900 * DAY, stage: NOON})

    reported = apply_event(ended, build_adverse_event(AdverseEventKind.SECOND_MALIGNANCY))

    assert reported.stage is stage
    assert list_states(reported) == [("second_malignancy", None, NOON + HOUR, True)]


def test_a_report_dated_before_the_current_step_counts_and_notifies():
    """The practice learns on day 3 of a fever on day 1."""
    monitored = build_referral(
        Stage.MONITORING, stage_entered_at={Stage.INFUSED: NOON - 3 * DAY, Stage.MONITORING: NOON}
    )

    assert list_states(apply_event(monitored, build_adverse_event(at=NOON - DAY))) == [("crs", None, NOON - DAY, True)]


def test_a_report_about_a_deceased_patient_is_history_and_notifies_no_one():
    """It is kept, for the record of what happened."""
    deceased = build_referral(Stage.DECEASED, stage_entered_at={Stage.INFUSED: NOON - DAY, Stage.DECEASED: NOON})

    recorded = record_event(deceased, build_adverse_event(grade=5))

    assert len(recorded.care.adverse_events) == 1
    assert record_event(deceased, build_event(RelapseReported)).care.relapse is not None


def test_the_latest_report_of_a_kind_counts_and_the_episode_keeps_its_start():
    """Grade 1 on day 1, grade 3 on day 2; a report without a grade keeps the last one."""
    referral = apply_event(INFUSED, build_adverse_event(at=NOON + DAY, grade=1, event_id="a"))
    referral = apply_event(referral, build_adverse_event(at=NOON + 2 * DAY, grade=3, event_id="b"))
    referral = apply_event(referral, build_adverse_event(at=NOON + 3 * DAY, event_id="c"))

    assert list_states(referral) == [("crs", 3, NOON + DAY, True)]


def test_a_resolved_adverse_event_is_no_longer_open_until_it_returns():
    """The new episode has its own start and grade."""
    resolved = build_adverse_event(at=NOON + 2 * DAY, status=AdverseEventStatus.RESOLVED, event_id="b")
    over = apply_event(apply_event(INFUSED, build_adverse_event(at=NOON + DAY, grade=3, event_id="a")), resolved)

    again = apply_event(over, build_adverse_event(at=NOON + 5 * DAY, grade=1, event_id="c"))

    assert list_states(over) == [("crs", 3, NOON + DAY, False)]
    assert list_states(again) == [("crs", 1, NOON + 5 * DAY, True)]


def test_a_resolution_of_one_kind_leaves_the_others_open():
    """Open ones come first."""
    referral = apply_event(INFUSED, build_adverse_event(AdverseEventKind.INFECTION, event_id="a"))
    referral = apply_event(referral, build_adverse_event(at=NOON + DAY, resolved_on=NOON.date(), event_id="b"))

    assert [(kind, is_open) for kind, _, _, is_open in list_states(referral)] == [("infection", True), ("crs", False)]


def test_a_resolution_that_arrives_late_ends_the_earlier_episode_only():
    """It was true between two reports, so the second began a new episode."""
    referral = apply_event(INFUSED, build_adverse_event(at=NOON + DAY, grade=2, event_id="a"))
    referral = apply_event(referral, build_adverse_event(at=NOON + 5 * DAY, grade=1, event_id="c"))

    resolved = build_adverse_event(at=NOON + 3 * DAY, status=AdverseEventStatus.RESOLVED, event_id="b")

    assert list_states(apply_event(referral, resolved)) == [("crs", 1, NOON + 5 * DAY, True)]


def test_a_nightly_repeat_of_a_system_notifies_no_one():
    """Unless something changed, or the repeat comes after more than a night."""
    fields = {"source": EventSource.CENTER_FEED, "grade": 2}
    first = apply_event(INFUSED, build_adverse_event(at=NOON, event_id="a", **fields))

    assert record_event(first, build_adverse_event(at=NOON + DAY, event_id="b", **fields)).care.adverse_events
    apply_event(first, build_adverse_event(at=NOON + DAY, event_id="b", **(fields | {"grade": 3})))
    apply_event(first, build_adverse_event(at=NOON + DAY, event_id="b", note="Now with fever.", **fields))
    apply_event(first, build_adverse_event(at=NOON + 2 * DAY, event_id="b", **fields))
    apply_event(first, build_adverse_event(at=NOON + DAY, event_id="b", grade=2))


def test_the_state_keeps_a_limited_number_of_reports_of_a_kind():
    """A system that repeats itself for months cannot fill the stored row."""
    referral = apply_event(INFUSED, build_adverse_event(AdverseEventKind.INFECTION, event_id="other"))
    for n in range(MAX_REPORTS + 5):
        referral = apply_event(referral, build_adverse_event(at=NOON + n * DAY, event_id=f"evt_{n}"))

    assert len(referral.care.adverse_events) == MAX_REPORTS + 1
    assert list_states(referral)[0] == ("crs", None, NOON + 5 * DAY, True)


def test_a_report_can_be_taken_back():
    """It was about another patient: it leaves the card, and stays in the history."""
    report = build_adverse_event(event_id="evt_9")
    history = [build_stage_change(stage, NOON - DAY + n * HOUR) for n, stage in enumerate(PATH)]
    infused = InMemoryInbox(build_referral(Stage.DRAFT)).receive(history)
    infused.receive([report])

    correction = build_event(Corrected, NOON + 2 * HOUR, event_id="evt_10", supersedes="evt_9")
    infused.receive([correction])

    assert infused.rejected == []
    assert infused.referral.care.adverse_events == ()
    assert infused.referral.stage is Stage.INFUSED


PATH = [
    Stage.SUBMITTED,
    Stage.ACCEPTED,
    Stage.CONSULT_SCHEDULED,
    Stage.CONSULT_COMPLETED,
    Stage.CENTER_PROCEED,
    Stage.APHERESIS_SCHEDULED,
    Stage.APHERESIS_COMPLETED,
    Stage.MANUFACTURING_STARTED,
    Stage.LYMPHODEPLETION_STARTED,
    Stage.INFUSED,
]


def test_the_reports_survive_the_correction_of_another_event():
    """The replay of the history computes them again."""
    history = [
        build_stage_change(stage, NOON - DAY + n * HOUR, event_id=f"evt_s{n:02d}") for n, stage in enumerate(PATH)
    ]
    inbox = InMemoryInbox(build_referral(Stage.DRAFT)).receive(history)
    inbox.receive([build_event(BridgingReported, NOON - 19 * HOUR, event_id="evt_b", status=BridgingStatus.COMPLETED)])
    inbox.receive([build_adverse_event(event_id="evt_a", grade=2), build_event(RelapseReported, event_id="evt_r")])
    before = inbox.referral.care

    better = replace(history[-1], occurred_at=NOON - 14 * HOUR, event_id="evt_c")
    inbox.receive([build_event(Corrected, NOON + DAY, event_id="evt_c", supersedes="evt_s09", replacement=better)])

    assert inbox.rejected == []
    assert inbox.referral.status.corrected
    assert inbox.referral.care == before != build_referral().care


def get_relapse_status(referral):
    """Return the status of a relapse that was reported."""
    assert referral.care.relapse
    return referral.care.relapse.status


def test_a_relapse_is_suspected_confirmed_or_ruled_out():
    """The latest report counts, in both orders of arrival."""
    suspected = build_event(RelapseReported, NOON + DAY, event_id="a", status=RelapseStatus.SUSPECTED)
    ruled_out = build_event(RelapseReported, NOON + 2 * DAY, event_id="b", status=RelapseStatus.RULED_OUT)

    for events in permutations([suspected, ruled_out]):
        referral = INFUSED
        for event in events:
            referral = apply_event(referral, event)
        assert get_relapse_status(referral) is RelapseStatus.RULED_OUT
    assert get_relapse_status(apply_event(INFUSED, build_event(RelapseReported))) is RelapseStatus.CONFIRMED


def build_bridging(status, at=NOON + HOUR, *, event_id="evt_1", **changed):
    """Build a report of bridging therapy by the practice."""
    return build_event(BridgingReported, at, event_id=event_id, actor=Actor.PRACTICE, status=status, **changed)


def get_bridging(referral):
    """Return the bridging therapy that was reported."""
    known = referral.care.summarize_bridging()
    assert known
    return known


def test_bridging_therapy_keeps_what_later_reports_leave_out():
    """Planned by the practice with its regimen, then completed with a response."""
    plan = build_bridging(BridgingStatus.PLANNED, event_id="a", by=BridgingTeam.PRACTICE, regimen="Pola-BR")
    end = build_bridging(BridgingStatus.COMPLETED, NOON + DAY, event_id="b", response=DiseaseResponse.PARTIAL_RESPONSE)

    for events in permutations([plan, end]):
        referral = build_referral(Stage.ACCEPTED)
        for event in events:
            referral = apply_event(referral, event)
        known = get_bridging(referral)
        assert (known.status, known.given_by, known.regimen) == (BridgingStatus.COMPLETED, "practice", "Pola-BR")
        assert known.response is DiseaseResponse.PARTIAL_RESPONSE


def test_no_bridging_therapy_says_nothing_about_an_earlier_plan():
    """The plan was dropped, and so was its regimen."""
    plan = build_bridging(BridgingStatus.PLANNED, event_id="a", regimen="Pola-BR")
    dropped = build_bridging(BridgingStatus.NONE, NOON + DAY, event_id="b")
    new_plan = build_bridging(BridgingStatus.PLANNED, NOON + 2 * DAY, event_id="c", by=BridgingTeam.CENTER)

    referral = apply_event(apply_event(build_referral(), plan), dropped)

    assert get_bridging(referral).regimen is None
    assert get_bridging(apply_event(referral, new_plan)).regimen is None


@pytest.mark.parametrize("stage", [Stage.LYMPHODEPLETION_STARTED, Stage.INFUSED, Stage.NOT_PROCEEDING])
def test_bridging_therapy_reported_late_is_history(stage):
    """It is kept, and no one is notified."""
    recorded = record_event(build_referral(stage), build_bridging(BridgingStatus.COMPLETED))

    assert recorded.stage is stage
    assert get_bridging(recorded).status is BridgingStatus.COMPLETED


def test_bridging_therapy_of_a_draft_waits_for_the_submission():
    """The center cannot see a draft."""
    assert get_rejection(build_referral(Stage.DRAFT), build_bridging(BridgingStatus.PLANNED)) == "parked"


@st.composite
def care_histories(draw):
    """Reports of both sides around an infusion, also before it, at the same time, and repeated."""
    events = [build_stage_change(Stage.INFUSED, NOON + 5 * HOUR, event_id="evt_infused")]
    for n in range(draw(st.integers(1, 9))):
        common = {
            "at": NOON + timedelta(hours=draw(st.integers(0, 60))),
            "event_id": f"evt_{draw(st.integers(0, 9))}{n}",
            "actor": draw(st.sampled_from([Actor.CENTER, Actor.PRACTICE])),
            "source": draw(st.sampled_from([EventSource.CENTER_FEED, EventSource.PRACTICE])),
        }
        kind = draw(st.sampled_from(list(AdverseEventKind)[:3]))
        grade = draw(st.sampled_from([None, 1, 3]))
        status = draw(st.sampled_from([None, *AdverseEventStatus]))
        events.append(
            draw(
                st.sampled_from(
                    [
                        build_event(AdverseEventReported, kind=kind, grade=grade, status=status, **common),
                        build_event(ToxicityNoticed, kind="neurotoxicity", grade=grade, **common),
                        build_event(RelapseReported, status=draw(st.sampled_from(RelapseStatus)), **common),
                        build_event(
                            BridgingReported,
                            status=draw(st.sampled_from(BridgingStatus)),
                            regimen=draw(st.sampled_from([None, "R-GemOx"])),
                            **common,
                        ),
                    ]
                )
            )
        )
    return events


@settings(max_examples=300)
@given(history=care_histories(), data=st.data())
def test_reports_lead_to_the_same_state_in_every_order_of_arrival(history, data):
    """And so does the replay of the whole history."""
    start = build_referral(Stage.LYMPHODEPLETION_STARTED)
    in_order = InMemoryInbox(start).receive(sorted(history, key=lambda event: event.order))

    shuffled = InMemoryInbox(start).receive(data.draw(st.permutations(history)))

    assert (in_order.parked, in_order.rejected) == ([], [])
    assert shuffled.parked == []
    assert shuffled.referral.care == in_order.referral.care
    assert shuffled.referral.stage is in_order.referral.stage is Stage.INFUSED
    path = [build_stage_change(stage, NOON - DAY + n * HOUR, event_id=f"evt_s{n}") for n, stage in enumerate(PATH[:-1])]
    replayed = replay(start, [*path, *data.draw(st.permutations(history))], build_context())
    assert replayed.care == in_order.referral.care
