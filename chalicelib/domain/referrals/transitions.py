"""The legal transitions between the stages of a referral, in one table.

The table is data. The rules that are enforced, the `actions[]` that a page offers and the diagram
in the docs all come from it, so a transition is added only here.

Source:
    The path of a referral from the view of a community practice and a treatment center, with the
    models named in `stages`.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from itertools import chain

from chalicelib.domain.referrals.stages import OPTIONAL_STAGES, TERMINAL_STAGES, Actor, Stage

_PRACTICE = frozenset({Actor.PRACTICE})
_CENTER = frozenset({Actor.CENTER})
_EITHER = _PRACTICE | _CENTER

_TRANSITIONS: Mapping[Stage, Mapping[Stage, frozenset[Actor]]] = {
    Stage.DRAFT: {Stage.SUBMITTED: _PRACTICE, Stage.WITHDRAWN: _PRACTICE},
    Stage.SUBMITTED: {Stage.RECEIVED: _CENTER, Stage.WITHDRAWN: _PRACTICE},
    Stage.RECEIVED: {
        Stage.ACCEPTED: _CENTER,
        Stage.INFO_REQUESTED: _CENTER,
        Stage.DECLINED: _CENTER,
        Stage.REDIRECTED: _CENTER,
        Stage.WITHDRAWN: _PRACTICE,
    },
    Stage.INFO_REQUESTED: {Stage.SUBMITTED: _PRACTICE, Stage.WITHDRAWN: _PRACTICE, Stage.DECLINED: _CENTER},
    Stage.ACCEPTED: {Stage.CONSULT_SCHEDULED: _CENTER, Stage.WITHDRAWN: _PRACTICE, Stage.DECLINED: _CENTER},
    Stage.CONSULT_SCHEDULED: {
        Stage.CONSULT_COMPLETED: _CENTER,
        # The same stage again is a new date: rescheduled, or scheduled again after a no-show.
        Stage.CONSULT_SCHEDULED: _CENTER,
        Stage.WITHDRAWN: _PRACTICE,
        Stage.DECLINED: _CENTER,
    },
    Stage.CONSULT_COMPLETED: {
        Stage.ELIGIBILITY_PENDING: _CENTER,
        Stage.CENTER_PROCEED: _CENTER,
        Stage.DEFERRED: _CENTER,
        Stage.NOT_PROCEEDING: _CENTER,
        Stage.WITHDRAWN: _PRACTICE,
    },
    Stage.ELIGIBILITY_PENDING: {
        Stage.CENTER_PROCEED: _CENTER,
        Stage.DEFERRED: _CENTER,
        Stage.NOT_PROCEEDING: _CENTER,
        Stage.WITHDRAWN: _PRACTICE,
    },
    Stage.DEFERRED: {
        Stage.CONSULT_SCHEDULED: _CENTER,
        Stage.ELIGIBILITY_PENDING: _CENTER,
        Stage.NOT_PROCEEDING: _CENTER,
        Stage.WITHDRAWN: _PRACTICE,
    },
    # From here on a practice can only request withdrawal, because cells may already be in manufacturing.
    Stage.CENTER_PROCEED: {Stage.APHERESIS_SCHEDULED: _CENTER, Stage.DEFERRED: _CENTER, Stage.NOT_PROCEEDING: _CENTER},
    Stage.APHERESIS_SCHEDULED: {
        Stage.APHERESIS_COMPLETED: _CENTER,
        Stage.APHERESIS_SCHEDULED: _CENTER,
        Stage.DEFERRED: _CENTER,
        Stage.NOT_PROCEEDING: _CENTER,
    },
    Stage.APHERESIS_COMPLETED: {
        Stage.MANUFACTURING_STARTED: _CENTER,
        # Not enough cells collected: repeat leukapheresis.
        Stage.APHERESIS_SCHEDULED: _CENTER,
        Stage.NOT_PROCEEDING: _CENTER,
    },
    Stage.MANUFACTURING_STARTED: {
        Stage.QC_TESTING: _CENTER,
        Stage.RELEASED: _CENTER,
        Stage.OUT_OF_SPECIFICATION: _CENTER,
        Stage.MANUFACTURING_FAILED: _CENTER,
        Stage.NOT_PROCEEDING: _CENTER,
    },
    Stage.QC_TESTING: {
        Stage.RELEASED: _CENTER,
        Stage.OUT_OF_SPECIFICATION: _CENTER,
        Stage.MANUFACTURING_FAILED: _CENTER,
        Stage.NOT_PROCEEDING: _CENTER,
    },
    Stage.OUT_OF_SPECIFICATION: {
        # Expanded access, a second manufacturing run from reserve material, or repeat leukapheresis.
        Stage.PRODUCT_SHIPPED: _CENTER,
        Stage.MANUFACTURING_STARTED: _CENTER,
        Stage.APHERESIS_SCHEDULED: _CENTER,
        Stage.NOT_PROCEEDING: _CENTER,
    },
    Stage.MANUFACTURING_FAILED: {
        Stage.APHERESIS_SCHEDULED: _CENTER,
        Stage.MANUFACTURING_STARTED: _CENTER,
        Stage.NOT_PROCEEDING: _CENTER,
    },
    Stage.RELEASED: {Stage.PRODUCT_SHIPPED: _CENTER, Stage.NOT_PROCEEDING: _CENTER},
    Stage.PRODUCT_SHIPPED: {Stage.PRODUCT_RECEIVED: _CENTER, Stage.NOT_PROCEEDING: _CENTER},
    Stage.PRODUCT_RECEIVED: {Stage.LYMPHODEPLETION_STARTED: _CENTER, Stage.NOT_PROCEEDING: _CENTER},
    Stage.LYMPHODEPLETION_STARTED: {
        Stage.INFUSED: _CENTER,
        Stage.LYMPHODEPLETION_STARTED: _CENTER,
        Stage.NOT_PROCEEDING: _CENTER,
    },
    # A split dose is `infused` once for each dose; the system opens monitoring the day after.
    Stage.INFUSED: {Stage.INFUSED: _CENTER, Stage.MONITORING: frozenset({Actor.CENTER, Actor.SYSTEM})},
    # The same stage again is the center's own report after the system opened monitoring, or an extension.
    Stage.MONITORING: {Stage.WINDOW_COMPLETE: _CENTER, Stage.MONITORING: _CENTER},
    Stage.WINDOW_COMPLETE: {Stage.HANDBACK_READY: _CENTER, Stage.MONITORING: _CENTER},
    Stage.HANDBACK_READY: {Stage.HANDED_BACK: _PRACTICE, Stage.MONITORING: _CENTER},
    Stage.HANDED_BACK: {Stage.FOLLOW_UP: _EITHER, Stage.LOST_TO_FOLLOW_UP: _EITHER, Stage.TRANSFERRED_CARE: _EITHER},
    Stage.FOLLOW_UP: {
        Stage.LONG_TERM_FOLLOW_UP: _EITHER,
        Stage.LOST_TO_FOLLOW_UP: _EITHER,
        Stage.TRANSFERRED_CARE: _EITHER,
    },
    Stage.LONG_TERM_FOLLOW_UP: {
        Stage.CLOSED_COMPLETE: _EITHER,
        Stage.LOST_TO_FOLLOW_UP: _EITHER,
        Stage.TRANSFERRED_CARE: _EITHER,
    },
}


def _add_death_transitions() -> Mapping[Stage, Mapping[Stage, frozenset[Actor]]]:
    """Add the death of the patient, which is legal from every open stage (from a draft, by the practice only)."""
    table = {stage: dict(_TRANSITIONS.get(stage, {})) for stage in Stage}
    for stage in set(Stage) - TERMINAL_STAGES:
        table[stage][Stage.DECEASED] = _PRACTICE if stage is Stage.DRAFT else _EITHER
    return table


TRANSITIONS: Mapping[Stage, Mapping[Stage, frozenset[Actor]]] = _add_death_transitions()


@cache
def list_transitions_from(stage: Stage) -> Mapping[Stage, frozenset[Actor]]:
    """List the legal next stages and the actors who may report each, with optional stages skipped.

    A center's system may skip optional stages, so a stage is a legal next stage if only optional
    stages are between. The allowed actors are those of the last step.
    """
    reachable = dict(TRANSITIONS[stage])
    frontier = [s for s in reachable if s in OPTIONAL_STAGES]
    while frontier:
        for following, actors in TRANSITIONS[frontier.pop()].items():
            if following not in reachable:
                reachable[following] = actors
                frontier.extend([following] if following in OPTIONAL_STAGES else [])
    # A loop through a skipped stage back to the same stage is not a transition.
    if stage not in TRANSITIONS[stage]:
        reachable.pop(stage, None)
    return reachable


@cache
def list_reachable_stages(stage: Stage) -> frozenset[Stage]:
    """List every stage that a legal sequence of transitions leads to."""
    seen: set[Stage] = set()
    frontier = [stage]
    while frontier:
        new = set(TRANSITIONS[frontier.pop()]) - seen
        seen |= new
        frontier.extend(new)
    return frozenset(seen)


@cache
def list_actors_for(stage: Stage) -> frozenset[Actor]:
    """List the actors who may report `stage` from at least one other stage."""
    return frozenset(chain.from_iterable(targets.get(stage, ()) for targets in TRANSITIONS.values()))


def list_transitions() -> Iterator[tuple[Stage, Stage, frozenset[Actor]]]:
    """List every transition as (from, to, actors), in the order of `Stage`."""
    for stage, targets in TRANSITIONS.items():
        for target, actors in targets.items():
            yield stage, target, actors
