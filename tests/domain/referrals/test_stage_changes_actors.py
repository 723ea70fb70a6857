"""Every stage, every kind of event beside the moves, and every actor: against a list by hand."""

from collections.abc import Callable
from datetime import timedelta
from itertools import product

import pytest

from chalicelib.domain.referrals.apply_event import decide_event
from chalicelib.domain.referrals.events import (
    EVENT_TYPE_BY_CLASS,
    Corrected,
    HoldEnded,
    HoldStarted,
    ReferralEvent,
    Reopened,
    StageChange,
    ToxicityNoticed,
    WindowExtended,
    WithdrawalRequested,
)
from chalicelib.domain.referrals.monitoring_window import open_window
from chalicelib.domain.referrals.stage_changes import Applied
from chalicelib.domain.referrals.stages import Actor, Stage
from tests.support.referral_values import NOON, PROFILE, build_context, build_event, build_referral, build_stage_change

BEFORE_PROCEEDING = [
    "draft",
    "submitted",
    "received",
    "info_requested",
    "accepted",
    "consult_scheduled",
    "consult_completed",
    "eligibility_pending",
    "deferred",
]
UNTIL_INFUSED = [
    "center_proceed",
    "apheresis_scheduled",
    "apheresis_completed",
    "manufacturing_started",
    "qc_testing",
    "released",
    "out_of_specification",
    "manufacturing_failed",
    "product_shipped",
    "product_received",
    "lymphodepletion_started",
]
IN_THE_WINDOW = ["infused", "monitoring", "window_complete", "handback_ready"]
RETURNED = ["handed_back", "follow_up", "long_term_follow_up"]
OPEN = BEFORE_PROCEEDING + UNTIL_INFUSED + IN_THE_WINDOW + RETURNED
ENDED_BY = {
    "declined": "C",
    "redirected": "C",
    "not_proceeding": "C",
    "withdrawn": "P",
    "deceased": "PC",
    "lost_to_follow_up": "PC",
    "transferred_care": "PC",
    "closed_complete": "PC",
}

# Written from the clinic's rules: either side pauses what is open; a center tells of toxicity
# from the infusion on and moves the hand-back until it happened; a practice asks to withdraw
# where it cannot do so itself; whoever may end a referral that way opens it again.
INTENDED: dict[type[ReferralEvent], dict[str, str]] = {
    HoldStarted: dict.fromkeys(OPEN, "PC"),
    HoldEnded: dict.fromkeys(OPEN, "PC"),
    ToxicityNoticed: dict.fromkeys(IN_THE_WINDOW + RETURNED, "C"),
    WindowExtended: dict.fromkeys(IN_THE_WINDOW, "C"),
    WithdrawalRequested: dict.fromkeys(UNTIL_INFUSED + IN_THE_WINDOW + RETURNED, "P"),
    Reopened: ENDED_BY,
}

_REPORTS: dict[type[ReferralEvent], Callable[[Actor], ReferralEvent]] = {
    HoldStarted: lambda actor: build_event(HoldStarted, actor=actor),
    HoldEnded: lambda actor: build_event(HoldEnded, actor=actor),
    ToxicityNoticed: lambda actor: build_event(ToxicityNoticed, actor=actor),
    WindowExtended: lambda actor: build_event(WindowExtended, actor=actor, ends_on=NOON.date() + timedelta(days=40)),
    WithdrawalRequested: lambda actor: build_event(WithdrawalRequested, actor=actor),
    Reopened: lambda actor: build_event(Reopened, actor=actor, note="It was a mistake."),
}


def standing_at(stage):
    """A referral at a stage, with a window where the patient was infused."""
    infused = stage.value in IN_THE_WINDOW + RETURNED
    window = open_window(infused_at=NOON, local_date=None, time_zone="America/New_York", profile=PROFILE)
    reached = {Stage.ACCEPTED: NOON, stage: NOON} | ({Stage.INFUSED: NOON} if infused else {})
    return build_referral(stage, stage_entered_at=reached, window=window if infused else None)


def test_every_kind_of_event_is_in_the_list():
    """The moves and the corrections have lists and tests of their own."""
    assert set(INTENDED) == set(_REPORTS) == set(EVENT_TYPE_BY_CLASS) - {StageChange, Corrected}


def test_every_stage_is_in_the_list():
    """Open or ended, each once."""
    assert sorted([*OPEN, *ENDED_BY]) == sorted(stage.value for stage in Stage)


@pytest.mark.parametrize("kind", INTENDED, ids=lambda kind: EVENT_TYPE_BY_CLASS[kind].value)
def test_an_event_applies_exactly_where_and_by_whom_it_should(kind):
    """35 stages by 3 actors for each kind."""
    initials = {Actor.PRACTICE: "P", Actor.CENTER: "C", Actor.SYSTEM: "S"}

    wrong = [
        (stage.value, actor.value)
        for stage, actor in product(Stage, Actor)
        if isinstance(decide_event(standing_at(stage), _REPORTS[kind](actor), build_context()), Applied)
        != (initials[actor] in INTENDED[kind].get(stage.value, ""))
    ]

    assert wrong == []


@pytest.mark.parametrize("stage", sorted(set(Stage) - {Stage.DRAFT, Stage.SUBMITTED}))
def test_a_stage_is_corrected_by_the_side_that_reported_it(stage):
    """Wherever the referral stands, ended too; the product's own moves by nobody."""
    reported = build_stage_change(stage, NOON, event_id="evt_0")
    referral = standing_at(stage)

    by = {
        actor
        for actor in Actor
        if isinstance(
            decide_event(
                referral, build_event(Corrected, actor=actor, supersedes="evt_0"), build_context(), [reported]
            ),
            Applied,
        )
    }

    assert by == {reported.actor}
