"""What a page offers beside the moves is what would be taken, and would say something new."""

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.domain.referrals.allowed_reports import list_allowed_reports
from chalicelib.domain.referrals.events import HoldStarted, WithdrawalRequested
from chalicelib.domain.referrals.monitoring_window import open_window
from chalicelib.domain.referrals.stages import Actor, Stage
from tests.support.referral_values import (
    NOON,
    PROFILE,
    apply_event,
    build_context,
    build_event,
    build_referral,
    build_stage_change,
)

WINDOW = open_window(infused_at=NOON, local_date=None, time_zone="UTC", profile=PROFILE)


def offers(referral, actor, *, days=1):
    """The kinds of events that a side may report a day later."""
    setting = replace(build_context(), now=NOON + timedelta(days=days))
    return [kind.value for kind in list_allowed_reports(referral, actor=actor, context=setting)]


def ended(stage):
    """A referral that ended after it was accepted."""
    return build_referral(stage, stage_entered_at={Stage.ACCEPTED: NOON, stage: NOON})


def monitored():
    """A referral in its monitoring window."""
    reached = {Stage.INFUSED: NOON, Stage.MONITORING: NOON}
    return build_referral(Stage.MONITORING, stage_entered_at=reached, window=WINDOW)


@pytest.mark.parametrize(
    ("referral", "actor", "told"),
    [
        (build_referral(Stage.DRAFT), Actor.PRACTICE, []),
        (build_referral(Stage.SUBMITTED), Actor.PRACTICE, ["hold.started"]),
        (build_referral(Stage.SUBMITTED), Actor.CENTER, ["hold.started"]),
        (build_referral(Stage.RELEASED), Actor.PRACTICE, ["hold.started", "withdrawal.requested"]),
        (monitored(), Actor.PRACTICE, ["hold.started", "withdrawal.requested"]),
        (monitored(), Actor.CENTER, ["hold.started", "toxicity.noticed", "window.extended"]),
        (ended(Stage.DECLINED), Actor.CENTER, ["referral.reopened"]),
        (ended(Stage.DECLINED), Actor.PRACTICE, []),
        (ended(Stage.WITHDRAWN), Actor.PRACTICE, ["referral.reopened"]),
    ],
)
def test_each_side_is_offered_what_it_may_report(referral, actor, told):
    """By hand, from the clinic's rules."""
    assert offers(referral, actor) == told


def test_what_is_on_hold_can_only_go_on():
    """A pause is not begun twice."""
    held = apply_event(build_referral(Stage.ACCEPTED), build_event(HoldStarted))

    assert offers(held, Actor.CENTER) == ["hold.ended"]


def test_the_center_is_asked_once():
    """It knows already."""
    asked = apply_event(monitored(), build_event(WithdrawalRequested, actor=Actor.PRACTICE))

    assert offers(asked, Actor.PRACTICE) == ["hold.started"]


def test_what_goes_on_elsewhere_is_not_opened_again():
    """One patient would otherwise be in two open referrals."""
    declined = ended(Stage.DECLINED)
    continued = replace(declined, status=replace(declined.status, continued_by="ref_b"))

    assert offers(continued, Actor.CENTER) == []


def test_a_report_of_a_clock_that_runs_ahead_takes_no_offer_away():
    """The next report counts as later than the last one, whatever our clock says."""
    ahead = apply_event(build_referral(Stage.RECEIVED), build_stage_change(Stage.DECLINED))

    assert offers(ahead, Actor.CENTER, days=0) == ["referral.reopened"]


def test_a_correction_takes_no_offer_away():
    """Though every later event folds the history anew."""
    plain = monitored()
    corrected = replace(plain, status=replace(plain.status, corrected=True))

    assert offers(corrected, Actor.CENTER) == offers(plain, Actor.CENTER)
