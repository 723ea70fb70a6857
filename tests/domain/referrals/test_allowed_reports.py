"""A page offers exactly the event types that would be accepted and add something new."""

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

AFTER_INFUSION = ["adverse_event.reported", "relapse.reported"]
WINDOW = open_window(infused_at=NOON, local_date=None, time_zone="UTC", profile=PROFILE)


def list_offers(referral, actor, *, days=1):
    """List the event types that an actor may report some days later."""
    context = replace(build_context(), now=NOON + timedelta(days=days))
    return [kind.value for kind in list_allowed_reports(referral, actor=actor, context=context)]


def build_ended(stage):
    """Build a referral that ended after it was accepted."""
    return build_referral(stage, stage_entered_at={Stage.ACCEPTED: NOON, stage: NOON})


def build_ended_after_infusion(stage):
    """Build a referral that ended after the infusion."""
    return build_referral(stage, stage_entered_at={Stage.INFUSED: NOON, stage: NOON}, window=WINDOW)


def build_monitored():
    """Build a referral in its monitoring window."""
    entered_at = {Stage.INFUSED: NOON, Stage.MONITORING: NOON}
    return build_referral(Stage.MONITORING, stage_entered_at=entered_at, window=WINDOW)


@pytest.mark.parametrize(
    ("referral", "actor", "expected"),
    [
        (build_referral(Stage.DRAFT), Actor.PRACTICE, []),
        (build_referral(Stage.SUBMITTED), Actor.PRACTICE, ["hold.started", "bridging.reported"]),
        (
            build_referral(Stage.SUBMITTED),
            Actor.CENTER,
            ["hold.started", "bridging.reported", "plan.changed", "information.requested"],
        ),
        (
            build_referral(Stage.RELEASED),
            Actor.PRACTICE,
            ["hold.started", "bridging.reported", "withdrawal.requested"],
        ),
        (build_monitored(), Actor.PRACTICE, ["hold.started", *AFTER_INFUSION, "plan.changed", "withdrawal.requested"]),
        (
            build_monitored(),
            Actor.CENTER,
            ["hold.started", *AFTER_INFUSION, "plan.changed", "window.extended", "information.requested"],
        ),
        (build_ended_after_infusion(Stage.LOST_TO_FOLLOW_UP), Actor.PRACTICE, [*AFTER_INFUSION, "referral.reopened"]),
        (build_ended_after_infusion(Stage.DECEASED), Actor.CENTER, ["referral.reopened"]),
        (build_ended(Stage.DECLINED), Actor.CENTER, ["referral.reopened"]),
        (build_ended(Stage.DECLINED), Actor.PRACTICE, []),
        (build_ended(Stage.WITHDRAWN), Actor.PRACTICE, ["referral.reopened"]),
    ],
)
def test_each_organization_is_offered_what_it_may_report(referral, actor, expected):
    """The expected lists are written by hand from the clinical rules."""
    assert list_offers(referral, actor) == expected


def test_a_hold_is_not_offered_during_a_hold():
    """Only the end of the hold is offered."""
    held = apply_event(build_referral(Stage.ACCEPTED), build_event(HoldStarted))

    assert list_offers(held, Actor.CENTER) == [
        "hold.ended",
        "bridging.reported",
        "plan.changed",
        "information.requested",
    ]


def test_a_withdrawal_is_requested_once():
    """The center already knows of the request."""
    requested = apply_event(build_monitored(), build_event(WithdrawalRequested, actor=Actor.PRACTICE))

    assert list_offers(requested, Actor.PRACTICE) == ["hold.started", *AFTER_INFUSION, "plan.changed"]


def test_reopening_is_not_offered_for_a_continued_referral():
    """Otherwise one patient would be in two open referrals."""
    declined = build_ended(Stage.DECLINED)
    continued = replace(declined, status=replace(declined.status, continued_by="ref_b"))

    assert list_offers(continued, Actor.CENTER) == []


def test_an_event_dated_in_the_future_removes_no_offer():
    """The next report counts as later than the last event, even if our clock is behind."""
    ahead = apply_event(build_referral(Stage.RECEIVED), build_stage_change(Stage.DECLINED))

    assert list_offers(ahead, Actor.CENTER, days=0) == ["referral.reopened"]


def test_a_correction_removes_no_offer():
    """Although every later event replays the history."""
    plain = build_monitored()
    corrected = replace(plain, status=replace(plain.status, corrected=True))

    assert list_offers(corrected, Actor.CENTER) == list_offers(plain, Actor.CENTER)
