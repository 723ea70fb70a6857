"""Extensions of the monitoring window: the day of return to the practice moves."""

from datetime import date, timedelta
from itertools import permutations

import pytest

from chalicelib.domain.referrals.events import WindowExtended
from chalicelib.domain.referrals.monitoring_window import MilestoneKind
from chalicelib.domain.referrals.stage_changes import with_extension
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


def extend(at=NOON + 2 * HOUR, ends_on=date(2026, 12, 14), **changed):
    """Build an extension of the window."""
    return build_event(WindowExtended, at, ends_on=ends_on, **changed)


def test_an_extension_moves_the_day_of_return():
    """And the reminder a week before it; the days of the label stay."""
    window = apply_event(INFUSED, extend(reason_code="infection_hold")).window

    assert window is not None
    dates = {m.kind: m.on for m in window.milestones}
    assert window.ends_on == date(2026, 12, 14)
    assert dates[MilestoneKind.HANDBACK_TARGET] == date(2026, 12, 14)
    assert dates[MilestoneKind.HANDBACK_NEAR] == date(2026, 12, 7)
    assert dates[MilestoneKind.LABEL_MINIMUM_ENDS] == date(2026, 11, 16)
    assert window.extensions[0].reason_code == "infection_hold"


@pytest.mark.parametrize("stage", ["monitoring", "window_complete", "handback_ready"])
def test_an_extension_returns_the_patient_to_monitoring(stage):
    """Even if the window was already confirmed as complete."""
    path = ["monitoring", "window_complete", "handback_ready"]
    referral = INFUSED
    for n, name in enumerate(path[: path.index(stage) + 1], 2):
        referral = apply_event(referral, build_stage_change(Stage(name), NOON + n * HOUR))

    extended = apply_event(referral, extend(NOON + 9 * HOUR))

    assert (extended.stage, extended.stage_since) == (Stage.MONITORING, NOON + 9 * HOUR)


def test_an_extension_to_the_known_day_of_return_is_recorded():
    """Nothing moves, so no one is notified, as if the extension had arrived late."""
    monitored = apply_event(INFUSED, build_stage_change(Stage.MONITORING, NOON + 2 * HOUR))
    extended = apply_event(monitored, extend(NOON + 3 * HOUR))

    first = record_event(monitored, extend(NOON + 3 * HOUR, ends_on=date(2026, 11, 30)))
    again = record_event(extended, extend(NOON + 4 * HOUR))

    assert (first.stage, again.stage) == (Stage.MONITORING, Stage.MONITORING)
    assert first.window is not None
    assert first.window.ends_on == date(2026, 11, 30)


def test_an_extension_is_parked_until_the_infusion_arrives():
    """There is no window yet."""
    inbox = InMemoryInbox(build_referral(Stage.LYMPHODEPLETION_STARTED)).receive([extend(event_id="evt_2")])
    assert len(inbox.parked) == 1

    inbox.receive([build_stage_change(Stage.INFUSED)])

    assert inbox.parked == []
    assert inbox.referral.window is not None
    assert inbox.referral.window.ends_on == date(2026, 12, 14)


@pytest.mark.parametrize(
    ("referral", "extension", "code"),
    [
        *((INFUSED, extend(ends_on=date(2026, 11, 2) + n * DAY), "ends_before_infusion") for n in (0, -1, -30)),
        (INFUSED, extend(actor=Actor.PRACTICE), "not_your_move"),
        *(
            (build_referral(stage, window=INFUSED.window), extend(), "window_over")
            for stage in (Stage.HANDED_BACK, Stage.FOLLOW_UP, Stage.LONG_TERM_FOLLOW_UP)
        ),
        (build_referral(Stage.DECLINED), extend(), "referral_closed"),
    ],
)
def test_an_extension_that_can_never_apply_is_rejected(referral, extension, code):
    """It must end after the infusion, come from the center, before the return, and extend a window."""
    assert get_rejection(referral, extension) == code


def test_an_extension_that_arrives_after_the_return_moves_the_day_of_return():
    """It was true while the center monitored: the stage stays, and both sides are notified as if it were on time."""
    returned = build_stage_change(Stage.HANDED_BACK, NOON + 9 * HOUR)
    referral = build_referral(Stage.HANDED_BACK, window=INFUSED.window, last_applied_order=returned.order)

    extended = apply_event(referral, extend())

    assert extended.stage is Stage.HANDED_BACK
    assert extended.window is not None
    assert extended.window.ends_on == date(2026, 12, 14)


