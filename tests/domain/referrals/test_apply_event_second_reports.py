"""A center reports a step again after an ending; the state must not depend on the order of arrival."""

from dataclasses import replace
from datetime import timedelta
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.domain.referrals.events import EventSource
from chalicelib.domain.referrals.stages import TERMINAL_STAGES, Actor, Stage
from chalicelib.domain.referrals.transitions import list_transitions_from
from tests.support.main_path import DRAFT
from tests.support.referral_values import HOUR, NOON, InMemoryInbox, build_stage_change

DAY = timedelta(days=1)
SUBMITTED = build_stage_change(Stage.SUBMITTED, NOON, event_id="evt_submitted", source=EventSource.PRACTICE)
PATH = (
    *(Stage.ACCEPTED, Stage.CONSULT_SCHEDULED, Stage.CONSULT_COMPLETED, Stage.CENTER_PROCEED),
    *(Stage.APHERESIS_SCHEDULED, Stage.APHERESIS_COMPLETED, Stage.MANUFACTURING_STARTED),
    Stage.LYMPHODEPLETION_STARTED,
)
REPORTED_AGAIN = frozenset({Stage.CONSULT_COMPLETED, Stage.APHERESIS_COMPLETED, Stage.LYMPHODEPLETION_STARTED})
FEED, PERSON, PRACTICE = EventSource.CENTER_FEED, EventSource.CENTER, EventSource.PRACTICE


def build_steps(last):
    """The steps of a center's system up to `last`, two days apart."""
    steps = PATH[: PATH.index(last) + 1]
    return [build_stage_change(stage, NOON + n * 2 * DAY, event_id=f"evt_{n}") for n, stage in enumerate(steps, 1)]


def build_end(stage, at, source, event_id="evt_end"):
    """An ending, as the practice, a person of the center or its system reports it."""
    actor = Actor.PRACTICE if source is PRACTICE else Actor.CENTER
    return build_stage_change(stage, at, event_id=event_id, actor=actor, source=source)


def receive_until_accepted(known, events):
    """Receive events after those that are known, and those again that were refused."""
    inbox, waiting = InMemoryInbox(DRAFT).receive([SUBMITTED, *known]), list(events)
    for _ in events:
        inbox.receive(waiting)
        waiting = [e for e in events if e not in inbox.history and e not in inbox.parked]
    return inbox.referral


def get_end_state(referral):
    """Everything that readers see of where a referral is, and why."""
    status = referral.status
    return referral.stage, referral.stage_since, status.contradiction, status.reason_code, status.hold, referral.window


@pytest.mark.parametrize("between", [Stage.CENTER_PROCEED, Stage.ELIGIBILITY_PENDING, Stage.DEFERRED])
@pytest.mark.parametrize(
    ("ending", "source"),
    [(Stage.NOT_PROCEEDING, FEED), (Stage.NOT_PROCEEDING, PERSON), (Stage.WITHDRAWN, PRACTICE)],
)
def test_a_consultation_that_is_reported_again_after_an_ending_contradicts_it_in_every_order(between, ending, source):
    """The step between them is refused while the referral is closed, and must not decide which report is right."""
    *known, completed = build_steps(Stage.CONSULT_COMPLETED)
    end = build_end(ending, completed.occurred_at + 2 * DAY, source)
    step = build_stage_change(between, end.occurred_at + 2 * DAY, event_id="evt_between")
    again = replace(completed, event_id="evt_again", occurred_at=end.occurred_at + 20 * DAY)

    states = [receive_until_accepted(known, order) for order in permutations([completed, end, step, again])]

    assert {state.stage for state in states} == {between}
    assert {state.status.contradiction.step_at for state in states} == {again.occurred_at}
    assert all(get_end_state(state) == get_end_state(states[0]) for state in states)


@pytest.mark.parametrize("stage", sorted(REPORTED_AGAIN))
@pytest.mark.parametrize("source", [FEED, PERSON])
def test_a_step_that_a_person_reports_again_after_an_ending_contradicts_it(stage, source):
    """A person does not repeat a status every night: the same status again is a new date."""
    *known, step = build_steps(stage)
    end = build_end(Stage.NOT_PROCEEDING, step.occurred_at + 2 * DAY, source)
    again = replace(step, event_id="evt_again", source=PERSON, occurred_at=end.occurred_at + 20 * DAY)

    states = [receive_until_accepted(known, order) for order in permutations([step, end, again])]

    assert {state.stage for state in states} == {stage}
    assert {(state.status.contradiction.step, state.status.contradiction.step_at) for state in states} == {
        (stage, again.occurred_at)
    }
    assert all(get_end_state(state) == get_end_state(states[0]) for state in states)


