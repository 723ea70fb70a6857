"""What is decided as events arrive is what a replay of the whole history gives, for every history."""

from dataclasses import replace
from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.domain.referrals.events import EventSource, HoldStarted, ReferralEvent, WindowExtended
from chalicelib.domain.referrals.history import replay
from chalicelib.domain.referrals.stages import TERMINAL_STAGES, Actor, Stage
from chalicelib.domain.referrals.transitions import list_actors_for, list_transitions_from
from tests.support.main_path import DRAFT
from tests.support.referral_values import HOUR, NOON, InMemoryInbox, build_context, build_event, build_stage_change

DAY = timedelta(days=1)
_SOURCES = {Actor.PRACTICE: EventSource.PRACTICE, Actor.SYSTEM: EventSource.SYSTEM}


@st.composite
def any_histories(draw, *, longest=14, earliest_hours=-30):
    """Events in any order, legal or not: steps, endings, extensions and holds of every sender."""
    stage = Stage.SUBMITTED
    events: list[ReferralEvent] = [build_stage_change(stage, NOON, event_id="evt_00", source=EventSource.PRACTICE)]
    for n in range(1, draw(st.integers(2, longest))):
        at = NOON + draw(st.integers(earliest_hours, 400)) * HOUR
        event_id = f"evt_{n:02d}"
        kind = draw(st.integers(0, 9))
        if kind == 0:
            events.append(build_event(HoldStarted, at, event_id=event_id))
        elif kind == 1:
            ends_on = (NOON + draw(st.integers(1, 60)) * DAY).date()
            events.append(build_event(WindowExtended, at, event_id=event_id, ends_on=ends_on))
        else:
            legal = sorted(list_transitions_from(stage)) or [Stage.DECEASED]
            stage = draw(st.sampled_from(legal if kind < 8 else sorted(set(Stage) - {Stage.DRAFT})))
            events.append(_draw_step(draw, stage, at, event_id))
    return draw(st.permutations(events))


def _draw_step(draw, stage, at, event_id):
    actor = draw(st.sampled_from(sorted(list_actors_for(stage))))
    center_source = draw(st.sampled_from([EventSource.CENTER, EventSource.CENTER_FEED]))
    is_whole_day = draw(st.booleans()) and actor is Actor.CENTER
    at = at.replace(hour=5, minute=0) if is_whole_day else at
    source = _SOURCES.get(actor, center_source)
    return build_stage_change(stage, at, event_id=event_id, actor=actor, source=source, is_whole_day=is_whole_day)


@settings(max_examples=200)
@given(events=any_histories())
def test_the_state_after_every_event_is_the_replay_of_the_history(events):
    """Legal or not, in any order: nothing depends on when an event arrived."""
    require_agreement(DRAFT, events)


@settings(max_examples=200)
@given(events=any_histories(earliest_hours=-50 * 24), days=st.integers(0, 60))
def test_the_history_of_a_patient_already_on_the_way_is_its_replay_too(events, days):
    """Some steps are before the day of the referral, and some between it and the submission."""
    referred_on = (NOON - days * DAY).date().isoformat()

    require_agreement(replace(DRAFT, details={**DRAFT.details, "referred_on": referred_on}), events)


def require_agreement(draft, events):
    """Compare the state after each event with a replay of what was received."""
    inbox = InMemoryInbox(draft)
    for event in events:
        inbox.receive([event])

        replayed = replay(inbox.referral, inbox.history, build_context())
        assert replace(replayed, version=0, updated_at=NOON) == replace(inbox.referral, version=0, updated_at=NOON)


@settings(max_examples=200)
@given(events=any_histories(), data=st.data())
def test_a_late_step_never_becomes_the_current_status(events, data):
    """Its sender dated it before the current status. It may explain other events, but it moves nothing itself."""
    inbox = InMemoryInbox(DRAFT).receive(events)
    newest = [e for e in inbox.history if e.order == inbox.referral.last_applied_order]
    if not newest or newest[0].source is not EventSource.CENTER_FEED or inbox.referral.stage in TERMINAL_STAGES:
        return
    before = min(newest[0].occurred_at, NOON) - 2 * DAY
    others = set(Stage) - TERMINAL_STAGES - {inbox.referral.stage}
    steps = sorted(stage for stage in others if Actor.CENTER in list_actors_for(stage))
    late = build_stage_change(data.draw(st.sampled_from(steps)), before, event_id="evt_late")

    inbox.receive([late])

    assert inbox.referral.last_applied_order != late.order