def test_of_two_extensions_the_one_that_was_true_later_counts():
    """In both orders of arrival, and both are kept."""
    first = extend(NOON + 2 * HOUR, date(2026, 12, 20), event_id="a")
    second = extend(NOON + 3 * HOUR, date(2026, 12, 10), event_id="b")

    windows = [InMemoryInbox(INFUSED).receive(order).referral.window for order in permutations([first, second])]

    assert windows[0] == windows[1]
    assert windows[0] is not None
    assert windows[0].ends_on == date(2026, 12, 10)
    assert len(windows[0].extensions) == 2


def test_a_late_extension_moves_the_day_of_return_but_not_the_stage():
    """The window was confirmed as complete after the center had extended it."""
    complete = INFUSED
    for n, stage in enumerate((Stage.MONITORING, Stage.WINDOW_COMPLETE), 3):
        complete = apply_event(complete, build_stage_change(stage, NOON + n * HOUR))

    extended = apply_event(complete, extend(NOON + 2 * HOUR))

    assert extended.stage is Stage.WINDOW_COMPLETE
    assert extended.window is not None
    assert extended.window.ends_on == date(2026, 12, 14)


def test_extensions_and_stage_changes_lead_to_the_same_state_in_every_order():
    """120 orders of an infusion, monitoring, the end of the window, and two extensions."""
    events = [
        build_stage_change(Stage.INFUSED, NOON + HOUR, event_id="evt_1"),
        build_stage_change(Stage.MONITORING, NOON + 2 * HOUR, event_id="evt_2"),
        build_stage_change(Stage.WINDOW_COMPLETE, NOON + 3 * HOUR, event_id="evt_3"),
        extend(NOON + 4 * HOUR, event_id="evt_4"),
        extend(NOON + 5 * HOUR, date(2026, 12, 24), event_id="evt_5"),
    ]
    start = build_referral(Stage.LYMPHODEPLETION_STARTED)

    inboxes = [InMemoryInbox(start).receive(order) for order in permutations(events)]

    states = {(i.referral.stage, i.referral.stage_since, i.referral.last_applied_order) for i in inboxes}
    assert states == {(Stage.MONITORING, NOON + 5 * HOUR, events[-1].order)}
    assert all(i.parked == [] and i.rejected == [] for i in inboxes)
    assert len({i.referral.window for i in inboxes}) == 1


def test_an_extension_to_the_known_day_returns_the_patient_to_monitoring():
    """The window was confirmed as complete too early: the day stays, and the status changes."""
    monitored = apply_event(INFUSED, build_stage_change(Stage.MONITORING, NOON + 2 * HOUR))
    complete = apply_event(monitored, build_stage_change(Stage.WINDOW_COMPLETE, NOON + 3 * HOUR))
    assert complete.window is not None

    extended = apply_event(complete, extend(NOON + 9 * HOUR, ends_on=complete.window.ends_on))

    assert extended.stage is Stage.MONITORING


def test_an_extension_to_a_day_before_the_infusion_changes_no_window():
    """As after a correction of the infusion to a later day."""
    assert INFUSED.window is not None

    assert with_extension(INFUSED, extend(ends_on=INFUSED.window.infused_on)) == INFUSED


@pytest.mark.parametrize("parts_first_reported", [1, 2])
def test_a_second_part_of_the_dose_keeps_the_extension(parts_first_reported):
    """The window starts again with the second part, and still ends on the day to which the center extended it.

    Also if the center said first that the dose has one part only. Then the window is open before the second one.
    """
    first = build_stage_change(Stage.INFUSED, NOON + HOUR, event_id="evt_1", of=parts_first_reported)
    second = build_stage_change(Stage.INFUSED, NOON + 9 * DAY, event_id="evt_2", of=2, part=2)
    extension = extend(event_id="evt_extension", ends_on=date(2026, 12, 24))

    inbox = InMemoryInbox(build_referral(Stage.LYMPHODEPLETION_STARTED)).receive([first, extension, second])

    assert inbox.referral.doses_given == 2
    assert inbox.referral.window is not None
    assert inbox.referral.window.ends_on == date(2026, 12, 24)
