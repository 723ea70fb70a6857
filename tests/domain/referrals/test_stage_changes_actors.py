"""Every stage, every event type except stage changes, and every actor, compared with a hand-written list."""

from collections.abc import Callable
from datetime import timedelta
from itertools import product

import pytest

from chalicelib.domain.referrals.adverse_events import AdverseEventKind
from chalicelib.domain.referrals.apply_event import decide_event
from chalicelib.domain.referrals.care_terms import BridgingStatus
from chalicelib.domain.referrals.events import (
    EVENT_TYPE_BY_CLASS,
    AdverseEventReported,
    BridgingReported,
    ConsultationRequested,
    Corrected,
    CoverageChanged,
    DocumentArrivalReported,
    DocumentDeleted,
    DocumentShared,
    FactsChanged,
    HoldEnded,
    HoldStarted,
    InformationAnswered,
    InformationClosed,
    InformationRequested,
    MessageSent,
    PlanChanged,
    ReferralEvent,
    RelapseReported,
    Reopened,
    StageChange,
    ToxicityNoticed,
    WindowExtended,
    WithdrawalRequested,
)
from chalicelib.domain.referrals.history import History
from chalicelib.domain.referrals.monitoring_window import open_window
from chalicelib.domain.referrals.plan_terms import PlanKind
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

ENDED_AFTER_INFUSION = ["lost_to_follow_up", "transferred_care", "closed_complete"]
SUBMITTED = [*OPEN[1:], *ENDED_BY]

# Written from the clinical rules: either organization may put an open referral on hold, and reports
# adverse events and relapse from the infusion on, also after the referral has ended, and bridging
# therapy until lymphodepletion; a center extends the window until the patient returned; a practice
# requests withdrawal when it cannot withdraw itself; an actor who may end a referral that way may
# reopen it. A center asks for information while the referral is open. What was asked and written is
# kept in the history at every stage; the services decide whether a request can still be answered.
# A practice asks for a consultation time while the referral is open.
# A center plans dates while the referral is open; a practice plans the return from the infusion on.
INTENDED: dict[type[ReferralEvent], dict[str, str]] = {
    HoldStarted: dict.fromkeys(OPEN, "PC"),
    HoldEnded: dict.fromkeys(OPEN, "PC"),
    ToxicityNoticed: dict.fromkeys(IN_THE_WINDOW + RETURNED + ENDED_AFTER_INFUSION, "PC"),
    AdverseEventReported: dict.fromkeys(IN_THE_WINDOW + RETURNED + ENDED_AFTER_INFUSION, "PC"),
    RelapseReported: dict.fromkeys(IN_THE_WINDOW + RETURNED + ENDED_AFTER_INFUSION, "PC"),
    BridgingReported: dict.fromkeys([*BEFORE_PROCEEDING[1:], *UNTIL_INFUSED[:-1]], "PC"),
    WindowExtended: dict.fromkeys(IN_THE_WINDOW, "C"),
    WithdrawalRequested: dict.fromkeys(UNTIL_INFUSED + IN_THE_WINDOW + RETURNED, "P"),
    Reopened: ENDED_BY,
    InformationRequested: dict.fromkeys(OPEN[1:], "C"),
    InformationAnswered: dict.fromkeys(SUBMITTED, "P"),
    InformationClosed: dict.fromkeys(SUBMITTED, "C"),
    MessageSent: dict.fromkeys(SUBMITTED, "PC"),
    DocumentShared: dict.fromkeys(SUBMITTED, "PC"),
    DocumentDeleted: dict.fromkeys(SUBMITTED, "PC"),
    DocumentArrivalReported: dict.fromkeys(SUBMITTED, "PC"),
    ConsultationRequested: dict.fromkeys(OPEN[1:], "P"),
    PlanChanged: dict.fromkeys(OPEN[1:], "C") | dict.fromkeys(IN_THE_WINDOW + RETURNED, "PC"),
}

