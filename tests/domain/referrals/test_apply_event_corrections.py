"""Corrections: a wrong event stays in the history and no longer counts."""

from dataclasses import replace
from datetime import date
from itertools import permutations

import pytest

from chalicelib.domain.referrals.apply_event import needs_history
from chalicelib.domain.referrals.events import Corrected, HoldStarted, WindowExtended
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
    build_referral,
    build_stage_change,
    get_rejection,
)


def test_a_correction_a_late_event_and_every_event_after_a_correction_need_the_history():
    """The usual event, which is newer than all others and legal, is decided from the current state, in one read."""
    referral = build_referral()
    corrected = build_referral(status=replace(referral.status, corrected=True))

    assert needs_history(referral, build_event(Corrected, supersedes="evt_0"))
    assert needs_history(corrected, build_stage_change(Stage.RECEIVED))
    assert needs_history(referral, build_stage_change(Stage.RECEIVED, NOON - HOUR))
    assert needs_history(referral, build_stage_change(Stage.INFUSED))
    assert not needs_history(referral, build_stage_change(Stage.RECEIVED))


def test_a_stage_reported_by_mistake_is_undone():
    """The referral returns to its previous stage."""
    inbox = build_inbox_to("consult_scheduled").receive([build_correction("consult_scheduled")])

    assert (inbox.referral.stage, inbox.rejected) == (Stage.ACCEPTED, [])
    assert inbox.referral.stage_since == compute_time("accepted")
    assert Stage.CONSULT_SCHEDULED not in inbox.referral.stage_entered_at


def list_corrected_infusion():
    """An infusion, a repeat of the status by the center's system, and the correction: it was two days later."""
    infused_at = compute_time("infused")
    repeat = build_stage_change(Stage.INFUSED, infused_at + 5 * HOUR, event_id="evt_repeat")
    right = build_stage_change(Stage.INFUSED, infused_at + 2 * DAY)
    return repeat, build_correction("infused", right)


def test_a_repeat_of_a_wrong_infusion_day_does_not_replace_the_corrected_one():
    """A system that sends the status every night has repeated the wrong day before it was corrected."""
    inbox = build_inbox_to("infused").receive(list_corrected_infusion())

    window = inbox.referral.window
    assert window is not None
    assert window.infused_on == date(2026, 11, 14)
    assert inbox.parked == []


def test_a_repeat_may_arrive_after_the_correction():
    """The state is the same in each order of arrival."""
    repeat, correction = list_corrected_infusion()
    early, late = (build_inbox_to("infused").receive(events) for events in ((repeat, correction), (correction, repeat)))

    assert early.referral.window == late.referral.window
    assert early.referral.stage_entered_at == late.referral.stage_entered_at
    assert late.parked == []


def test_a_correction_is_one_write():
    """Regardless of how long the replayed history is."""
    inbox = build_inbox_to("infused")
    version = inbox.referral.version

    assert inbox.receive([build_correction("infused")]).referral.version == version + 1


@pytest.mark.parametrize("days", [0, 1, 9])
def test_a_corrected_infusion_moves_the_window(days):
    """All its dates are counted from the corrected infusion."""
    corrected_at = compute_time("infused") + days * DAY - HOUR
    inbox = build_inbox_to("infused").receive(
        [build_correction("infused", build_stage_change(Stage.INFUSED, corrected_at))]
    )

    window = inbox.referral.window
    assert window is not None
    assert window.infused_on == date(2026, 11, 12) + days * DAY
    assert window.ends_on == window.infused_on + 28 * DAY


def test_an_infusion_cannot_be_corrected_to_before_lymphodepletion():
    """It would be kept in the history only, and the patient would have no monitoring window."""
    inbox = build_inbox_to("infused")
    wrong = build_correction("infused", build_stage_change(Stage.INFUSED, compute_time("infused") - 2 * DAY))

    assert get_rejection(inbox.referral, wrong, *inbox.history) == "replacement_not_legal"


def test_undoing_an_infusion_removes_the_window():
    """No notice is planned from it any longer."""
    referral = build_inbox_to("infused").receive([build_correction("infused")]).referral

    assert (referral.stage, referral.window) == (Stage.LYMPHODEPLETION_STARTED, None)
    assert referral.doses_given == 0


def test_undoing_an_extension_restores_the_default_end_of_the_window():
    """The extension no longer counts."""
    extension = build_event(WindowExtended, NOON + 20 * DAY, event_id="evt_longer", ends_on=date(2026, 12, 30))
    window = build_inbox_to("monitoring").receive([extension, build_correction("longer")]).referral.window

    assert window is not None
    assert (window.ends_on, window.extensions) == (date(2026, 12, 10), ())


def test_an_open_window_keeps_its_figures():
    """A later change of the catalog moves no date of a patient who is being monitored."""
    inbox = build_inbox_to("infused")
    inbox.context = build_context(replace(build_context().profile, handback_target_day=99))

    inbox.receive([build_correction("infused", build_stage_change(Stage.INFUSED, compute_time("infused")))])

    assert inbox.referral.window is not None
    assert inbox.referral.window.ends_on == date(2026, 12, 10)


def test_of_two_corrections_of_one_event_the_later_one_counts():
    """In both orders of arrival: moved away, and back again."""
    away = build_correction("infused", build_stage_change(Stage.INFUSED, compute_time("infused") + 2 * DAY))
    back = build_correction(
        "infused", build_stage_change(Stage.INFUSED, compute_time("infused")), moment=NOON + 91 * DAY, n=2
    )

    inboxes = [build_inbox_to("infused").receive(order) for order in permutations([away, back])]

    assert get_final_state(inboxes[0]) == get_final_state(inboxes[1])
    window = inboxes[0].referral.window
    assert window is not None
    assert window.infused_on == date(2026, 11, 12)