@st.composite
def clock_histories(draw):
    """The true course of a referral, and the same events as slow, dateless and repetitive senders report them."""
    stage, at = Stage.SUBMITTED, NOON
    true: list[tuple[Stage, datetime, Actor]] = []
    for _ in range(draw(st.integers(2, 10))):
        choices = sorted(s for s in list_transitions_from(stage) if s not in TERMINAL_STAGES and s is not stage)
        if not choices:
            break
        stage = draw(st.sampled_from(choices))
        at += timedelta(hours=draw(st.integers(30, 200)), minutes=draw(st.integers(1, 59)))
        if stage in {step for step, _, _ in true}:
            # Within two days of the answer, a slow system's second question looks like a repeat (decision 0030).
            at += 2 * DAY
        true.append((stage, at, min(list_transitions_from(true[-1][0] if true else Stage.SUBMITTED)[stage])))
    slow = timedelta(minutes=draw(st.integers(0, 24 * 60)))
    whole_days = draw(st.booleans())
    events = []
    for n, (step, moment, actor) in enumerate(true, 1):
        seen = moment - slow if actor is Actor.CENTER else moment
        is_whole_day = whole_days and actor is Actor.CENTER
        seen = seen.replace(hour=5, minute=0) if is_whole_day else seen
        source = _SOURCES.get(actor, EventSource.CENTER_FEED)
        events.append(
            build_stage_change(
                step, seen, event_id=f"evt_{n:02d}", actor=actor, source=source, is_whole_day=is_whole_day
            )
        )
    return events, stage, draw(st.lists(st.integers(0, len(events) - 1), max_size=4))


@settings(max_examples=200)
@given(drawn=clock_histories(), data=st.data())
def test_slow_clocks_whole_days_and_nightly_repeats_lead_to_the_true_status_in_every_order(drawn, data):
    """A center's clock up to a day slow, dates without times, and the current status again every night."""
    events, stage, repeated = drawn
    submitted = build_stage_change(Stage.SUBMITTED, NOON, event_id="evt_00", source=EventSource.PRACTICE)
    nightly = [
        replace(events[n], event_id=f"evt_{n + 1:02d}_again_{k}", occurred_at=events[n].occurred_at + HOUR)
        for k, n in enumerate(repeated)
        if events[n].actor is Actor.CENTER and events[n].part == 1
    ]
    in_order = InMemoryInbox(DRAFT).receive([submitted, *events])

    shuffled = InMemoryInbox(DRAFT).receive([submitted, *data.draw(st.permutations([*events, *nightly]))])

    assert (in_order.referral.stage, in_order.parked, in_order.rejected) == (stage, [], [])
    assert (shuffled.referral.stage, shuffled.parked, shuffled.rejected) == (stage, [], [])
    if len({e.stage for e in events}) == len(events):
        assert shuffled.referral.stage_since == in_order.referral.stage_since


@settings(max_examples=200)
@given(
    drawn=clock_histories(), ending=st.sampled_from([Stage.DECEASED, Stage.WITHDRAWN, Stage.DECLINED]), data=st.data()
)
def test_a_history_with_an_ending_leads_to_the_same_stage_in_every_order(drawn, ending, data):
    """A death always counts; another ending counts unless a later step shows that the patient continued."""
    events, _, _ = drawn
    submitted = build_stage_change(Stage.SUBMITTED, NOON, event_id="evt_00", source=EventSource.PRACTICE)
    at = NOON + data.draw(st.integers(1, 2000)) * HOUR
    actor = Actor.CENTER if ending is Stage.DECLINED else Actor.PRACTICE
    source = _SOURCES.get(actor, EventSource.CENTER_FEED)
    end = build_stage_change(ending, at, event_id="evt_end", actor=actor, source=source)
    last = InMemoryInbox(DRAFT).receive([submitted, *events, end])
    order = data.draw(st.permutations([*events, end]))

    shuffled = InMemoryInbox(DRAFT).receive([submitted, *order])
    for _ in events:  # The center sends again what was refused because the referral had ended.
        shuffled.receive([e for e in order if e not in shuffled.history and e not in shuffled.parked])

    if ending is Stage.DECEASED:
        assert shuffled.referral.stage is Stage.DECEASED
    elif end in last.history:
        assert shuffled.referral.stage is last.referral.stage
        assert shuffled.referral.status.contradiction == last.referral.status.contradiction
