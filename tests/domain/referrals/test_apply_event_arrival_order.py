"""Deliveries overtake each other; the final state of a referral must not depend on their order."""

from dataclasses import replace
from datetime import timedelta, timezone
from itertools import chain, pairwise, permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.domain.referrals.events import Corrected, EventOrder, EventSource
from chalicelib.domain.referrals.monitoring_window import AnchorInfusion
from chalicelib.domain.referrals.stages import MAIN_PATH, OPTIONAL_STAGES, TERMINAL_STAGES, Actor, Stage
from chalicelib.domain.referrals.transitions import TRANSITIONS, list_transitions_from
from tests.support.main_path import DRAFT, get_final_state
from tests.support.referral_values import (
    HOUR,
    NOON,
    PROFILE,
    SPLIT_DOSE_PROFILE,
    InMemoryInbox,
    apply_event,
    build_context,
    build_event,
    build_referral,
    build_stage_change,
)

STARTS = sorted(set(Stage) - TERMINAL_STAGES - {Stage.DRAFT, Stage.INFUSED})


def list_legal_next_stages(stage: Stage, dose: int, doses: int) -> list[Stage]:
    """List what may be reported next; optional stages may be skipped."""
    is_last_dose = stage is Stage.INFUSED and dose >= doses
    return sorted(end for end in list_transitions_from(stage) if not (is_last_dose and end is Stage.INFUSED))


@st.composite
def legal_histories(draw, *, longest: int = 8):
    """A legal history from any stage: the first stage, and its events in the order they were true."""
    start = draw(st.sampled_from(STARTS))
    doses = draw(st.integers(1, 3))
    changes, stage, dose, at = [], start, 0, NOON
    for n in range(draw(st.integers(1, longest))):
        choices = list_legal_next_stages(stage, dose, doses)
        if not choices:
            break
        end = draw(st.sampled_from(choices))
        at += timedelta(seconds=draw(st.integers(1, 10**6)))
        data = {}
        if end is Stage.INFUSED:
            dose = dose + 1 if stage is Stage.INFUSED else 1
            data = {"part": dose, "of": doses}
        actor = min(list_transitions_from(stage)[end])
        event_id = f"evt_{draw(st.integers(0, 999)):03d}{n}"
        changes.append(build_stage_change(end, at, event_id=event_id, actor=actor, **data))
        stage = end
    return start, changes


@settings(max_examples=300)
@given(history=legal_histories(), anchor=st.sampled_from(AnchorInfusion), data=st.data())
def test_a_legal_history_leads_to_the_same_state_in_every_order_of_arrival(history, anchor, data):
    """Stage, dates, window and history are as if everything arrived in order; nothing stays parked."""
    start, changes = history
    context = build_context(replace(PROFILE, anchor=anchor))
    in_order = InMemoryInbox(build_referral(start), context).receive(changes)

    shuffled = InMemoryInbox(build_referral(start), context).receive(data.draw(st.permutations(changes)))

    assert in_order.referral.stage is changes[-1].stage
    assert in_order.parked == []
    assert get_final_state(shuffled) == get_final_state(in_order)


LOOPS = {
    "monitoring continues after the summary is ready": (
        Stage.WINDOW_COMPLETE,
        "handback_ready monitoring window_complete handed_back",
    ),
    "manufacturing fails and restarts from reserve material": (
        Stage.APHERESIS_COMPLETED,
        "manufacturing_started manufacturing_failed manufacturing_started qc_testing released",
    ),
    "not enough cells, so leukapheresis is repeated": (
        Stage.CENTER_PROCEED,
        "apheresis_scheduled apheresis_completed apheresis_scheduled apheresis_completed",
    ),
    "deferred, then a second workup": (
        Stage.CONSULT_COMPLETED,
        "eligibility_pending deferred eligibility_pending center_proceed",
    ),
    "information is requested, sent and requested again": (
        Stage.RECEIVED,
        "info_requested submitted received info_requested submitted accepted",
    ),
    "the window is extended": (Stage.INFUSED, "monitoring window_complete monitoring window_complete handback_ready"),
}


