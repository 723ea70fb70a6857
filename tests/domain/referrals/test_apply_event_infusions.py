"""What a reported infusion does: the doses of a split dose, the day, and the window that it opens."""

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

SPLIT_DOSE = build_context(SPLIT_DOSE_PROFILE)


def decide(referral, change, context=None):
    """Decide with the default context, or the given one."""
    return decide_event(referral, change, context or build_context())


def test_the_window_starts_on_the_local_day_of_the_infusion():
    """11:30 PM in New York belongs to that day, although it is the next day in UTC."""
    at = NOON.replace(day=10, month=10) + timedelta(hours=15, minutes=30)
    referral = build_referral(Stage.LYMPHODEPLETION_STARTED, last_applied_order=None)

    decision = decide(referral, build_stage_change(Stage.INFUSED, at))

    assert isinstance(decision, Applied)
    assert decision.referral.window is not None
    assert decision.referral.window.infused_on == date(2026, 10, 10)


@pytest.mark.parametrize("days", [-1, 0, 1])
def test_the_day_reported_by_the_center_counts_if_plausible(days):
    """One day of difference is possible: a center records its shift, we convert the time zone."""
    local_date = date(2026, 11, 2) + timedelta(days=days)
    change = build_stage_change(Stage.INFUSED, local_date=local_date)

    decision = decide(build_referral(Stage.LYMPHODEPLETION_STARTED), change)

    assert isinstance(decision, Applied)
    assert decision.referral.window is not None
    assert decision.referral.window.infused_on == local_date


@pytest.mark.parametrize("days", [-365, -2, 2, 365])
@pytest.mark.parametrize("offset", [-HOUR, HOUR])
def test_an_implausible_day_of_infusion_is_rejected(days, offset):
    """It would move every date of the window, so it is rejected even in a late event."""
    local_date = date(2026, 11, 2) + timedelta(days=days)
    change = build_stage_change(Stage.INFUSED, NOON + offset, local_date=local_date)

    decision = decide(build_referral(Stage.LYMPHODEPLETION_STARTED), change)

    assert isinstance(decision, Rejected)
    assert decision.code == "local_date_wrong"


def test_the_local_date_of_other_stages_is_not_checked():
    """Nothing is counted from it."""
    far = (NOON + timedelta(days=9)).date()

    assert isinstance(decide(build_referral(), build_stage_change(Stage.RECEIVED, local_date=far)), Applied)


def test_the_doses_of_a_split_dose_come_in_order():
    """Dose 2 is parked until dose 1 arrives, then each counts."""
    lymphodepleted = build_referral(Stage.LYMPHODEPLETION_STARTED)
    second = build_stage_change(Stage.INFUSED, NOON + 2 * HOUR, event_id="evt_2", part=2, of=2)
    assert decide(lymphodepleted, second, SPLIT_DOSE) == Pending()

    one = decide(lymphodepleted, build_stage_change(Stage.INFUSED, part=1, of=2), SPLIT_DOSE)
    assert isinstance(one, Applied)
    two = decide(one.referral, second, SPLIT_DOSE)

    assert isinstance(two, Applied)
    assert (one.referral.doses_given, one.referral.dose_total) == (1, 2)
    assert (two.referral.doses_given, two.referral.dose_total) == (2, 2)


def test_a_repeated_dose_is_kept_in_the_history():
    """The same dose with a later time changes nothing and opens no second window."""
    first = decide(build_referral(Stage.LYMPHODEPLETION_STARTED), build_stage_change(Stage.INFUSED))
    assert isinstance(first, Applied)

    repeated = decide(first.referral, build_stage_change(Stage.INFUSED, NOON + 48 * HOUR))

    assert isinstance(repeated, Recorded)
    assert repeated.referral.window == first.referral.window


@pytest.mark.parametrize(("anchor_dose", "context"), [(1, SPLIT_DOSE), (2, build_context())])
def test_the_anchor_dose_opens_the_window(anchor_dose, context):
    """The first or the last dose, as in the product's profile."""
    referral = build_referral(Stage.LYMPHODEPLETION_STARTED)
    has_window = []
    for dose in (1, 2):
        change = build_stage_change(Stage.INFUSED, NOON + dose * HOUR, part=dose, of=2)
        decision = decide(referral, change, context)
        assert isinstance(decision, Applied)
        referral = decision.referral
        has_window.append(referral.window is not None)

    assert has_window == [dose >= anchor_dose for dose in (1, 2)]


def test_a_late_anchor_dose_opens_the_window():
    """A patient who is already monitored gets the dates of the window."""
    monitored = build_referral(Stage.MONITORING, doses_given=1, dose_total=2, stage_since=NOON + 24 * HOUR)

    decision = decide(monitored, build_stage_change(Stage.INFUSED, NOON - HOUR, part=2, of=2))

    assert isinstance(decision, Recorded)
    assert decision.referral.stage is Stage.MONITORING
    assert decision.referral.window is not None
    assert decision.referral.doses_given == 2


def test_monitoring_after_a_skipped_last_dose_counts_from_the_last_dose_given():
    """The center reports monitoring after dose 1 of 2, and the last dose would be day 0."""
    lymphodepleted = build_referral(Stage.LYMPHODEPLETION_STARTED)
    one = decide(lymphodepleted, build_stage_change(Stage.INFUSED, part=1, of=2))
    assert isinstance(one, Applied)
    assert one.referral.window is None

    monitored = decide(one.referral, build_stage_change(Stage.MONITORING, NOON + 9 * 24 * HOUR, event_id="evt_2"))

    assert isinstance(monitored, Applied)
    assert monitored.referral.window is not None
    assert monitored.referral.window.infused_on == date(2026, 11, 2)


def test_a_late_last_dose_moves_the_window_to_its_own_day():
    """If the last dose was given after all, the window counts from it, as in the product's profile."""
    lymphodepleted = build_referral(Stage.LYMPHODEPLETION_STARTED)
    one = decide(lymphodepleted, build_stage_change(Stage.INFUSED, part=1, of=2))
    assert isinstance(one, Applied)
    monitored = decide(one.referral, build_stage_change(Stage.MONITORING, NOON + 9 * 24 * HOUR, event_id="evt_3"))
    assert isinstance(monitored, Applied)

    late = build_stage_change(Stage.INFUSED, NOON + 5 * 24 * HOUR, event_id="evt_2", part=2, of=2)
    updated = decide(monitored.referral, late)

    assert isinstance(updated, Recorded)
    assert updated.referral.window is not None
    assert updated.referral.window.infused_on == date(2026, 11, 7)


def test_an_infusion_dated_before_lymphodepletion_opens_no_window():
    """The infusion is still ahead; the window must not start on a wrong day."""
    lymphodepleted = build_referral(Stage.LYMPHODEPLETION_STARTED)

    decision = decide(lymphodepleted, build_stage_change(Stage.INFUSED, NOON - HOUR))

    assert isinstance(decision, Recorded)
    assert decision.referral.window is None
    assert decision.referral.doses_given == 0


def test_an_infusion_without_a_dose_number_is_the_first_of_a_split_dose():
    """Dose 1 of 2 is not the last one, even if the center's system does not report the numbers."""
    lymphodepleted = build_referral(Stage.LYMPHODEPLETION_STARTED)

    first = decide(lymphodepleted, build_stage_change(Stage.INFUSED), SPLIT_DOSE)

    assert isinstance(first, Applied)
    assert (first.referral.doses_given, first.referral.dose_total) == (1, 2)
