"""The table of transitions, compared with a second one written by hand from the clinical rules."""

from itertools import product

import pytest

from chalicelib.domain.referrals.stages import (
    MAIN_PATH,
    OPTIONAL_STAGES,
    STAGE_FACTS,
    TERMINAL_STAGES,
    Actor,
    NextActor,
    Phase,
    Stage,
)
from chalicelib.domain.referrals.transitions import (
    TRANSITIONS,
    list_actors_for,
    list_reachable_stages,
    list_transitions,
    list_transitions_from,
)

# Actors: P practice, C center, S system. Written line by line from the clinical description, not
# from the product's table. "Not proceeding" is possible from the first consultation to the
# infusion; a practice may withdraw until the center accepts the patient for CAR T.
INTENDED: dict[str, str] = {
    "draft": "submitted:P withdrawn:P deceased:P",
    "submitted": "received:C withdrawn:P deceased:PC",
    "received": "accepted:C info_requested:C declined:C redirected:C withdrawn:P deceased:PC",
    "info_requested": "submitted:P withdrawn:P declined:C deceased:PC",
    "accepted": "consult_scheduled:C withdrawn:P declined:C deceased:PC",
    "consult_scheduled": ("consult_completed:C consult_scheduled:C withdrawn:P declined:C deceased:PC"),
    "consult_completed": ("eligibility_pending:C center_proceed:C deferred:C not_proceeding:C withdrawn:P deceased:PC"),
    "eligibility_pending": "center_proceed:C deferred:C not_proceeding:C withdrawn:P deceased:PC",
    "deferred": ("consult_scheduled:C eligibility_pending:C not_proceeding:C withdrawn:P deceased:PC"),
    "center_proceed": "apheresis_scheduled:C deferred:C not_proceeding:C deceased:PC",
    "apheresis_scheduled": ("apheresis_completed:C apheresis_scheduled:C deferred:C not_proceeding:C deceased:PC"),
    "apheresis_completed": ("manufacturing_started:C apheresis_scheduled:C not_proceeding:C deceased:PC"),
    "manufacturing_started": (
        "qc_testing:C released:C out_of_specification:C manufacturing_failed:C not_proceeding:C deceased:PC"
    ),
    "qc_testing": ("released:C out_of_specification:C manufacturing_failed:C not_proceeding:C deceased:PC"),
    "out_of_specification": (
        "product_shipped:C manufacturing_started:C apheresis_scheduled:C not_proceeding:C deceased:PC"
    ),
    "manufacturing_failed": ("apheresis_scheduled:C manufacturing_started:C not_proceeding:C deceased:PC"),
    "released": "product_shipped:C not_proceeding:C deceased:PC",
    "product_shipped": "product_received:C not_proceeding:C deceased:PC",
    "product_received": "lymphodepletion_started:C not_proceeding:C deceased:PC",
    "lymphodepletion_started": ("infused:C lymphodepletion_started:C not_proceeding:C deceased:PC"),
    "infused": "infused:C monitoring:CS deceased:PC",
    "monitoring": "window_complete:C monitoring:C deceased:PC",
    "window_complete": "handback_ready:C monitoring:C deceased:PC",
    "handback_ready": "handed_back:P monitoring:C deceased:PC",
    "handed_back": "follow_up:PC lost_to_follow_up:PC transferred_care:PC deceased:PC",
    "follow_up": "long_term_follow_up:PC lost_to_follow_up:PC transferred_care:PC deceased:PC",
    "long_term_follow_up": ("closed_complete:PC lost_to_follow_up:PC transferred_care:PC deceased:PC"),
    "declined": "",
    "withdrawn": "",
    "redirected": "",
    "not_proceeding": "",
    "deceased": "",
    "lost_to_follow_up": "",
    "transferred_care": "",
    "closed_complete": "",
}

SKIPPABLE = {
    "received",
    "eligibility_pending",
    "qc_testing",
    "released",
    "product_shipped",
    "product_received",
    "handback_ready",
}

NEVER_SKIPPED = ("accepted", "center_proceed", "apheresis_completed", "infused")

_INITIALS = {"P": Actor.PRACTICE, "C": Actor.CENTER, "S": Actor.SYSTEM}


def list_intended(stage: str) -> dict[str, frozenset[Actor]]:
    """List the hand-written transitions from a stage."""
    pairs = (transition.split(":") for transition in INTENDED[stage].split())
    return {target: frozenset(_INITIALS[i] for i in actors) for target, actors in pairs}


def has_intended_path(start: str, end: str, passed: frozenset[str] = frozenset()) -> bool:
    """Whether a stage may be reported because only skippable stages are between."""
    if end in list_intended(start):
        return True
    between = list_intended(start).keys() & SKIPPABLE - passed - {end}
    return any(has_intended_path(stage, end, passed | {stage}) for stage in between)


def test_the_transitions_and_their_actors_are_the_intended_ones():
    """For each stage, the same next stages and the same actors who may report them."""
    transitions = {
        start.value: {end.value: actors for end, actors in targets.items()} for start, targets in TRANSITIONS.items()
    }

    assert transitions == {start: list_intended(start) for start in INTENDED}
    assert set(transitions) == {stage.value for stage in Stage}