@pytest.mark.parametrize(("start", "path"), LOOPS.values(), ids=LOOPS)
def test_a_loop_leads_to_the_same_state_in_every_order_of_arrival(start, path):
    """All permutations, not a sample: a rule that ranks the stages fails here."""
    stages = [Stage(name) for name in path.split()]
    changes = [build_stage_change(stage, NOON + n * HOUR, event_id=f"evt_{n}") for n, stage in enumerate(stages, 1)]
    in_order = get_final_state(InMemoryInbox(build_referral(start)).receive(changes))

    states = [get_final_state(InMemoryInbox(build_referral(start)).receive(order)) for order in permutations(changes)]

    assert in_order[0].stage is stages[-1]
    assert all(state == in_order for state in states)


FEED_STEPS = (Stage.ACCEPTED, Stage.CONSULT_SCHEDULED, Stage.CONSULT_COMPLETED, Stage.CENTER_PROCEED)
DAY = timedelta(days=1)


def build_feed(*moments, **changed):
    """The steps of a center's system from the acceptance on, at these times."""
    return [
        build_stage_change(stage, at, event_id=f"evt_{n}", **changed)
        for n, (stage, at) in enumerate(zip(FEED_STEPS, moments, strict=False), 1)
    ]


def build_reply(at):
    """What the practice sends: the information that the center requested."""
    return build_stage_change(
        Stage.SUBMITTED, at, event_id="evt_reply", actor=Actor.PRACTICE, source=EventSource.PRACTICE
    )


def build_request(at, **changed):
    """The center's system requests information."""
    return build_stage_change(Stage.INFO_REQUESTED, at, event_id="evt_request", actor=Actor.CENTER, **changed)


REQUESTED, REPLIED = NOON + 2 * DAY, NOON + 4 * DAY
MOMENTS = [NOON + n * DAY for n in (6, 8, 10, 12)]
SLOW = 23 * HOUR
NIGHTLY = build_feed(*MOMENTS[:2])

CLOCKS = {
    "a clock that is almost a day slow": [
        build_request(REQUESTED - SLOW),
        build_reply(REPLIED),
        *build_feed(*(at - SLOW for at in MOMENTS)),
    ],
    "a clock that is slow, and answers within minutes": [
        build_request(NOON - 5 * HOUR),
        build_reply(NOON + HOUR),
        *build_feed(*(NOON - 4 * HOUR + n * HOUR for n in range(1, 5))),
    ],
    "whole days": [
        build_request(REQUESTED.replace(hour=5), is_whole_day=True),
        build_reply(REPLIED),
        *build_feed(*(at.replace(hour=5) for at in MOMENTS), is_whole_day=True),
    ],
    "one whole day for everything": build_feed(*[NOON.replace(hour=5)] * 4, is_whole_day=True),
    "nightly repeats": [
        *NIGHTLY,
        *(replace(NIGHTLY[0], event_id=f"evt_first_{n}", occurred_at=MOMENTS[0] + n * 10 * HOUR) for n in (1, 2)),
        *(replace(NIGHTLY[1], event_id=f"evt_second_{n}", occurred_at=MOMENTS[1] + n * DAY) for n in (1, 2)),
    ],
}
"""Histories of the same kind of course, each as one kind of sender reports it."""


def open_submitted_inbox():
    """The inbox right after the submission."""
    submitted = build_stage_change(Stage.SUBMITTED, NOON, event_id="evt_0", source=EventSource.PRACTICE)
    return InMemoryInbox(DRAFT).receive([submitted])


@pytest.mark.parametrize("events", CLOCKS.values(), ids=CLOCKS)
def test_what_a_senders_clock_says_leads_to_the_same_state_in_every_order_of_arrival(events):
    """720 orders of each: nothing is refused, nothing stays parked, and the last step counts."""
    in_order = open_submitted_inbox().receive(events)

    inboxes = [open_submitted_inbox().receive(order) for order in permutations(events)]

    assert in_order.referral.stage is [stage for stage in FEED_STEPS if stage in {e.stage for e in events}][-1]
    assert all((inbox.parked, inbox.rejected) == ([], []) for inbox in inboxes)
    assert all(get_final_state(inbox) == get_final_state(in_order) for inbox in inboxes)


def receive_until_accepted(events):
    """Receive events, and those again that were refused, as their sender sends them again."""
    inbox, waiting = open_submitted_inbox(), list(events)
    for _ in events:
        inbox.receive(waiting)
        waiting = [e for e in events if e not in inbox.history and e not in inbox.parked]
    return inbox.referral


