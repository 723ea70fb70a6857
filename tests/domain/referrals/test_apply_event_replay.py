"""A history with holds, extensions and corrections folds alike in every order."""

from dataclasses import replace
from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.domain.referrals.apply_event import replay
from chalicelib.domain.referrals.events import HoldEnded, HoldStarted, ReferralEvent, WindowExtended
from chalicelib.domain.referrals.stages import Actor, Stage
from tests.support.main_path import (
    DAY,
    DRAFT,
    MAIN_PATH,
    build_correction,
    build_reports_to,
    compute_time,
    get_final_state,
)
from tests.support.referral_values import HOUR, NOON, InMemoryInbox, build_context, build_event, build_stage_change


@st.composite
def histories(draw):
    """A legal history with holds, extensions and corrections, in the order of truth."""
    last = draw(st.sampled_from(MAIN_PATH[2:]))
    names = MAIN_PATH[: MAIN_PATH.index(last) + 1]
    events: list[ReferralEvent] = [*build_reports_to(last)]
    for n in range(draw(st.integers(0, 3))):
        moment = NOON + draw(st.integers(1, 60)) * 6 * HOUR + timedelta(minutes=1 + n)
        kind = draw(st.sampled_from([HoldStarted, HoldEnded]))
        events.append(build_event(kind, moment, event_id=f"evt_hold_{n}"))
    if "monitoring" in names and "handed_back" not in names:
        for n in range(draw(st.integers(0, 2))):
            moment = compute_time("infused") + draw(st.integers(1, 40)) * HOUR + timedelta(minutes=9 + n)
            ends_on = date(2026, 12, draw(st.integers(1, 31)))
            longer = build_event(WindowExtended, moment, event_id=f"evt_ext_{n}", ends_on=ends_on)
            events.append(longer)
    # A corrected moment stays between the two beside it, so that the history stays legal.
    for n in range(draw(st.integers(0, 2))):
        wrong = draw(st.sampled_from(names[1:-1]))
        really = compute_time(wrong) + timedelta(minutes=draw(st.integers(-700, 700)))
        right = build_stage_change(Stage(wrong), really)
        if right.actor is Actor.CENTER:
            events.append(build_correction(wrong, right, moment=NOON + (90 + n) * DAY, n=n))
    return sorted(events, key=lambda e: e.order)


@settings(max_examples=300)
@given(history=histories(), data=st.data())
def test_a_history_folds_alike_in_every_order(history, data):
    """Shuffled or not, at once or as it arrives: one state."""
    shuffled = data.draw(st.permutations(history))
    in_order = InMemoryInbox(DRAFT).receive(history)

    arrived = InMemoryInbox(DRAFT).receive(shuffled)
    folded = replay(DRAFT, shuffled, build_context())

    assert (in_order.parked, in_order.refused) == ([], [])
    assert get_final_state(arrived) == get_final_state(in_order)
    kept = replace(folded, version=0, updated_at=NOON, submitted_at=compute_time("submitted"))
    assert kept == get_final_state(arrived)[0]
