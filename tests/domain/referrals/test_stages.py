"""The table of moves against a second one, written down by hand from the clinic's rules."""

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

# Who: P practice, C center, S the product itself. Read line by line from the description of the
# journey, not from the product's table. "Not proceeding" stands from the first consultation to
# the infusion; a practice may withdraw until the center decides to proceed.
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


def intended(stage: str) -> dict[str, frozenset[Actor]]:
    """The hand-written moves from a stage."""
    pairs = (move.split(":") for move in INTENDED[stage].split())
    return {target: frozenset(_INITIALS[i] for i in who) for target, who in pairs}


def intended_path(start: str, end: str, passed: frozenset[str] = frozenset()) -> bool:
    """Whether a move may be reported where only skippable stages lie between."""
    if end in intended(start):
        return True
    between = intended(start).keys() & SKIPPABLE - passed - {end}
    return any(intended_path(stage, end, passed | {stage}) for stage in between)


def test_every_stage_is_in_the_hand_written_list():
    """Nothing is left out of the comparison."""
    assert {stage.value for stage in Stage} == set(INTENDED)


@pytest.mark.parametrize("stage", Stage)
def test_the_moves_from_a_stage_are_the_intended_ones(stage):
    """For each stage, the same next stages and the same people who may make the move."""
    moves = {target.value: actors for target, actors in TRANSITIONS[stage].items()}

    assert moves == intended(stage)


def test_each_actor_may_make_exactly_the_intended_moves():
    """Every stage, every next stage and every actor: 3,675 cells."""
    wrong = [
        (start, end, actor)
        for start, end, actor in product(Stage, Stage, Actor)
        if (actor in TRANSITIONS[start].get(end, ())) != (actor in intended(start).get(end, ()))
    ]

    assert wrong == []


def test_exactly_seven_stages_may_be_skipped():
    """A sparse center feed leaves out these and no others."""
    assert {stage.value for stage in OPTIONAL_STAGES} == SKIPPABLE


def test_a_move_may_be_reported_where_only_skippable_stages_lie_between():
    """Every pair of stages: legal to report exactly where the hand-written list has a path."""
    wrong = [
        (start, end)
        for start, end in product(Stage, Stage)
        if start is not end and (end in list_transitions_from(start)) != intended_path(start, end)
    ]

    assert wrong == []


@pytest.mark.parametrize("stage", Stage)
def test_a_stage_follows_itself_only_where_the_list_says_so(stage):
    """A loop by way of a skipped stage is no move."""
    assert (stage in list_transitions_from(stage)) == (stage in intended(stage))


@pytest.mark.parametrize("gate", [Stage(name) for name in NEVER_SKIPPED])
def test_nothing_passes_a_gate_without_its_report(gate):
    """What comes after a gate cannot be reported from any stage before it."""
    before = {s for s in Stage if s not in TERMINAL_STAGES and MAIN_PATH.index(gate) > _place(s)}
    after = set(MAIN_PATH[MAIN_PATH.index(gate) + 1 :])
    leaks = {(s, t) for s in before for t in list_transitions_from(s).keys() & after}

    assert leaks == set()


def _place(stage: Stage) -> int:
    """Where a stage stands on the main line; a detour stands where it leads back to."""
    if stage in MAIN_PATH:
        return MAIN_PATH.index(stage)
    back = {
        Stage.INFO_REQUESTED: Stage.SUBMITTED,
        Stage.DEFERRED: Stage.CONSULT_COMPLETED,
        Stage.OUT_OF_SPECIFICATION: Stage.QC_TESTING,
        Stage.MANUFACTURING_FAILED: Stage.MANUFACTURING_STARTED,
    }
    return MAIN_PATH.index(back[stage])


def test_only_a_center_decides_to_proceed():
    """The decision that CAR T is right for a patient is never the practice's or ours."""
    assert list_actors_for(Stage.CENTER_PROCEED) == {Actor.CENTER}


def test_only_a_practice_withdraws_and_acknowledges_the_handback():
    """The center cannot do either in the practice's name."""
    assert list_actors_for(Stage.WITHDRAWN) == {Actor.PRACTICE}
    assert list_actors_for(Stage.HANDED_BACK) == {Actor.PRACTICE}


def test_a_practice_withdraws_until_the_center_proceeds_and_not_after():
    """Once the center proceeds, cells may be in the making; a practice then asks."""
    may = {stage.value for stage in Stage if Stage.WITHDRAWN in list_transitions_from(stage)}

    assert may == {
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


@pytest.mark.parametrize("stage", sorted(TERMINAL_STAGES))
def test_nothing_leads_out_of_an_ending(stage):
    """An ended referral stays ended; a new one starts anew."""
    assert list_transitions_from(stage) == {}
    assert list_reachable_stages(stage) == frozenset()


@pytest.mark.parametrize("stage", sorted(set(Stage) - TERMINAL_STAGES))
def test_every_open_stage_can_end(stage):
    """No referral can get caught where nothing leads to an ending."""
    assert list_reachable_stages(stage) & TERMINAL_STAGES


@pytest.mark.parametrize("stage", sorted(set(Stage) - {Stage.DRAFT}))
def test_every_stage_can_be_reached_from_a_draft(stage):
    """No stage is there only in the list."""
    assert stage in list_reachable_stages(Stage.DRAFT)


def test_a_draft_is_never_come_back_to():
    """Whatever happens, what was submitted is not a draft again."""
    assert list_actors_for(Stage.DRAFT) == frozenset()


@pytest.mark.parametrize("stage", Stage)
def test_reachable_stages_are_the_closure_of_the_moves(stage):
    """Following the hand-written moves for as long as there are new ones gives the same."""
    seen: set[str] = set()
    fresh = set(intended(stage))
    while fresh:
        seen |= fresh
        fresh = {target for s in fresh for target in intended(s)} - seen

    assert {s.value for s in list_reachable_stages(stage)} == seen


@pytest.mark.parametrize("stage", Stage)
def test_movers_to_a_stage_are_all_who_may_move_there_from_anywhere(stage):
    """The union over the hand-written list."""
    movers = {a for start in INTENDED for a in intended(start).get(stage.value, ())}

    assert list_actors_for(stage) == movers


def test_all_moves_lists_each_move_once():
    """The docs' diagram and the pages leave no arrow out and draw none twice."""
    listed = [(start.value, end.value) for start, end, _ in list_transitions()]

    assert sorted(listed) == sorted((s, t) for s in INTENDED for t in intended(s))


@pytest.mark.parametrize("stage", Stage)
def test_every_stage_has_its_facts(stage):
    """A label, the words of a button and a phase."""
    facts = STAGE_FACTS[stage]

    assert facts.label
    assert facts.action
    assert facts.phase in Phase


@pytest.mark.parametrize("stage", Stage)
def test_the_owner_of_the_next_move_can_make_one(stage):
    """Whoever is said to be next has a move other than reporting a death; an ending has none."""
    owner = STAGE_FACTS[stage].owner
    movers = {a.value for end, who in TRANSITIONS[stage].items() if end != "deceased" for a in who}

    assert (owner is NextActor.NONE) == (stage in TERMINAL_STAGES)
    assert owner is NextActor.NONE or owner.value in movers


def test_the_phases_follow_each_other_on_the_main_line():
    """A reader sees the phases in their order, none twice."""
    phases = [STAGE_FACTS[stage].phase for stage in MAIN_PATH]
    without_repeats = [p for i, p in enumerate(phases) if i == 0 or p is not phases[i - 1]]

    assert without_repeats == list(Phase)