def build_end(stage, at):
    """An ending, reported by the practice or the center."""
    actor = Actor.PRACTICE if stage is Stage.WITHDRAWN else Actor.CENTER
    source = EventSource.PRACTICE if actor is Actor.PRACTICE else EventSource.CENTER_FEED
    return build_stage_change(stage, at, event_id="evt_end", actor=actor, source=source)


@pytest.mark.parametrize("at", [MOMENTS[0] + DAY, MOMENTS[1] + DAY, MOMENTS[3] + DAY])
def test_a_death_counts_in_every_order_of_arrival(at):
    """Whatever is dated after it."""
    events = [build_request(REQUESTED), build_reply(REPLIED), *build_feed(*MOMENTS[:3]), build_end(Stage.DECEASED, at)]

    states = [receive_until_accepted(order) for order in permutations(events)]

    assert {(state.stage, state.stage_since) for state in states} == {(Stage.DECEASED, at)}


@pytest.mark.parametrize(
    ("stage", "at", "end", "is_disputed"),
    [
        pytest.param(Stage.WITHDRAWN, MOMENTS[0] + DAY, Stage.CONSULT_COMPLETED, True, id="the patient came later"),
        pytest.param(Stage.WITHDRAWN, MOMENTS[2] + DAY, Stage.WITHDRAWN, False, id="nothing came later"),
        pytest.param(Stage.DECLINED, REPLIED + DAY, Stage.CONSULT_COMPLETED, True, id="declined before the visit"),
    ],
)
def test_another_ending_leads_to_the_same_state_in_every_order_of_arrival(stage, at, end, is_disputed):
    """It counts unless the patient came for a visit later; then both sides are asked."""
    events = [build_request(REQUESTED), build_reply(REPLIED), *build_feed(*MOMENTS[:3]), build_end(stage, at)]

    states = [receive_until_accepted(order) for order in permutations(events)]

    assert {(state.stage, state.status.contradiction is not None) for state in states} == {(end, is_disputed)}
    assert len({state.stage_since for state in states}) == 1


def test_a_step_counts_after_an_ending_although_its_correction_came_first():
    """The correction and a visit wait for it, and together they show that the patient continued."""
    accepted, scheduled, completed = build_feed(*MOMENTS[:3])
    better = replace(scheduled, event_id="evt_corrected", occurred_at=MOMENTS[1] + HOUR)
    correction = build_event(
        Corrected, MOMENTS[1] + 2 * HOUR, event_id="evt_corrected", supersedes=scheduled.event_id, replacement=better
    )
    end = build_end(Stage.WITHDRAWN, MOMENTS[0] + HOUR)
    inbox = open_submitted_inbox().receive([accepted, end, completed, correction])
    before = inbox.referral.stage

    inbox.receive([scheduled])

    assert (before, inbox.referral.stage) == (Stage.WITHDRAWN, Stage.CONSULT_COMPLETED)
    assert inbox.referral.stage_entered_at[Stage.CONSULT_SCHEDULED] == better.occurred_at


@pytest.mark.parametrize("profile", [PROFILE, SPLIT_DOSE_PROFILE])
def test_a_split_dose_leads_to_the_same_state_in_every_order_of_arrival(profile):
    """Two doses, monitoring and the end of the window: 24 orders, one window."""
    changes = [
        build_stage_change(Stage.INFUSED, NOON + HOUR, event_id="evt_1", part=1, of=2),
        build_stage_change(Stage.INFUSED, NOON + 240 * HOUR, event_id="evt_2", part=2, of=2),
        build_stage_change(Stage.MONITORING, NOON + 264 * HOUR, event_id="evt_3"),
        build_stage_change(Stage.WINDOW_COMPLETE, NOON + 600 * HOUR, event_id="evt_4"),
    ]
    context = build_context(profile)
    start = build_referral(Stage.LYMPHODEPLETION_STARTED)
    in_order = get_final_state(InMemoryInbox(start, context).receive(changes))

    states = [get_final_state(InMemoryInbox(start, context).receive(order)) for order in permutations(changes)]

    assert in_order[0].window is not None
    assert all(state == in_order for state in states)


def list_runs_of_stages():
    """Every run of two to four steps of the main path, with and without its optional stages."""
    whole = [stage for stage in MAIN_PATH if stage is not Stage.DRAFT]
    sparse = [stage for stage in whole if stage not in OPTIONAL_STAGES]
    for path in (whole, sparse):
        for length in (2, 3, 4):
            for first in range(len(path) - length):
                yield path[first], tuple(path[first + 1 : first + 1 + length])


