"""An earlier report was wrong: the history keeps it, and it counts no more."""

from dataclasses import replace
from datetime import date
from itertools import permutations

import pytest

from chalicelib.domain.referrals.events import HoldStarted, WindowExtended
from chalicelib.domain.referrals.stages import Actor, Stage
from tests.support.main_path import (
    DAY,
    DRAFT,
    build_correction,
    build_inbox_to,
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
    build_stage_change,
    get_rejection,
)


def test_a_stage_that_was_reported_by_mistake_is_taken_back():
    """The referral stands where it stood before."""
    inbox = build_inbox_to("consult_scheduled").receive([build_correction("consult_scheduled")])

    assert (inbox.referral.stage, inbox.refused) == (Stage.ACCEPTED, [])
    assert inbox.referral.stage_since == compute_time("accepted")
    assert Stage.CONSULT_SCHEDULED not in inbox.referral.stage_entered_at


def test_a_correction_is_one_write():
    """However long the history is that it folds."""
    inbox = build_inbox_to("infused")
    before = inbox.referral.version

    assert inbox.receive([build_correction("infused")]).referral.version == before + 1


@pytest.mark.parametrize("days", [0, 1, 9])
def test_a_corrected_infusion_opens_the_window_anew(days):
    """Every day of it is counted from what really happened."""
    really = compute_time("infused") + days * DAY - HOUR
    inbox = build_inbox_to("infused").receive([build_correction("infused", build_stage_change(Stage.INFUSED, really))])

    window = inbox.referral.window
    assert window is not None
    assert window.infused_on == date(2026, 11, 12) + days * DAY
    assert window.ends_on == window.infused_on + 28 * DAY


def test_an_infusion_is_not_corrected_to_before_what_leads_to_it():
    """It would be history only, and the patient would be monitored by no window."""
    inbox = build_inbox_to("infused")
    wrong = build_correction("infused", build_stage_change(Stage.INFUSED, compute_time("infused") - 2 * DAY))

    assert get_rejection(inbox.referral, wrong, *inbox.history) == "replacement_not_legal"


def test_an_infusion_that_never_was_leaves_no_window():
    """Nothing is planned from it any more."""
    referral = build_inbox_to("infused").receive([build_correction("infused")]).referral

    assert (referral.stage, referral.window) == (Stage.LYMPHODEPLETION_STARTED, None)
    assert referral.doses_given == 0


def test_an_extension_that_never_was_is_taken_back():
    """The day of hand-back is the default again."""
    longer = build_event(WindowExtended, NOON + 20 * DAY, event_id="evt_longer", ends_on=date(2026, 12, 30))
    window = build_inbox_to("monitoring").receive([longer, build_correction("longer")]).referral.window

    assert window is not None
    assert (window.ends_on, window.extensions) == (date(2026, 12, 10), ())


def test_the_figures_of_an_open_window_stay():
    """A catalogue that has changed since moves no date of a patient who is being monitored."""
    inbox = build_inbox_to("infused")
    setting = build_context(replace(build_context().profile, handback_target_day=99))
    inbox.setting = setting

    window = inbox.receive([build_correction("infused", build_stage_change(Stage.INFUSED, compute_time("infused")))])

    assert window.referral.window is not None
    assert window.referral.window.ends_on == date(2026, 12, 10)


def test_of_two_corrections_the_last_word_counts():
    """In both orders: there and back again."""
    away = build_correction("infused", build_stage_change(Stage.INFUSED, compute_time("infused") + 2 * DAY))
    back = build_correction(
        "infused", build_stage_change(Stage.INFUSED, compute_time("infused")), moment=NOON + 91 * DAY, n=2
    )

    ends = [build_inbox_to("infused").receive(order) for order in permutations([away, back])]

    assert get_final_state(ends[0]) == get_final_state(ends[1])
    window = ends[0].referral.window
    assert window is not None
    assert window.infused_on == date(2026, 11, 12)


def test_a_correction_that_is_quicker_than_what_it_corrects_waits():
    """It settles when that arrives."""
    inbox = build_inbox_to("received").receive([build_correction("accepted")])
    assert len(inbox.parked) == 1

    inbox.receive([build_stage_change(Stage.ACCEPTED, compute_time("accepted"), event_id="evt_accepted")])

    assert (inbox.referral.stage, inbox.parked) == (Stage.RECEIVED, [])


