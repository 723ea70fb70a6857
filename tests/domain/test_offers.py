"""What a page offers beside the moves is what would be taken, and would say something new."""

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.domain.referrals.allowed_reports import offered
from chalicelib.domain.referrals.events import HoldStarted, WithdrawalRequested
from chalicelib.domain.referrals.monitoring_window import open_window
from chalicelib.domain.referrals.stages import Actor, Stage
from tests.support.journey import (
    NOON,
    PROFILE,
    a_change,
    a_referral,
    a_setting,
    an_event,
    applied,
)

WINDOW = open_window(infused_at=NOON, local_date=None, time_zone="UTC", profile=PROFILE)


def offers(referral, actor, *, days=1):
    """The kinds of events that a side may report a day later."""
    setting = replace(a_setting(), now=NOON + timedelta(days=days))
    return [kind.value for kind in offered(referral, actor=actor, setting=setting)]


def ended(stage):
    """A referral that ended after it was accepted."""
    return a_referral(stage, reached={Stage.ACCEPTED: NOON, stage: NOON})


def monitored():
    """A referral in its monitoring window."""
    reached = {Stage.INFUSED: NOON, Stage.MONITORING: NOON}
    return a_referral(Stage.MONITORING, reached=reached, window=WINDOW)


@pytest.mark.parametrize(
    ("referral", "actor", "told"),
    [
        (a_referral(Stage.DRAFT), Actor.PRACTICE, []),
        (a_referral(Stage.SUBMITTED), Actor.PRACTICE, ["hold.started"]),
        (a_referral(Stage.SUBMITTED), Actor.CENTER, ["hold.started"]),
        (a_referral(Stage.RELEASED), Actor.PRACTICE, ["hold.started", "withdrawal.requested"]),
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
    held = applied(a_referral(Stage.ACCEPTED), an_event(HoldStarted))

    assert offers(held, Actor.CENTER) == ["hold.ended"]


def test_the_center_is_asked_once():
    """It knows already."""
    asked = applied(monitored(), an_event(WithdrawalRequested, actor=Actor.PRACTICE))

    assert offers(asked, Actor.PRACTICE) == ["hold.started"]


def test_what_goes_on_elsewhere_is_not_opened_again():
    """One patient would otherwise be in two open referrals."""
    declined = ended(Stage.DECLINED)
    continued = replace(declined, overlay=replace(declined.overlay, continued_by="ref_b"))

    assert offers(continued, Actor.CENTER) == []


def test_a_report_of_a_clock_that_runs_ahead_takes_no_offer_away():
    """The next report counts as later than the last one, whatever our clock says."""
    ahead = applied(a_referral(Stage.RECEIVED), a_change(Stage.DECLINED))

    assert offers(ahead, Actor.CENTER, days=0) == ["referral.reopened"]


def test_a_correction_takes_no_offer_away():
    """Though every later event folds the history anew."""
    plain = monitored()
    corrected = replace(plain, overlay=replace(plain.overlay, corrected=True))

    assert offers(corrected, Actor.CENTER) == offers(plain, Actor.CENTER)