@pytest.mark.parametrize(
    ("ending", "source"),
    [(Stage.NOT_PROCEEDING, FEED), (Stage.NOT_PROCEEDING, PERSON), (Stage.WITHDRAWN, PRACTICE)],
)
def test_a_nightly_repeat_does_not_contradict_an_ending(ending, source):
    """The center's system does not know of it yet: some nights may pass before anyone enters the ending there."""
    *known, completed = build_steps(Stage.CONSULT_COMPLETED)
    end = build_end(ending, completed.occurred_at + 2 * DAY, source)
    nights = [replace(completed, event_id=f"evt_night_{n}", occurred_at=end.occurred_at + n * DAY) for n in (1, 2)]

    states = [receive_until_accepted(known, order) for order in permutations([completed, end, *nights])]

    assert {(state.stage, state.stage_since) for state in states} == {(ending, end.occurred_at)}
    assert {state.status.contradiction for state in states} == {None}


def test_the_first_of_several_reports_after_an_ending_is_shown_in_every_order():
    """Both sides are asked about the same day, whichever report came first."""
    *known, completed = build_steps(Stage.CONSULT_COMPLETED)
    end = build_end(Stage.NOT_PROCEEDING, completed.occurred_at + 2 * DAY, FEED)
    step = build_stage_change(Stage.CENTER_PROCEED, completed.occurred_at + DAY, event_id="evt_between")
    again = [replace(completed, event_id=f"evt_again_{n}", occurred_at=end.occurred_at + n * DAY) for n in (3, 9)]

    states = [receive_until_accepted(known, order) for order in permutations([completed, step, end, *again])]

    assert {state.status.contradiction.step_at for state in states} == {again[0].occurred_at}
    assert all(get_end_state(state) == get_end_state(states[0]) for state in states)


@st.composite
def histories_with_second_reports(draw):
    """A true course, with an ending or two in the middle, and steps that are reported again after all of it."""
    known = build_steps(draw(st.sampled_from(PATH[1:])))
    course = [SUBMITTED, *known]
    for n in range(draw(st.integers(0, 3))):
        last = course[-1]
        possible = [
            stage
            for stage, actors in list_transitions_from(last.stage).items()
            if Actor.CENTER in actors and stage not in TERMINAL_STAGES | {Stage.INFUSED}
        ]
        at = last.occurred_at + draw(st.integers(30, 90)) * HOUR
        course.append(build_stage_change(draw(st.sampled_from(sorted(possible))), at, event_id=f"evt_more_{n}"))
    ends = [end for n in range(draw(st.integers(1, 2))) if (end := _draw_end(draw, course, n))]
    reached = [step for step in course if step.stage in REPORTED_AGAIN]
    again = [
        replace(
            draw(st.sampled_from(reached)),
            event_id=f"evt_again_{n}",
            source=draw(st.sampled_from([FEED, PERSON])),
            occurred_at=course[-1].occurred_at + draw(st.integers(30, 300)) * HOUR,
        )
        for n in range(draw(st.integers(1, 2)) if reached else 0)
    ]
    return known[:-1], [*course[len(known) :], *ends, *again]


def _draw_end(draw, course, n):
    """An ending that is legal where its time puts it, before the next step of the course; None if none is."""
    before = draw(st.sampled_from(course[-5:]))
    legal = sorted(
        (stage, actor)
        for stage, actors in list_transitions_from(before.stage).items()
        if stage in TERMINAL_STAGES - {Stage.DECEASED}
        for actor in actors
    )
    if not legal:
        return None
    stage, actor = draw(st.sampled_from(legal))
    source = PRACTICE if actor is Actor.PRACTICE else draw(st.sampled_from([FEED, PERSON]))
    return build_end(stage, before.occurred_at + (26 + n) * HOUR, source, f"evt_end_{n}")


@settings(max_examples=60)
@given(drawn=histories_with_second_reports(), data=st.data())
def test_steps_that_are_reported_again_after_an_ending_lead_to_the_same_state_in_every_order(drawn, data):
    """Some steps are refused while the referral is closed, and sent again by their sender."""
    known, events = drawn
    in_order = receive_until_accepted(known, sorted(events, key=lambda event: event.order))

    shuffled = receive_until_accepted(known, data.draw(st.permutations(events)))

    assert get_end_state(shuffled) == get_end_state(in_order)


PATIENT_TOOK_PART = {
    *("consult_completed", "apheresis_completed", "lymphodepletion_started", "infused", "monitoring"),
    *("window_complete", "handback_ready", "handed_back", "follow_up", "long_term_follow_up"),
}


def is_contradicted(ending, steps):
    """Read the contract without a path: does a later step need the patient, and is more than a nightly repeat?"""
    last_of_system = None
    for step in sorted(steps, key=lambda event: event.order):
        is_repeat = step.source is FEED and step.stage is last_of_system
        if step.source is FEED:
            last_of_system = step.stage
        if step.stage.value in PATIENT_TOOK_PART and step.occurred_at > ending.occurred_at and not is_repeat:
            return True
    return False


@settings(max_examples=60)
@given(drawn=histories_with_second_reports())
def test_a_referral_stays_open_if_every_ending_is_contradicted(drawn):
    """A second, simpler reading of the contract agrees with the product about every history."""
    known, events = drawn
    ends = [event for event in events if event.stage in TERMINAL_STAGES]
    steps = [*known, *(event for event in events if event not in ends)]

    state = receive_until_accepted(known, events)

    assert (state.stage not in TERMINAL_STAGES) == all(is_contradicted(end, steps) for end in ends)