def test_a_correction_settles_behind_what_is_history_only():
    """What it corrects arrives late, and moves nothing."""
    events = build_reports_to("accepted")
    inbox = InMemoryInbox(DRAFT).receive([events[0], events[2], build_correction("received"), events[1]])

    assert (inbox.referral.stage, inbox.parked) == (Stage.ACCEPTED, [])
    assert Stage.RECEIVED not in inbox.referral.stage_entered_at


def test_what_was_left_hanging_fits_again_behind_the_right_report():
    """The decision was taken back and made again earlier; what followed it still happened."""
    inbox = build_inbox_to("apheresis_scheduled").receive([build_correction("center_proceed")])
    taken_back = inbox.referral.stage
    again = build_stage_change(Stage.CENTER_PROCEED, compute_time("center_proceed") - HOUR, event_id="evt_again")

    inbox.receive([again])

    assert taken_back is Stage.CONSULT_COMPLETED
    assert inbox.referral.stage is Stage.APHERESIS_SCHEDULED


def test_the_feeds_count_survives_a_correction():
    """What was superseded did arrive, and what was lost is still lost."""
    events = [replace(e, sequence=n) for n, e in enumerate(build_reports_to("accepted"), 1)]
    inbox = InMemoryInbox(DRAFT).receive(events)
    lost = replace(inbox.referral.status, updates_lost=2)
    inbox.referral = replace(inbox.referral, status=lost)

    inbox.receive(
        [replace(build_correction("accepted"), sequence=4), replace(build_correction("received", n=2), sequence=5)]
    )

    assert inbox.referral.status.feed.missing == ()
    assert inbox.referral.status.updates_lost == 2


def test_what_is_not_there_is_not_corrected_yet():
    """It may still arrive."""
    inbox = build_inbox_to("accepted")

    assert get_rejection(inbox.referral, build_correction("unknown"), *inbox.history) == "waits"


def test_nobody_corrects_the_other_side():
    """The practice its own reports, the center its own."""
    inbox = build_inbox_to("accepted")
    by_practice = build_correction("accepted", actor=Actor.PRACTICE)

    assert get_rejection(inbox.referral, by_practice, *inbox.history) == "not_your_move"


def test_a_submission_is_not_corrected():
    """It is withdrawn."""
    inbox = build_inbox_to("accepted")
    wrong = build_correction("submitted", actor=Actor.PRACTICE)

    assert get_rejection(inbox.referral, wrong, *inbox.history) == "not_correctable"


def test_neither_a_hold_nor_a_correction_is_corrected():
    """The one is ended, the other corrected anew by way of what it corrected."""
    inbox = build_inbox_to("accepted").receive([build_event(HoldStarted, NOON + 5 * DAY, event_id="evt_hold")])
    inbox.receive([build_correction("received", n="x")])
    wrongs = [build_correction("hold", n=2), build_correction("correction_x", n=3)]

    reasons = {get_rejection(inbox.referral, wrong, *inbox.history) for wrong in wrongs}

    assert reasons == {"not_correctable"}


def test_a_replacement_that_nothing_leads_to_yet_waits():
    """As the same report would by itself; what leads there may be on its way."""
    inbox = build_inbox_to("accepted")
    wrong = build_correction("accepted", build_stage_change(Stage.INFUSED, compute_time("accepted")))

    assert get_rejection(inbox.referral, wrong, *inbox.history) == "waits"


def test_a_correction_waits_for_what_lies_before_its_replacement():
    """A new date was history when it came, and the fold puts it in front of the replacement."""
    *line, proceed = build_reports_to("center_proceed")
    then = compute_time("center_proceed")
    deferred = build_stage_change(Stage.DEFERRED, then - 3 * HOUR, event_id="evt_deferred")
    new_date = build_stage_change(Stage.CONSULT_SCHEDULED, then - 2 * HOUR, event_id="evt_new_date")
    seen_again = build_stage_change(Stage.CONSULT_COMPLETED, then - HOUR, event_id="evt_seen_again")
    later = build_correction("center_proceed", build_stage_change(Stage.CENTER_PROCEED, then + HOUR))

    inbox = InMemoryInbox(DRAFT).receive([*line, deferred, proceed, new_date, later, seen_again])

    assert (inbox.refused, inbox.parked) == ([], [])
    assert inbox.referral.stage_since == then + HOUR


def test_a_hold_outlives_a_correction():
    """The fold lays it over the stage again."""
    inbox = build_inbox_to("accepted").receive([build_event(HoldStarted, NOON + 5 * DAY, event_id="evt_hold")])

    held = inbox.receive([build_correction("received")]).referral

    assert held.status.hold is not None