_REPORTS: dict[type[ReferralEvent], Callable[[Actor], ReferralEvent]] = {
    HoldStarted: lambda actor: build_event(HoldStarted, actor=actor),
    HoldEnded: lambda actor: build_event(HoldEnded, actor=actor),
    ToxicityNoticed: lambda actor: build_event(ToxicityNoticed, actor=actor),
    AdverseEventReported: lambda actor: build_event(AdverseEventReported, actor=actor, kind=AdverseEventKind.CRS),
    RelapseReported: lambda actor: build_event(RelapseReported, actor=actor),
    BridgingReported: lambda actor: build_event(BridgingReported, actor=actor, status=BridgingStatus.PLANNED),
    WindowExtended: lambda actor: build_event(WindowExtended, actor=actor, ends_on=NOON.date() + timedelta(days=40)),
    WithdrawalRequested: lambda actor: build_event(WithdrawalRequested, actor=actor),
    Reopened: lambda actor: build_event(Reopened, actor=actor, note="Ended by mistake."),
    InformationRequested: lambda actor: build_event(InformationRequested, actor=actor, text="Which regimen?"),
    InformationAnswered: lambda actor: build_event(
        InformationAnswered, actor=actor, request_id="irq_1", items=1, open_items=0
    ),
    InformationClosed: lambda actor: build_event(InformationClosed, actor=actor, request_id="irq_1"),
    MessageSent: lambda actor: build_event(MessageSent, actor=actor, message_id="note_1"),
    DocumentShared: lambda actor: build_event(DocumentShared, actor=actor, document_id="doc_1", kind="imaging"),
    DocumentDeleted: lambda actor: build_event(
        DocumentDeleted, actor=actor, document_id="doc_1", kind="imaging", reason="duplicate"
    ),
    DocumentArrivalReported: lambda actor: build_event(
        DocumentArrivalReported, actor=actor, document_id="doc_1", kind="imaging", arrival="received"
    ),
    ConsultationRequested: lambda actor: build_event(ConsultationRequested, actor=actor),
    PlanChanged: lambda actor: build_event(
        PlanChanged, actor=actor, plan=PlanKind.RETURN, on=NOON.date() + timedelta(days=40)
    ),
}


def build_referral_at(stage):
    """Build a referral at a stage, with a window if the patient was infused."""
    infused = stage.value in IN_THE_WINDOW + RETURNED + ENDED_AFTER_INFUSION
    window = open_window(infused_at=NOON, local_date=None, time_zone="America/New_York", profile=PROFILE)
    entered_at = {Stage.ACCEPTED: NOON, stage: NOON} | ({Stage.INFUSED: NOON} if infused else {})
    return build_referral(stage, stage_entered_at=entered_at, window=window if infused else None)


def test_the_list_covers_every_event_type_and_every_stage():
    """Each stage once; stage changes, corrections, changed facts and coverage have tests of their own."""
    assert (
        set(INTENDED)
        == set(_REPORTS)
        == set(EVENT_TYPE_BY_CLASS)
        - {
            StageChange,
            Corrected,
            FactsChanged,
            CoverageChanged,
        }
    )

    assert sorted([*OPEN, *ENDED_BY]) == sorted(stage.value for stage in Stage)


@pytest.mark.parametrize("kind", INTENDED, ids=lambda kind: EVENT_TYPE_BY_CLASS[kind].value)
def test_an_event_applies_exactly_in_the_listed_stages_by_the_listed_actors(kind):
    """35 stages by 3 actors for each event type."""
    initials = {Actor.PRACTICE: "P", Actor.CENTER: "C", Actor.SYSTEM: "S"}

    wrong = [
        (stage.value, actor.value)
        for stage, actor in product(Stage, Actor)
        if isinstance(decide_event(build_referral_at(stage), _REPORTS[kind](actor), build_context()), Applied)
        != (initials[actor] in INTENDED[kind].get(stage.value, ""))
    ]

    assert wrong == []


@pytest.mark.parametrize("stage", sorted(set(Stage) - {Stage.DRAFT, Stage.SUBMITTED}))
def test_only_the_actor_who_reported_a_stage_can_correct_it(stage):
    """In every stage, also after the end of the referral; no one corrects the system's own reports."""
    reported = build_stage_change(stage, NOON, event_id="evt_0")
    referral = build_referral_at(stage)

    correctors = {
        actor
        for actor in Actor
        if isinstance(
            decide_event(
                referral,
                build_event(Corrected, actor=actor, supersedes="evt_0"),
                build_context(),
                History(events=[reported]),
            ),
            Applied,
        )
    }

    assert correctors == {reported.actor}
