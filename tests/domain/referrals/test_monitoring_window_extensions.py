"""The center monitors longer: the day of hand-back moves."""

from datetime import date, timedelta
from itertools import permutations

import pytest

from chalicelib.domain.referrals.events import WindowExtended
from chalicelib.domain.referrals.monitoring_window import MilestoneKind
from chalicelib.domain.referrals.stages import Actor, Stage
from tests.support.referral_values import (
    HOUR,
    NOON,
    InMemoryInbox,
    apply_event,
    build_event,
    build_referral,
    build_stage_change,
    get_rejection,
    record_event,
)

INFUSED = apply_event(build_referral(Stage.LYMPHODEPLETION_STARTED), build_stage_change(Stage.INFUSED))
DAY = timedelta(days=1)


def longer(at=NOON + 2 * HOUR, ends_on=date(2026, 12, 14), **changed):
    """The center's word that it monitors until then."""
    return build_event(WindowExtended, at, ends_on=ends_on, **changed)


def test_an_extension_moves_the_day_of_handback():
    """And the reminder a week before it; the label's days stay."""
    window = apply_event(INFUSED, longer(reason_code="infection_hold")).window

    assert window is not None
    days = {m.kind: m.on for m in window.milestones}
    assert window.ends_on == date(2026, 12, 14)
    assert days[MilestoneKind.HANDBACK_TARGET] == date(2026, 12, 14)
    assert days[MilestoneKind.HANDBACK_NEAR] == date(2026, 12, 7)
    assert days[MilestoneKind.LABEL_MINIMUM_ENDS] == date(2026, 11, 16)
    assert window.extensions[0].reason_code == "infection_hold"


@pytest.mark.parametrize("stage", ["monitoring", "window_complete", "handback_ready"])
def test_an_extension_has_the_patient_monitored_again(stage):
    """Also where the window was already confirmed as complete."""
    line = ["monitoring", "window_complete", "handback_ready"]
    referral = INFUSED
    for n, name in enumerate(line[: line.index(stage) + 1], 2):
        referral = apply_event(referral, build_stage_change(Stage(name), NOON + n * HOUR))

    extended = apply_event(referral, longer(NOON + 9 * HOUR))

    assert (extended.stage, extended.stage_since) == (Stage.MONITORING, NOON + 9 * HOUR)


def test_an_extension_before_the_infusion_waits_for_it():
    """There is no window yet."""
    inbox = InMemoryInbox(build_referral(Stage.LYMPHODEPLETION_STARTED)).receive([longer(event_id="evt_2")])
    assert len(inbox.parked) == 1

    inbox.receive([build_stage_change(Stage.INFUSED)])

    assert inbox.parked == []
    assert inbox.referral.window is not None
    assert inbox.referral.window.ends_on == date(2026, 12, 14)


@pytest.mark.parametrize("days", [0, -1, -30])
def test_a_window_does_not_end_before_it_begins(days):
    """Nor on the day of the infusion."""
    event = longer(ends_on=date(2026, 11, 2) + days * DAY)

    assert get_rejection(INFUSED, event) == "ends_before_infusion"


def test_a_practice_does_not_extend():
    """The center monitors."""
    assert get_rejection(INFUSED, longer(actor=Actor.PRACTICE)) == "not_your_move"


@pytest.mark.parametrize("stage", [Stage.HANDED_BACK, Stage.FOLLOW_UP, Stage.LONG_TERM_FOLLOW_UP])
def test_nothing_is_extended_after_the_handback(stage):
    """The patient is back with the referring team."""
    back = build_referral(stage, window=INFUSED.window)

    assert get_rejection(back, longer()) == "window_over"


def test_an_extension_that_is_heard_of_after_the_handback_is_history():
    """It was true while the center monitored: nothing opens again, and the day is on record."""
    handed_back = build_stage_change(Stage.HANDED_BACK, NOON + 9 * HOUR)
    back = build_referral(Stage.HANDED_BACK, window=INFUSED.window, last_applied_order=handed_back.order)

    told = record_event(back, longer())

    assert told.stage is Stage.HANDED_BACK
    assert told.window is not None
    assert told.window.ends_on == date(2026, 12, 14)


def test_a_referral_that_ended_without_a_window_has_none_to_extend():
    """Refused for ever."""
    assert get_rejection(build_referral(Stage.DECLINED), longer()) == "referral_closed"


def test_of_two_extensions_the_one_that_was_true_later_counts():
    """In both orders, and both are told."""
    first = longer(NOON + 2 * HOUR, date(2026, 12, 20), event_id="a")
    second = longer(NOON + 3 * HOUR, date(2026, 12, 10), event_id="b")

    windows = [InMemoryInbox(INFUSED).receive(order).referral.window for order in permutations([first, second])]

    assert windows[0] == windows[1]
    assert windows[0] is not None
    assert windows[0].ends_on == date(2026, 12, 10)
    assert len(windows[0].extensions) == 2


def test_a_late_extension_moves_the_day_and_not_the_stage():
    """The window was confirmed as complete after the center had extended it."""
    complete = INFUSED
    for n, stage in enumerate((Stage.MONITORING, Stage.WINDOW_COMPLETE), 3):
        complete = apply_event(complete, build_stage_change(stage, NOON + n * HOUR))

    told = record_event(complete, longer(NOON + 2 * HOUR))

    assert told.stage is Stage.WINDOW_COMPLETE
    assert told.window is not None
    assert told.window.ends_on == date(2026, 12, 14)


def test_extensions_among_stages_end_alike_in_every_order():
    """120 orders of an infusion, its monitoring, its end, and an extension after it."""
    events = [
        build_stage_change(Stage.INFUSED, NOON + HOUR, event_id="evt_1"),
        build_stage_change(Stage.MONITORING, NOON + 2 * HOUR, event_id="evt_2"),
        build_stage_change(Stage.WINDOW_COMPLETE, NOON + 3 * HOUR, event_id="evt_3"),
        longer(NOON + 4 * HOUR, event_id="evt_4"),
        longer(NOON + 5 * HOUR, date(2026, 12, 24), event_id="evt_5"),
    ]
    start = build_referral(Stage.LYMPHODEPLETION_STARTED)

    ends = [InMemoryInbox(start).receive(order) for order in permutations(events)]

    told = {(e.referral.stage, e.referral.stage_since, e.referral.last_applied_order) for e in ends}
    assert told == {(Stage.MONITORING, NOON + 5 * HOUR, events[-1].order)}
    assert all(e.parked == [] and e.refused == [] for e in ends)
    assert len({e.referral.window for e in ends}) == 1
