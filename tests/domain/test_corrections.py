"""An earlier report was wrong: the history keeps it, and it counts no more."""

from dataclasses import replace
from datetime import date
from itertools import permutations

import pytest

from chalicelib.domain.referrals.events import HoldStarted, WindowExtended
from chalicelib.domain.referrals.stages import Actor, Stage
from tests.support.journey import (
    HOUR,
    NOON,
    Inbox,
    a_change,
    a_setting,
    an_event,
    refusal,
)
from tests.support.line import DAY, DRAFT, a_correction, at, line_to, told, told_to


def test_a_stage_that_was_reported_by_mistake_is_taken_back():
    """The referral stands where it stood before."""
    inbox = told_to("consult_scheduled").take([a_correction("consult_scheduled")])

    assert (inbox.referral.stage, inbox.refused) == (Stage.ACCEPTED, [])
    assert inbox.referral.stage_since == at("accepted")
    assert Stage.CONSULT_SCHEDULED not in inbox.referral.reached


def test_a_correction_is_one_write():
    """However long the history is that it folds."""
    inbox = told_to("infused")
    before = inbox.referral.version

    assert inbox.take([a_correction("infused")]).referral.version == before + 1


@pytest.mark.parametrize("days", [0, 1, 9])
def test_a_corrected_infusion_opens_the_window_anew(days):
    """Every day of it is counted from what really happened."""
    really = at("infused") + days * DAY - HOUR
    inbox = told_to("infused").take([a_correction("infused", a_change(Stage.INFUSED, really))])

    window = inbox.referral.window
    assert window is not None
    assert window.infused_on == date(2026, 11, 12) + days * DAY
    assert window.ends_on == window.infused_on + 28 * DAY


def test_an_infusion_is_not_corrected_to_before_what_leads_to_it():
    """It would be history only, and the patient would be monitored by no window."""
    inbox = told_to("infused")
    wrong = a_correction("infused", a_change(Stage.INFUSED, at("infused") - 2 * DAY))

    assert refusal(inbox.referral, wrong, *inbox.history) == "replacement_not_legal"


def test_an_infusion_that_never_was_leaves_no_window():
    """Nothing is planned from it any more."""
    referral = told_to("infused").take([a_correction("infused")]).referral

    assert (referral.stage, referral.window) == (Stage.LYMPHODEPLETION_STARTED, None)
    assert referral.part == 0


def test_an_extension_that_never_was_is_taken_back():
    """The day of hand-back is the default again."""
    longer = an_event(
        WindowExtended, NOON + 20 * DAY, event_id="evt_longer", ends_on=date(2026, 12, 30)
    )
    window = told_to("monitoring").take([longer, a_correction("longer")]).referral.window

    assert window is not None
    assert (window.ends_on, window.extensions) == (date(2026, 12, 10), ())


def test_the_figures_of_an_open_window_stay():
    """A catalogue that has changed since moves no date of a patient who is being monitored."""
    inbox = told_to("infused")
    setting = a_setting(replace(a_setting().profile, handback_target_day=99))
    inbox.setting = setting

    window = inbox.take([a_correction("infused", a_change(Stage.INFUSED, at("infused")))])

    assert window.referral.window is not None
    assert window.referral.window.ends_on == date(2026, 12, 10)


def test_of_two_corrections_the_last_word_counts():
    """In both orders: there and back again."""
    away = a_correction("infused", a_change(Stage.INFUSED, at("infused") + 2 * DAY))
    back = a_correction(
        "infused", a_change(Stage.INFUSED, at("infused")), moment=NOON + 91 * DAY, n=2
    )

    ends = [told_to("infused").take(order) for order in permutations([away, back])]

    assert told(ends[0]) == told(ends[1])
    window = ends[0].referral.window
    assert window is not None
    assert window.infused_on == date(2026, 11, 12)


def test_a_correction_that_is_quicker_than_what_it_corrects_waits():
    """It settles when that arrives."""
    inbox = told_to("received").take([a_correction("accepted")])
    assert len(inbox.parked) == 1

    inbox.take([a_change(Stage.ACCEPTED, at("accepted"), event_id="evt_accepted")])

    assert (inbox.referral.stage, inbox.parked) == (Stage.RECEIVED, [])


