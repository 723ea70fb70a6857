"""What a reported infusion does: its parts, its day, and the window that it opens."""

from datetime import date, timedelta

import pytest

from chalicelib.domain.referrals.apply_event import decide_event
from chalicelib.domain.referrals.stage_changes import Applied, Pending, Recorded, Rejected
from chalicelib.domain.referrals.stages import Stage
from tests.support.referral_values import (
    HOUR,
    NOON,
    SPLIT_DOSE_PROFILE,
    build_context,
    build_referral,
    build_stage_change,
)


def verdict_of(referral, change, setting=None):
    """The verdict, with the everyday setting."""
    return decide_event(referral, change, setting or build_context())


def test_an_infusion_opens_the_window_of_its_day():
    """23:30 in New York is that evening, though it is tomorrow in UTC."""
    at = NOON.replace(day=10, month=10) + timedelta(hours=15, minutes=30)
    referral = build_referral(Stage.LYMPHODEPLETION_STARTED, last_applied_order=None)

    verdict = verdict_of(referral, build_stage_change(Stage.INFUSED, at))

    assert isinstance(verdict, Applied)
    assert verdict.referral.window is not None
    assert verdict.referral.window.infused_on == date(2026, 10, 10)


@pytest.mark.parametrize("days", [-1, 0, 1])
def test_the_centers_own_day_counts_where_it_can_be(days):
    """A day either side may be right: a center stamps its shift, we convert a zone."""
    told = date(2026, 11, 2) + timedelta(days=days)
    change = build_stage_change(Stage.INFUSED, local_date=told)

    verdict = verdict_of(build_referral(Stage.LYMPHODEPLETION_STARTED), change)

    assert isinstance(verdict, Applied)
    assert verdict.referral.window is not None
    assert verdict.referral.window.infused_on == told


@pytest.mark.parametrize("days", [-365, -2, 2, 365])
@pytest.mark.parametrize("offset", [-HOUR, HOUR])
def test_a_day_that_cannot_be_is_refused(days, offset):
    """A wrong day would set every date of the window wrong, so it is refused, late or not."""
    told = date(2026, 11, 2) + timedelta(days=days)
    change = build_stage_change(Stage.INFUSED, NOON + offset, local_date=told)

    verdict = verdict_of(build_referral(Stage.LYMPHODEPLETION_STARTED), change)

    assert isinstance(verdict, Rejected)
    assert verdict.code == "local_date_wrong"


def test_the_parts_of_a_split_dose_come_in_order():
    """Part 2 waits for part 1, then each counts."""
    lymphodepleted = build_referral(Stage.LYMPHODEPLETION_STARTED)
    second = build_stage_change(Stage.INFUSED, NOON + 2 * HOUR, event_id="evt_2", part=2, of=2)
    assert verdict_of(lymphodepleted, second, build_context(SPLIT_DOSE_PROFILE)) == Pending()

    one = verdict_of(lymphodepleted, build_stage_change(Stage.INFUSED, part=1, of=2), build_context(SPLIT_DOSE_PROFILE))
    assert isinstance(one, Applied)
    two = verdict_of(one.referral, second, build_context(SPLIT_DOSE_PROFILE))

    assert isinstance(two, Applied)
    assert (one.referral.doses_given, one.referral.dose_total) == (1, 2)
    assert (two.referral.doses_given, two.referral.dose_total) == (2, 2)


def test_a_part_said_again_is_history():
    """The same part with a later time moves nothing and opens no second window."""
    once = verdict_of(build_referral(Stage.LYMPHODEPLETION_STARTED), build_stage_change(Stage.INFUSED))
    assert isinstance(once, Applied)

    again = verdict_of(once.referral, build_stage_change(Stage.INFUSED, NOON + 48 * HOUR))

    assert isinstance(again, Recorded)
    assert again.referral.window == once.referral.window


@pytest.mark.parametrize(("anchor_part", "setting"), [(1, build_context(SPLIT_DOSE_PROFILE)), (2, build_context())])
def test_the_anchoring_part_opens_the_window(anchor_part, setting):
    """The first or the last part, as the product's profile says."""
    referral = build_referral(Stage.LYMPHODEPLETION_STARTED)
    opened = []
    for part in (1, 2):
        change = build_stage_change(Stage.INFUSED, NOON + part * HOUR, part=part, of=2)
        verdict = verdict_of(referral, change, setting)
        assert isinstance(verdict, Applied)
        referral = verdict.referral
        opened.append(referral.window is not None)

    assert opened == [part >= anchor_part for part in (1, 2)]


def test_an_anchoring_part_that_is_learned_of_late_opens_the_window():
    """A patient already in monitoring gets the dates all the same."""
    monitored = build_referral(Stage.MONITORING, doses_given=1, dose_total=2, stage_since=NOON + 24 * HOUR)

    verdict = verdict_of(monitored, build_stage_change(Stage.INFUSED, NOON - HOUR, part=2, of=2))

    assert isinstance(verdict, Recorded)
    assert verdict.referral.stage is Stage.MONITORING
    assert verdict.referral.window is not None
    assert verdict.referral.doses_given == 2


def test_a_part_that_is_never_given_leaves_the_window_of_the_last_one():
    """The center reports monitoring after part 1 of 2, where the last part would be day 0."""
    conditioned = build_referral(Stage.LYMPHODEPLETION_STARTED)
    one = verdict_of(conditioned, build_stage_change(Stage.INFUSED, part=1, of=2))
    assert isinstance(one, Applied)
    assert one.referral.window is None

    dropped = verdict_of(one.referral, build_stage_change(Stage.MONITORING, NOON + 9 * 24 * HOUR, event_id="evt_2"))

    assert isinstance(dropped, Applied)
    assert dropped.referral.window is not None
    assert dropped.referral.window.infused_on == date(2026, 11, 2)


def test_the_last_part_after_all_counts_from_its_own_day():
    """Reported late as of before: the window is the one of the part that the product names."""
    conditioned = build_referral(Stage.LYMPHODEPLETION_STARTED)
    one = verdict_of(conditioned, build_stage_change(Stage.INFUSED, part=1, of=2))
    assert isinstance(one, Applied)
    monitored = verdict_of(one.referral, build_stage_change(Stage.MONITORING, NOON + 9 * 24 * HOUR, event_id="evt_3"))
    assert isinstance(monitored, Applied)

    late = build_stage_change(Stage.INFUSED, NOON + 5 * 24 * HOUR, event_id="evt_2", part=2, of=2)
    told = verdict_of(monitored.referral, late)

    assert isinstance(told, Recorded)
    assert told.referral.window is not None
    assert told.referral.window.infused_on == date(2026, 11, 7)


def test_an_infusion_dated_before_the_conditioning_opens_no_window():
    """The patient still waits for the infusion; the window must not start with a wrong day."""
    conditioned = build_referral(Stage.LYMPHODEPLETION_STARTED)

    verdict = verdict_of(conditioned, build_stage_change(Stage.INFUSED, NOON - HOUR))

    assert isinstance(verdict, Recorded)
    assert verdict.referral.window is None
    assert verdict.referral.doses_given == 0


def test_a_feed_that_names_no_parts_leaves_room_for_the_second():
    """Part 1 of a product that is given in two is not the last, whoever leaves that out."""
    waiting = build_referral(Stage.LYMPHODEPLETION_STARTED)

    first = decide_event(waiting, build_stage_change(Stage.INFUSED), build_context(SPLIT_DOSE_PROFILE))

    assert isinstance(first, Applied)
    assert (first.referral.doses_given, first.referral.dose_total) == (1, 2)
