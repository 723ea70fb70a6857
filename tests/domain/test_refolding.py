"""A history with holds, extensions and corrections folds alike in every order."""

from dataclasses import replace
from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.domain.referrals.apply_event import fold
from chalicelib.domain.referrals.events import Event, HoldEnded, HoldStarted, WindowExtended
from chalicelib.domain.referrals.stages import Actor, Stage
from tests.support.journey import (
    HOUR,
    NOON,
    Inbox,
    a_change,
    a_setting,
    an_event,
)
from tests.support.line import DAY, DRAFT, LINE, a_correction, at, line_to, told


@st.composite
def histories(draw):
    """A legal history with holds, extensions and corrections, in the order of truth."""
    last = draw(st.sampled_from(LINE[2:]))
    names = LINE[: LINE.index(last) + 1]
    events: list[Event] = [*line_to(last)]
    for n in range(draw(st.integers(0, 3))):
        moment = NOON + draw(st.integers(1, 60)) * 6 * HOUR + timedelta(minutes=1 + n)
        kind = draw(st.sampled_from([HoldStarted, HoldEnded]))
        events.append(an_event(kind, moment, event_id=f"evt_hold_{n}"))
    if "monitoring" in names and "handed_back" not in names:
        for n in range(draw(st.integers(0, 2))):
            moment = at("infused") + draw(st.integers(1, 40)) * HOUR + timedelta(minutes=9 + n)
            ends_on = date(2026, 12, draw(st.integers(1, 31)))
            longer = an_event(WindowExtended, moment, event_id=f"evt_ext_{n}", ends_on=ends_on)
            events.append(longer)
    # A corrected moment stays between the two beside it, so that the history stays legal.
    for n in range(draw(st.integers(0, 2))):
        wrong = draw(st.sampled_from(names[1:-1]))
        really = at(wrong) + timedelta(minutes=draw(st.integers(-700, 700)))
        right = a_change(Stage(wrong), really)
        if right.actor is Actor.CENTER:
            events.append(a_correction(wrong, right, moment=NOON + (90 + n) * DAY, n=n))
    return sorted(events, key=lambda e: e.order)


@settings(max_examples=300)
@given(history=histories(), data=st.data())
def test_a_history_folds_alike_in_every_order(history, data):
    """Shuffled or not, at once or as it arrives: one state."""
    shuffled = data.draw(st.permutations(history))
    in_order = Inbox(DRAFT).take(history)

    arrived = Inbox(DRAFT).take(shuffled)
    folded = fold(DRAFT, shuffled, a_setting())

    assert (in_order.parked, in_order.refused) == ([], [])
    assert told(arrived) == told(in_order)
    kept = replace(folded, version=0, updated_at=NOON, submitted_at=at("submitted"))
    assert kept == told(arrived)[0]