def test_a_correction_settles_behind_what_is_history_only():
    """What it corrects arrives late, and moves nothing."""
    events = line_to("accepted")
    inbox = Inbox(DRAFT).take([events[0], events[2], a_correction("received"), events[1]])

    assert (inbox.referral.stage, inbox.parked) == (Stage.ACCEPTED, [])
    assert Stage.RECEIVED not in inbox.referral.reached


def test_what_was_left_hanging_fits_again_behind_the_right_report():
    """The decision was taken back and made again earlier; what followed it still happened."""
    inbox = told_to("apheresis_scheduled").take([a_correction("center_proceed")])
    taken_back = inbox.referral.stage
    again = a_change(Stage.CENTER_PROCEED, at("center_proceed") - HOUR, event_id="evt_again")

    inbox.take([again])

    assert taken_back is Stage.CONSULT_COMPLETED
    assert inbox.referral.stage is Stage.APHERESIS_SCHEDULED


def test_the_feeds_count_survives_a_correction():
    """What was superseded did arrive, and what was lost is still lost."""
    events = [replace(e, sequence=n) for n, e in enumerate(line_to("accepted"), 1)]
    inbox = Inbox(DRAFT).take(events)
    lost = replace(inbox.referral.overlay, updates_lost=2)
    inbox.referral = replace(inbox.referral, overlay=lost)

    inbox.take(
        [
            replace(a_correction("accepted"), sequence=4),
            replace(a_correction("received", n=2), sequence=5),
        ]
    )

    assert inbox.referral.overlay.feed.missing == ()
    assert inbox.referral.overlay.updates_lost == 2


def test_what_is_not_there_is_not_corrected_yet():
    """It may still arrive."""
    inbox = told_to("accepted")

    assert refusal(inbox.referral, a_correction("unknown"), *inbox.history) == "waits"


def test_nobody_corrects_the_other_side():
    """The practice its own reports, the center its own."""
    inbox = told_to("accepted")
    by_practice = a_correction("accepted", actor=Actor.PRACTICE)

    assert refusal(inbox.referral, by_practice, *inbox.history) == "not_your_move"


def test_a_submission_is_not_corrected():
    """It is withdrawn."""
    inbox = told_to("accepted")
    wrong = a_correction("submitted", actor=Actor.PRACTICE)

    assert refusal(inbox.referral, wrong, *inbox.history) == "not_correctable"


def test_neither_a_hold_nor_a_correction_is_corrected():
    """The one is ended, the other corrected anew by way of what it corrected."""
    inbox = told_to("accepted").take([an_event(HoldStarted, NOON + 5 * DAY, event_id="evt_hold")])
    inbox.take([a_correction("received", n="x")])
    wrongs = [a_correction("hold", n=2), a_correction("correction_x", n=3)]

    reasons = {refusal(inbox.referral, wrong, *inbox.history) for wrong in wrongs}

    assert reasons == {"not_correctable"}


def test_a_replacement_that_nothing_leads_to_yet_waits():
    """As the same report would by itself; what leads there may be on its way."""
    inbox = told_to("accepted")
    wrong = a_correction("accepted", a_change(Stage.INFUSED, at("accepted")))

    assert refusal(inbox.referral, wrong, *inbox.history) == "waits"


def test_a_correction_waits_for_what_lies_before_its_replacement():
    """A new date was history when it came, and the fold puts it in front of the replacement."""
    *line, proceed = line_to("center_proceed")
    then = at("center_proceed")
    deferred = a_change(Stage.DEFERRED, then - 3 * HOUR, event_id="evt_deferred")
    new_date = a_change(Stage.CONSULT_SCHEDULED, then - 2 * HOUR, event_id="evt_new_date")
    seen_again = a_change(Stage.CONSULT_COMPLETED, then - HOUR, event_id="evt_seen_again")
    later = a_correction("center_proceed", a_change(Stage.CENTER_PROCEED, then + HOUR))

    inbox = Inbox(DRAFT).take([*line, deferred, proceed, new_date, later, seen_again])

    assert (inbox.refused, inbox.parked) == ([], [])
    assert inbox.referral.stage_since == then + HOUR


def test_a_hold_outlives_a_correction():
    """The fold lays it over the stage again."""
    inbox = told_to("accepted").take([an_event(HoldStarted, NOON + 5 * DAY, event_id="evt_hold")])

    held = inbox.take([a_correction("received")]).referral

    assert held.overlay.hold is not None