@pytest.mark.parametrize("ids", [("evt_1", "evt_2", "evt_3", "evt_4"), ("d", "c", "b", "a")])
def test_events_with_the_same_time_end_at_the_last_stage(ids):
    """For systems that send whole seconds, or only a day: in no order and with no ids is a stage lost."""
    wrong = []
    for start, stages in sorted(set(list_runs_of_stages())):
        changes = [build_stage_change(s, NOON + HOUR, event_id=i) for s, i in zip(stages, ids, strict=False)]
        for order in permutations(changes):
            inbox = InMemoryInbox(build_referral(start)).receive(order)
            if (inbox.referral.stage, inbox.parked, inbox.rejected) != (stages[-1], [], []):
                wrong.append((start, [change.stage for change in order]))

    assert wrong == []


@pytest.mark.parametrize("start", STARTS)
def test_two_events_with_the_same_time_lead_to_the_same_stage_in_both_orders(start):
    """For every two legal steps in a row, with any ids."""
    wrong = []
    for first, second in list_two_steps(start):
        pair = [build_stage_change(first, event_id="evt_2"), build_stage_change(second, event_id="evt_1")]
        stages = {InMemoryInbox(build_referral(start)).receive(order).referral.stage for order in permutations(pair)}
        if len(stages) != 1 and not {first, second} & TERMINAL_STAGES:
            wrong.append((first, second))

    assert wrong == []


def list_two_steps(start: Stage):
    """Every two legal steps from a stage."""
    return chain.from_iterable(((f, s) for s in sorted(TRANSITIONS[f])) for f in sorted(TRANSITIONS[start]))


def test_an_ending_with_the_same_time_as_another_event_comes_last():
    """A death at the same second as another event ends the referral in either order."""
    pair = [build_stage_change(Stage.MONITORING, event_id="z"), build_stage_change(Stage.DECEASED, event_id="a")]
    inboxes = [InMemoryInbox(build_referral(Stage.INFUSED)).receive(order) for order in permutations(pair)]

    assert {inbox.referral.stage for inbox in inboxes} == {Stage.DECEASED}


def test_two_events_of_one_stage_and_time_are_ordered_by_id():
    """A stage that may follow itself, twice in one second: the greater id wins in both orders."""
    pair = [
        build_stage_change(Stage.CONSULT_SCHEDULED, event_id=event_id, source=EventSource.CENTER)
        for event_id in ("evt_1", "evt_2")
    ]
    last_orders = {
        InMemoryInbox(build_referral(Stage.ACCEPTED)).receive(order).referral.last_applied_order
        for order in permutations(pair)
    }

    assert last_orders == {EventOrder(NOON + HOUR, 0, "evt_2")}


def test_two_doses_with_the_same_time_both_count():
    """Doses are ordered by their number, regardless of their ids."""
    pair = [
        build_stage_change(Stage.INFUSED, event_id="b", part=1, of=2),
        build_stage_change(Stage.INFUSED, event_id="a", part=2, of=2),
    ]
    start = build_referral(Stage.LYMPHODEPLETION_STARTED)
    doses = {InMemoryInbox(start).receive(order).referral.doses_given for order in permutations(pair)}

    assert doses == {2}
    assert apply_event(apply_event(start, pair[0]), pair[1]).doses_given == 2


@pytest.mark.parametrize(("first", "second"), list(pairwise([None, 0, 1, 17])))
def test_the_senders_sequence_orders_events_with_the_same_time(first, second):
    """No sequence counts as zero; two zeros are ordered by stage."""
    back = build_stage_change(Stage.APHERESIS_SCHEDULED, event_id="a", sequence=second)
    done = build_stage_change(Stage.APHERESIS_COMPLETED, event_id="b", sequence=first)
    start = build_referral(Stage.APHERESIS_SCHEDULED)
    stages = {InMemoryInbox(start).receive(order).referral.stage for order in permutations([back, done])}
    is_tie = not first and not second

    assert stages == {Stage.APHERESIS_COMPLETED if is_tie else Stage.APHERESIS_SCHEDULED}


def test_the_utc_offset_does_not_change_the_order():
    """The same point in time in another time zone is the same order."""
    at = NOON + HOUR
    with_offset = at.astimezone(timezone(timedelta(hours=-7)))

    assert build_stage_change(Stage.ACCEPTED, at).order == build_stage_change(Stage.ACCEPTED, with_offset).order
