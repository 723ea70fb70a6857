"""Deliveries overtake each other; where a referral ends must not depend on it."""

from dataclasses import replace
from datetime import timedelta, timezone
from itertools import chain, pairwise, permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.domain.referrals.events import EventOrder
from chalicelib.domain.referrals.monitoring_window import AnchorInfusion
from chalicelib.domain.referrals.stages import MAIN_PATH, OPTIONAL_STAGES, TERMINAL_STAGES, Stage
from chalicelib.domain.referrals.transitions import TRANSITIONS, list_transitions_from
from tests.support.referral_values import (
    HOUR,
    NOON,
    PROFILE,
    SPLIT_DOSE_PROFILE,
    InMemoryInbox,
    apply_event,
    build_context,
    build_referral,
    build_stage_change,
)

STARTS = sorted(set(Stage) - TERMINAL_STAGES - {Stage.DRAFT, Stage.INFUSED})


def told(inbox: InMemoryInbox):
    """All that an order of arrival must not change: `version` counts writes, and may differ."""
    return (
        replace(inbox.referral, version=0, updated_at=NOON),
        [change.event_id for change in inbox.parked],
        inbox.refused,
    )


def legal_next(stage: Stage, part: int, parts: int) -> list[Stage]:
    """What may be reported next; optional stages may be left out."""
    over = stage is Stage.INFUSED and part >= parts
    return sorted(end for end in list_transitions_from(stage) if not (over and end is Stage.INFUSED))


@st.composite
def histories(draw, *, longest: int = 8):
    """A legal history from some stage on: the start, and its reports in the order of truth."""
    start = draw(st.sampled_from(STARTS))
    parts = draw(st.integers(1, 3))
    changes, stage, part, at = [], start, 0, NOON
    for n in range(draw(st.integers(1, longest))):
        choices = legal_next(stage, part, parts)
        if not choices:
            break
        end = draw(st.sampled_from(choices))
        at += timedelta(seconds=draw(st.integers(1, 10**6)))
        dose = {}
        if end is Stage.INFUSED:
            part = part + 1 if stage is Stage.INFUSED else 1
            dose = {"part": part, "of": parts}
        mover = min(list_transitions_from(stage)[end])
        event_id = f"evt_{draw(st.integers(0, 999)):03d}{n}"
        changes.append(build_stage_change(end, at, event_id=event_id, actor=mover, **dose))
        stage = end
    return start, changes


@settings(max_examples=300)
@given(history=histories(), anchor=st.sampled_from(AnchorInfusion), data=st.data())
def test_a_legal_history_ends_alike_in_every_order_of_arrival(history, anchor, data):
    """Stage, dates, window and history: as if everything had come in order, nothing waiting."""
    start, changes = history
    setting = build_context(replace(PROFILE, anchor=anchor))
    in_order = InMemoryInbox(build_referral(start), setting).receive(changes)

    shuffled = InMemoryInbox(build_referral(start), setting).receive(data.draw(st.permutations(changes)))

    assert in_order.referral.stage is changes[-1].stage
    assert in_order.parked == []
    assert told(shuffled) == told(in_order)


LOOPS = {
    "manufacturing fails and starts again from the reserve": (
        Stage.APHERESIS_COMPLETED,
        "manufacturing_started manufacturing_failed manufacturing_started qc_testing released",
    ),
    "too few cells, so they are collected again": (
        Stage.CENTER_PROCEED,
        "apheresis_scheduled apheresis_completed apheresis_scheduled apheresis_completed",
    ),
    "deferred, then worked up again": (
        Stage.CONSULT_COMPLETED,
        "eligibility_pending deferred eligibility_pending center_proceed",
    ),
    "a question, its answer and a second question": (
        Stage.RECEIVED,
        "info_requested submitted received info_requested submitted accepted",
    ),
    "the window is extended": (Stage.INFUSED, "monitoring window_complete monitoring window_complete handback_ready"),
}


@pytest.mark.parametrize(("start", "line"), LOOPS.values(), ids=LOOPS)
def test_a_step_back_and_forth_ends_alike_in_every_order(start, line):
    """Every one of the orders, not a sample: a rule of rank loses these."""
    stages = [Stage(name) for name in line.split()]
    changes = [build_stage_change(stage, NOON + n * HOUR, event_id=f"evt_{n}") for n, stage in enumerate(stages, 1)]
    in_order = told(InMemoryInbox(build_referral(start)).receive(changes))

    ends = [told(InMemoryInbox(build_referral(start)).receive(order)) for order in permutations(changes)]

    assert in_order[0].stage is stages[-1]
    assert all(end == in_order for end in ends)


@pytest.mark.parametrize("profile", [PROFILE, SPLIT_DOSE_PROFILE])
def test_the_parts_of_a_dose_end_alike_in_every_order(profile):
    """Two parts, the monitoring and the end of the window: 24 orders, one window."""
    changes = [
        build_stage_change(Stage.INFUSED, NOON + HOUR, event_id="evt_1", part=1, of=2),
        build_stage_change(Stage.INFUSED, NOON + 240 * HOUR, event_id="evt_2", part=2, of=2),
        build_stage_change(Stage.MONITORING, NOON + 264 * HOUR, event_id="evt_3"),
        build_stage_change(Stage.WINDOW_COMPLETE, NOON + 600 * HOUR, event_id="evt_4"),
    ]
    setting = build_context(profile)
    start = build_referral(Stage.LYMPHODEPLETION_STARTED)
    in_order = told(InMemoryInbox(start, setting).receive(changes))

    ends = [told(InMemoryInbox(start, setting).receive(order)) for order in permutations(changes)]

    assert in_order[0].window is not None
    assert all(end == in_order for end in ends)


