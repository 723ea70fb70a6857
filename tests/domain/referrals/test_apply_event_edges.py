"""Where one event more or less, or one instant, decides what becomes of a referral."""

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.domain.referrals.apply_event import needs_history, replay
from chalicelib.domain.referrals.events import Corrected, Reopened, WithdrawalRequested
from chalicelib.domain.referrals.referral import MAX_MISSING_SEQUENCES, SequenceTracker
from chalicelib.domain.referrals.stages import Actor, Stage
from tests.support.factories import NOON
from tests.support.referral_values import (
    apply_event,
    build_context,
    build_event,
    build_referral,
    build_stage_change,
    get_rejection,
)

HOUR = timedelta(hours=1)


def test_only_a_correction_and_what_comes_after_one_needs_the_history():
    """All else is decided by where the referral stands, in one read."""
    plain = build_referral()
    corrected = build_referral(status=replace(plain.status, corrected=True))

    assert needs_history(plain, build_event(Corrected, supersedes="evt_0"))
    assert needs_history(corrected, build_stage_change(Stage.RECEIVED))
    assert not needs_history(plain, build_stage_change(Stage.RECEIVED))


def test_of_two_requests_to_withdraw_the_first_counts():
    """The center has been asked since then."""
    asked = NOON + HOUR
    standing = build_referral(Stage.APHERESIS_COMPLETED)
    for at in (asked, asked + HOUR, asked + 2 * HOUR):
        event = build_event(WithdrawalRequested, at, actor=Actor.PRACTICE, event_id=f"evt_{at.timestamp()}")
        standing = apply_event(standing, event)

    assert standing.status.withdrawal_requested_at == asked


@pytest.mark.parametrize("told", [{"reason_code": "misrouted"}, {"note": "By mistake."}])
def test_a_reason_or_a_word_opens_an_ended_referral(told):
    """Either tells why; both is not asked for."""
    ended = apply_event(build_referral(Stage.RECEIVED), build_stage_change(Stage.DECLINED))

    again = apply_event(ended, build_event(Reopened, NOON + 2 * HOUR, event_id="evt_2", **told))

    assert again.stage is Stage.RECEIVED


def test_a_center_does_not_end_what_was_never_sent_to_it():
    """It may report a death, but not of somebody whom a draft is about."""
    standing = build_referral(Stage.DRAFT)

    assert get_rejection(standing, build_stage_change(Stage.DECEASED, actor=Actor.CENTER)) == "not_your_move"


def test_only_the_day_of_an_infusion_is_weighed():
    """Nothing is counted from another stage's local date."""
    far = (NOON + timedelta(days=9)).date()

    assert apply_event(build_referral(), build_stage_change(Stage.RECEIVED, local_date=far)).stage is Stage.RECEIVED


@pytest.mark.parametrize(("more", "kept"), [(0, MAX_MISSING_SEQUENCES), (1, 2)])
def test_a_gap_that_is_too_long_to_name_is_not_named(more, kept):
    """With those that are missing already: the count stays within its bound."""
    feed = SequenceTracker(lowest=1, highest=4, missing=(2, 3))
    standing = build_referral(status=replace(build_referral().status, feed=feed))
    sequence = 4 + (MAX_MISSING_SEQUENCES - 2) + 1 + more

    counted = apply_event(standing, build_stage_change(Stage.RECEIVED, sequence=sequence)).status.feed

    assert len(counted.missing) == kept
    assert counted.highest == sequence


def test_what_is_dated_before_what_it_follows_is_still_folded():
    """It waits, in the fold as in the tables, until what must come before has been read."""
    early = build_stage_change(Stage.CENTER_PROCEED, NOON + HOUR, event_id="evt_early")
    before = [
        build_stage_change(stage, NOON + (n + 2) * HOUR, event_id=f"evt_{n}")
        for n, stage in enumerate((Stage.RECEIVED, Stage.ACCEPTED))
    ]
    submitted = build_stage_change(Stage.SUBMITTED, NOON, event_id="evt_0")

    folded = replay(build_referral(), [early, *before, submitted], build_context())

    assert folded.stage_entered_at[Stage.CENTER_PROCEED] == early.occurred_at
