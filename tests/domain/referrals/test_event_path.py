"""The search for the order of events, with the many repeats that a center's system sends."""

from dataclasses import replace
from datetime import timedelta
from unittest.mock import patch

from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.domain.referrals import event_path
from chalicelib.domain.referrals.event_path import Place, find_path
from chalicelib.domain.referrals.events import EventSource
from chalicelib.domain.referrals.stages import Actor, Stage
from tests.support.referral_values import HOUR, NOON, build_stage_change

DAY = timedelta(days=1)
START = Place(Stage.DRAFT)
SUBMITTED = build_stage_change(Stage.SUBMITTED, NOON, event_id="evt_submitted", source=EventSource.PRACTICE)
STEPS = [
    *(Stage.RECEIVED, Stage.INFO_REQUESTED, Stage.ACCEPTED, Stage.CONSULT_SCHEDULED),
    *(Stage.CONSULT_COMPLETED, Stage.CENTER_PROCEED, Stage.APHERESIS_SCHEDULED),
]


def build_contradiction(at):
    """A return to the practice that cannot have happened yet, so that no order of all events is legal."""
    return build_stage_change(
        Stage.HANDED_BACK, at, event_id="evt_wrong", actor=Actor.PRACTICE, source=EventSource.PRACTICE
    )


def build_nightly_feed(nights):
    """A center's system that sends the status of every step in so many nights, by a slow clock."""
    return [
        build_stage_change(step, NOON + (n * nights + night) * DAY - 5 * HOUR, event_id=f"evt_{n:02}_{night:03}")
        for n, step in enumerate(step for step in STEPS if step is not Stage.INFO_REQUESTED)
        for night in range(nights)
    ]


@st.composite
def repetitive_histories(draw):
    """Few steps, and rows of repeats of each, between the events of a practice and of the center's people."""
    events, at = [SUBMITTED], NOON
    for n in range(draw(st.integers(1, 3))):
        step = draw(st.sampled_from(STEPS))
        at += draw(st.integers(0, 30)) * HOUR
        first = build_stage_change(step, at - draw(st.sampled_from([0, 7, 20])) * HOUR, event_id=f"evt_{n}")
        events.append(first)
        for k in range(draw(st.integers(0, 8))):
            at += draw(st.sampled_from([HOUR, DAY]))
            events.append(replace(first, event_id=f"evt_{n}_again_{k}", occurred_at=at))
    for n in range(draw(st.integers(0, 2))):
        source = draw(st.sampled_from([EventSource.PRACTICE, EventSource.CENTER]))
        step = Stage.SUBMITTED if source is EventSource.PRACTICE else draw(st.sampled_from(STEPS))
        moment = NOON + draw(st.integers(0, 400)) * HOUR
        events.append(build_stage_change(step, moment, event_id=f"evt_other_{n}", source=source))
    return [*events, build_contradiction(NOON + draw(st.integers(0, 400)) * HOUR)]


@settings(max_examples=100, deadline=None)
@given(events=repetitive_histories())
def test_repeats_that_are_placed_together_lead_to_the_same_order(events):
    """As if each of them was placed on its own."""
    together = find_path(START, events)

    with patch.object(event_path, "_count_others", len):
        one_by_one = find_path(START, events)

    assert together == one_by_one


def test_years_of_nightly_repeats_have_an_order():
    """A contradiction in the history needs the whole search."""
    feed = build_nightly_feed(nights=150)

    path = find_path(START, [SUBMITTED, *feed, build_contradiction(NOON + 40 * DAY)])

    assert getattr(path.moves[-1], "stage", None) is Stage.APHERESIS_SCHEDULED
    assert [event.event_id for event in path.left_out] == ["evt_wrong"]


def test_repeats_within_one_whole_day_have_an_order():
    """No time orders them, and all orders would be too many to try."""
    midnight = (NOON + 2 * DAY).replace(hour=5)
    same = [build_stage_change(Stage.ACCEPTED, midnight, event_id=f"evt_{n:02}", is_whole_day=True) for n in range(40)]

    path = find_path(START, [SUBMITTED, *same, build_contradiction(NOON + DAY)])

    assert [getattr(move, "stage", None) for move in path.moves] == [Stage.SUBMITTED, Stage.ACCEPTED]
    assert len(path.repeats) == 39


def test_of_two_reports_of_a_day_without_a_time_the_number_of_the_sender_decides():
    """A report with the lower number came first. The other one did not."""
    first, second = (
        build_stage_change(stage, NOON, event_id=f"evt_{n}", is_whole_day=True, sequence=n)
        for n, stage in enumerate((Stage.CONSULT_COMPLETED, Stage.CENTER_PROCEED), 1)
    )

    assert event_path.must_precede(first, second)
    assert not event_path.must_precede(second, first)