def runs_of_one_instant():
    """Every run of two to four steps of the main line, with and without its optional stages."""
    whole = [stage for stage in MAIN_PATH if stage is not Stage.DRAFT]
    sparse = [stage for stage in whole if stage not in OPTIONAL_STAGES]
    for line in (whole, sparse):
        for length in (2, 3, 4):
            for first in range(len(line) - length):
                yield line[first], tuple(line[first + 1 : first + 1 + length])


@pytest.mark.parametrize("ids", [("evt_1", "evt_2", "evt_3", "evt_4"), ("d", "c", "b", "a")])
def test_reports_of_one_instant_end_at_the_last_of_them(ids):
    """A feed that stamps whole seconds, or a day: no order and no id leaves anything behind."""
    wrong = []
    for start, stages in sorted(set(runs_of_one_instant())):
        changes = [build_stage_change(s, NOON + HOUR, event_id=i) for s, i in zip(stages, ids, strict=False)]
        for order in permutations(changes):
            inbox = InMemoryInbox(build_referral(start)).receive(order)
            if (inbox.referral.stage, inbox.parked, inbox.refused) != (stages[-1], [], []):
                wrong.append((start, [change.stage for change in order]))

    assert wrong == []


@pytest.mark.parametrize("start", STARTS)
def test_two_reports_of_one_instant_end_alike_in_both_orders(start):
    """Whatever two legal steps follow each other, and whatever their ids."""
    wrong = []
    for first, second in two_steps(start):
        pair = [build_stage_change(first, event_id="evt_2"), build_stage_change(second, event_id="evt_1")]
        stages = {InMemoryInbox(build_referral(start)).receive(order).referral.stage for order in permutations(pair)}
        if len(stages) != 1 and not {first, second} & TERMINAL_STAGES:
            wrong.append((first, second))

    assert wrong == []


def two_steps(start: Stage):
    """Every two legal steps from a stage."""
    return chain.from_iterable(((f, s) for s in sorted(TRANSITIONS[f])) for f in sorted(TRANSITIONS[start]))


def test_an_ending_of_the_same_instant_comes_last():
    """A death at the second of another report ends the referral in either order."""
    pair = [build_stage_change(Stage.MONITORING, event_id="z"), build_stage_change(Stage.DECEASED, event_id="a")]
    ends = [InMemoryInbox(build_referral(Stage.INFUSED)).receive(order) for order in permutations(pair)]

    assert {end.referral.stage for end in ends} == {Stage.DECEASED}


def test_two_dates_of_one_instant_are_told_apart_by_their_ids():
    """A stage that follows itself, twice in one second: the greater id stands, in both orders."""
    pair = [build_stage_change(Stage.CONSULT_SCHEDULED, event_id=event_id) for event_id in ("evt_1", "evt_2")]
    heads = {
        InMemoryInbox(build_referral(Stage.ACCEPTED)).receive(order).referral.last_applied_order
        for order in permutations(pair)
    }

    assert heads == {EventOrder(NOON + HOUR, 0, "evt_2")}


def test_both_parts_of_one_instant_count():
    """The parts have an order of their own, whatever their ids."""
    pair = [
        build_stage_change(Stage.INFUSED, event_id="b", part=1, of=2),
        build_stage_change(Stage.INFUSED, event_id="a", part=2, of=2),
    ]
    start = build_referral(Stage.LYMPHODEPLETION_STARTED)
    parts = {InMemoryInbox(start).receive(order).referral.doses_given for order in permutations(pair)}

    assert parts == {2}
    assert apply_event(apply_event(start, pair[0]), pair[1]).doses_given == 2


@pytest.mark.parametrize(("first", "second"), list(pairwise([None, 0, 1, 17])))
def test_the_senders_sequence_orders_an_instant(first, second):
    """Without one it counts as zero, and zero against zero is the journey's order."""
    back = build_stage_change(Stage.APHERESIS_SCHEDULED, event_id="a", sequence=second)
    done = build_stage_change(Stage.APHERESIS_COMPLETED, event_id="b", sequence=first)
    start = build_referral(Stage.APHERESIS_SCHEDULED)
    stages = {InMemoryInbox(start).receive(order).referral.stage for order in permutations([back, done])}
    tied = not first and not second

    assert stages == {Stage.APHERESIS_COMPLETED if tied else Stage.APHERESIS_SCHEDULED}


def test_the_same_instant_in_another_zone_is_the_same_instant():
    """A feed's offset says how it spells the time, not when it was."""
    at = NOON + HOUR
    spelled = at.astimezone(timezone(timedelta(hours=-7)))

    assert build_stage_change(Stage.ACCEPTED, at).order == build_stage_change(Stage.ACCEPTED, spelled).order