def test_a_correction_is_parked_until_the_corrected_event_arrives():
    """Then it is applied."""
    inbox = build_inbox_to("received").receive([build_correction("accepted")])
    assert len(inbox.parked) == 1

    inbox.receive([build_stage_change(Stage.ACCEPTED, compute_time("accepted"), event_id="evt_accepted")])

    assert (inbox.referral.stage, inbox.parked) == (Stage.RECEIVED, [])


def test_a_parked_correction_is_applied_after_a_late_event():
    """The corrected event arrives late and is kept in the history only."""
    events = build_reports_to("accepted")
    inbox = InMemoryInbox(DRAFT).receive([events[0], events[2], build_correction("received"), events[1]])

    assert (inbox.referral.stage, inbox.parked) == (Stage.ACCEPTED, [])
    assert Stage.RECEIVED not in inbox.referral.stage_entered_at


def test_events_after_an_undone_stage_count_again_after_a_new_report():
    """The center's decision was undone and reported again with an earlier time; later events still happened."""
    inbox = build_inbox_to("apheresis_scheduled").receive([build_correction("center_proceed")])
    stage_after_undo = inbox.referral.stage
    reported_again = build_stage_change(
        Stage.CENTER_PROCEED, compute_time("center_proceed") - HOUR, event_id="evt_again"
    )

    inbox.receive([reported_again])

    assert stage_after_undo is Stage.CONSULT_COMPLETED
    assert inbox.referral.stage is Stage.APHERESIS_SCHEDULED


def test_a_correction_keeps_the_sequence_tracking():
    """A superseded event did arrive, and lost updates are still lost."""
    events = [replace(e, sequence=n) for n, e in enumerate(build_reports_to("accepted"), 1)]
    inbox = InMemoryInbox(DRAFT).receive(events)
    inbox.referral = replace(inbox.referral, status=replace(inbox.referral.status, updates_lost=2))

    inbox.receive(
        [replace(build_correction("accepted"), sequence=4), replace(build_correction("received", n=2), sequence=5)]
    )

    assert inbox.referral.status.feed.missing == ()
    assert inbox.referral.status.updates_lost == 2


@pytest.mark.parametrize(
    ("correction", "code"),
    [
        pytest.param(build_correction("unknown"), "parked", id="the corrected event may still arrive"),
        pytest.param(
            build_correction("accepted", build_stage_change(Stage.INFUSED, compute_time("accepted"))),
            "parked",
            id="the events before the replacement may still arrive",
        ),
        pytest.param(
            build_correction("accepted", actor=Actor.PRACTICE), "not_your_move", id="an event of the other organization"
        ),
        pytest.param(
            build_correction("submitted", actor=Actor.PRACTICE), "not_correctable", id="a submission must be withdrawn"
        ),
        pytest.param(build_correction("hold"), "not_correctable", id="a hold must be ended"),
        pytest.param(
            build_correction("correction_x"), "not_correctable", id="a correction is corrected by a newer one"
        ),
    ],
)
def test_a_correction_that_cannot_be_applied_is_parked_or_rejected(correction, code):
    """A practice corrects its own events, a center its own."""
    inbox = build_inbox_to("accepted").receive([build_event(HoldStarted, NOON + 5 * DAY, event_id="evt_hold")])
    inbox.receive([build_correction("received", n="x")])

    assert get_rejection(inbox.referral, correction, *inbox.history) == code


def test_a_correction_is_parked_until_its_replacement_is_legal():
    """A new date was late when it arrived; in the replay it comes before the replacement."""
    *path, proceed = build_reports_to("center_proceed")
    proceeded_at = compute_time("center_proceed")
    deferred = build_stage_change(Stage.DEFERRED, proceeded_at - 3 * HOUR, event_id="evt_deferred")
    new_date = build_stage_change(Stage.CONSULT_SCHEDULED, proceeded_at - 2 * HOUR, event_id="evt_new_date")
    second_consult = build_stage_change(Stage.CONSULT_COMPLETED, proceeded_at - HOUR, event_id="evt_second_consult")
    later = build_correction("center_proceed", build_stage_change(Stage.CENTER_PROCEED, proceeded_at + HOUR))

    inbox = InMemoryInbox(DRAFT).receive([*path, deferred, proceed, new_date, later, second_consult])

    assert (inbox.rejected, inbox.parked) == ([], [])
    assert inbox.referral.stage_since == proceeded_at + HOUR


def test_a_correction_keeps_a_hold():
    """The replay applies the hold again."""
    inbox = build_inbox_to("accepted").receive([build_event(HoldStarted, NOON + 5 * DAY, event_id="evt_hold")])

    held = inbox.receive([build_correction("received")]).referral

    assert held.status.hold is not None


def test_a_repeat_with_a_reason_is_news_and_keeps_its_own_time():
    """Only what a center's system repeats every night moves with the corrected time."""
    infused_at = compute_time("infused")
    again = build_stage_change(Stage.INFUSED, infused_at + 5 * HOUR, event_id="evt_again", reason_code="new_report")
    correction = build_correction("infused", build_stage_change(Stage.INFUSED, infused_at + 2 * DAY))

    referral = build_inbox_to("infused").receive([again, correction]).referral

    assert referral.stage_entered_at[Stage.INFUSED] == again.occurred_at
