"""The replay of a history with holds, extensions and corrections gives the same state in every order."""

from dataclasses import replace
from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.domain.referrals.events import HoldEnded, HoldStarted, ReferralEvent, WindowExtended
from chalicelib.domain.referrals.history import replay
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
from tests.support.referral_values import (
    HOUR,
    NOON,
    InMemoryInbox,
    build_context,
    build_event,
    build_referral,
    build_stage_change,
)


@st.composite
def legal_histories(draw):
    """A legal history with holds, extensions and corrections, in the order they were true."""
    last = draw(st.sampled_from(MAIN_PATH[2:]))
    names = MAIN_PATH[: MAIN_PATH.index(last) + 1]
    events: list[ReferralEvent] = [*build_reports_to(last)]
    for n in range(draw(st.integers(0, 3))):
        at = NOON + draw(st.integers(1, 60)) * 6 * HOUR + timedelta(minutes=1 + n)
        kind = draw(st.sampled_from([HoldStarted, HoldEnded]))
        events.append(build_event(kind, at, event_id=f"evt_hold_{n}"))
    if "monitoring" in names and "handed_back" not in names:
        for n in range(draw(st.integers(0, 2))):
            at = compute_time("infused") + draw(st.integers(1, 40)) * HOUR + timedelta(minutes=9 + n)
            ends_on = date(2026, 12, draw(st.integers(1, 31)))
            events.append(build_event(WindowExtended, at, event_id=f"evt_ext_{n}", ends_on=ends_on))
    # A corrected time stays between those of its neighbors, so that the history stays legal.
    for n in range(draw(st.integers(0, 2))):
        wrong = draw(st.sampled_from(names[1:-1]))
        corrected_at = compute_time(wrong) + timedelta(minutes=draw(st.integers(-700, 700)))
        replacement = build_stage_change(Stage(wrong), corrected_at)
        if replacement.actor is Actor.CENTER:
            events.append(build_correction(wrong, replacement, moment=NOON + (90 + n) * DAY, n=n))
    return sorted(events, key=lambda e: e.order)


@settings(max_examples=300)
@given(history=legal_histories(), data=st.data())
def test_a_history_replays_to_the_same_state_in_every_order(history, data):
    """Shuffled or in order, all at once or as it arrives."""
    shuffled = data.draw(st.permutations(history))
    in_order = InMemoryInbox(DRAFT).receive(history)

    arrived = InMemoryInbox(DRAFT).receive(shuffled)
    replayed = replay(DRAFT, shuffled, build_context())

    assert (in_order.parked, in_order.rejected) == ([], [])
    assert get_final_state(arrived) == get_final_state(in_order)
    expected = get_final_state(arrived)[0]
    assert replace(replayed, version=0, updated_at=NOON, submitted_at=compute_time("submitted")) == expected


def test_an_event_dated_before_its_predecessors_is_replayed():
    """It stays pending, in the replay as in the tables, until its predecessors have been read."""
    early = build_stage_change(Stage.CENTER_PROCEED, NOON + HOUR, event_id="evt_early")
    predecessors = [
        build_stage_change(stage, NOON + (n + 2) * HOUR, event_id=f"evt_{n}")
        for n, stage in enumerate((Stage.RECEIVED, Stage.ACCEPTED))
    ]
    submitted = build_stage_change(Stage.SUBMITTED, NOON, event_id="evt_0")

    replayed = replay(build_referral(), [early, *predecessors, submitted], build_context())

    assert replayed.stage_entered_at[Stage.CENTER_PROCEED] == early.occurred_at