def test_exactly_seven_stages_may_be_skipped():
    """A center's system may skip these and no others."""
    assert {stage.value for stage in OPTIONAL_STAGES} == SKIPPABLE


def test_a_stage_may_be_reported_if_only_skippable_stages_are_between():
    """Every pair of stages; a loop through a skipped stage back to the same stage is not a transition."""
    wrong = [
        (start, end)
        for start, end in product(Stage, Stage)
        if (end in list_transitions_from(start))
        != (end in list_intended(start) if start is end else has_intended_path(start, end))
    ]

    assert wrong == []


@pytest.mark.parametrize("gate", [Stage(name) for name in NEVER_SKIPPED])
def test_no_stage_after_a_gate_can_be_reported_before_the_gate(gate):
    """The gates are never skipped, from any stage before them."""
    before = {s for s in Stage if s not in TERMINAL_STAGES and MAIN_PATH.index(gate) > _get_position(s)}
    after = set(MAIN_PATH[MAIN_PATH.index(gate) + 1 :])
    leaks = {(s, t) for s in before for t in list_transitions_from(s).keys() & after}

    assert leaks == set()


def _get_position(stage: Stage) -> int:
    """Get the position of a stage on the main path; a detour has that of the stage it returns to."""
    if stage in MAIN_PATH:
        return MAIN_PATH.index(stage)
    return_stages = {
        Stage.INFO_REQUESTED: Stage.SUBMITTED,
        Stage.DEFERRED: Stage.CONSULT_COMPLETED,
        Stage.OUT_OF_SPECIFICATION: Stage.QC_TESTING,
        Stage.MANUFACTURING_FAILED: Stage.MANUFACTURING_STARTED,
    }
    return MAIN_PATH.index(return_stages[stage])


@pytest.mark.parametrize(
    ("stage", "actor"),
    [
        (Stage.CENTER_PROCEED, Actor.CENTER),
        (Stage.WITHDRAWN, Actor.PRACTICE),
        (Stage.HANDED_BACK, Actor.PRACTICE),
    ],
)
def test_some_decisions_belong_to_one_organization(stage, actor):
    """Only a center accepts a patient for CAR T; only a practice withdraws and acknowledges the return."""
    assert list_actors_for(stage) == {actor}


def test_a_practice_may_withdraw_until_the_center_proceeds():
    """After that, cells may be in manufacturing, and a practice can only request withdrawal."""
    withdrawable = {stage.value for stage in Stage if Stage.WITHDRAWN in list_transitions_from(stage)}

    assert withdrawable == {
        "draft",
        "submitted",
        "received",
        "info_requested",
        "accepted",
        "consult_scheduled",
        "consult_completed",
        "eligibility_pending",
        "deferred",
    }


@pytest.mark.parametrize("stage", Stage)
def test_an_open_referral_can_always_end_and_an_ending_is_final(stage):
    """No referral is stuck in an open stage; no stage can be reported after an ending."""
    if stage in TERMINAL_STAGES:
        assert list_transitions_from(stage) == {}
        assert list_reachable_stages(stage) == frozenset()
    else:
        assert list_reachable_stages(stage) & TERMINAL_STAGES


def test_every_other_stage_can_be_reached_from_a_draft_and_none_returns_to_it():
    """No stage is unused, and a submitted referral is never a draft again."""
    assert list_reachable_stages(Stage.DRAFT) == set(Stage) - {Stage.DRAFT}
    assert list_actors_for(Stage.DRAFT) == frozenset()


@pytest.mark.parametrize("stage", Stage)
def test_reachable_stages_are_those_of_all_sequences_of_transitions(stage):
    """Computed from the hand-written list."""
    seen: set[str] = set()
    new = set(list_intended(stage))
    while new:
        seen |= new
        new = {target for s in new for target in list_intended(s)} - seen

    assert {s.value for s in list_reachable_stages(stage)} == seen


@pytest.mark.parametrize("stage", Stage)
def test_the_actors_for_a_stage_are_those_of_all_transitions_to_it(stage):
    """Computed from the hand-written list."""
    actors = {a for start in INTENDED for a in list_intended(start).get(stage.value, ())}

    assert list_actors_for(stage) == actors


def test_every_transition_is_listed_once():
    """So the diagram in the docs has every arrow, and none twice."""
    listed = [(start.value, end.value) for start, end, _ in list_transitions()]

    assert sorted(listed) == sorted((s, t) for s in INTENDED for t in list_intended(s))


@pytest.mark.parametrize("stage", Stage)
def test_every_stage_has_a_label_a_button_text_and_a_next_actor_who_can_act(stage):
    """The next actor may report more than a death; an ending has no next actor."""
    facts = STAGE_FACTS[stage]
    actors = {a.value for end, allowed in TRANSITIONS[stage].items() if end != "deceased" for a in allowed}

    assert facts.label
    assert facts.action
    assert (facts.owner is NextActor.NONE) == (stage in TERMINAL_STAGES)
    assert facts.owner is NextActor.NONE or facts.owner.value in actors


def test_the_phases_are_in_order_on_the_main_path():
    """Each phase once."""
    phases = [STAGE_FACTS[stage].phase for stage in MAIN_PATH]
    without_repeats = [p for i, p in enumerate(phases) if i == 0 or p is not phases[i - 1]]

    assert without_repeats == list(Phase)
