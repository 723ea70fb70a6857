"""The stages of a referral, and the one table of moves between them.

The table is data. What is enforced, what a page offers as `actions[]` and the diagram in the
docs all come from it, so a move is added here and nowhere else.

Source:
    Names, owners and moves: the journey as a community practice and a treatment center see it,
    with Salesforce's public "advanced therapy management" stages and HL7 BSeR's referral task
    states as models (read 2026-11). Which stages a sparse center feed may skip is this
    product's own decision.
"""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from functools import cache
from itertools import chain
from typing import NamedTuple


class Actor(StrEnum):
    """Who makes a move."""

    PRACTICE = "practice"
    CENTER = "center"
    SYSTEM = "system"


class Owner(StrEnum):
    """Who has to make the next move."""

    PRACTICE = "practice"
    CENTER = "center"
    NONE = "none"


class Phase(StrEnum):
    """The part of the journey that a reader sees, in order."""

    ELIGIBILITY = "eligibility"
    REFERRAL = "referral"
    CONSULTATION = "consultation"
    COLLECTION = "collection"
    MANUFACTURING = "manufacturing"
    TREATMENT = "treatment"
    MONITORING = "monitoring"
    FOLLOW_UP = "follow_up"
    CLOSED = "closed"


class Stage(StrEnum):
    """Where a referral stands."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    RECEIVED = "received"
    INFO_REQUESTED = "info_requested"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    REDIRECTED = "redirected"
    CONSULT_SCHEDULED = "consult_scheduled"
    CONSULT_COMPLETED = "consult_completed"
    ELIGIBILITY_PENDING = "eligibility_pending"
    CENTER_PROCEED = "center_proceed"
    DEFERRED = "deferred"
    NOT_PROCEEDING = "not_proceeding"
    APHERESIS_SCHEDULED = "apheresis_scheduled"
    APHERESIS_COMPLETED = "apheresis_completed"
    MANUFACTURING_STARTED = "manufacturing_started"
    QC_TESTING = "qc_testing"
    RELEASED = "released"
    OUT_OF_SPECIFICATION = "out_of_specification"
    MANUFACTURING_FAILED = "manufacturing_failed"
    PRODUCT_SHIPPED = "product_shipped"
    PRODUCT_RECEIVED = "product_received"
    LYMPHODEPLETION_STARTED = "lymphodepletion_started"
    INFUSED = "infused"
    MONITORING = "monitoring"
    WINDOW_COMPLETE = "window_complete"
    HANDBACK_READY = "handback_ready"
    HANDED_BACK = "handed_back"
    FOLLOW_UP = "follow_up"
    LONG_TERM_FOLLOW_UP = "long_term_follow_up"
    DECEASED = "deceased"
    LOST_TO_FOLLOW_UP = "lost_to_follow_up"
    TRANSFERRED_CARE = "transferred_care"
    CLOSED_COMPLETE = "closed_complete"


class Place(StrEnum):
    """How a stage belongs to the journey that a page shows as steps."""

    MAIN = "main"
    OPTIONAL = "optional"
    """On the main line, and a sparse center feed may leave it out."""
    ASIDE = "aside"
    """A detour or an ending."""


class StageFacts(NamedTuple):
    """What is true of a stage whatever the referral.

    `label` is how the timeline names it, `action` how a button asks for it.
    """

    phase: Phase
    owner: Owner
    label: str
    action: str
    place: Place = Place.ASIDE


_P, _C, _N = Owner.PRACTICE, Owner.CENTER, Owner.NONE
_MAIN, _OPTIONAL = Place.MAIN, Place.OPTIONAL

FACTS: Mapping[Stage, StageFacts] = {
    Stage.DRAFT: StageFacts(Phase.ELIGIBILITY, _P, "Draft", "Return to draft", _MAIN),
    Stage.SUBMITTED: StageFacts(Phase.REFERRAL, _C, "Submitted", "Submit the referral", _MAIN),
    Stage.RECEIVED: StageFacts(
        Phase.REFERRAL, _C, "Received by the center", "Confirm receipt", _OPTIONAL
    ),
    Stage.INFO_REQUESTED: StageFacts(
        Phase.REFERRAL, _P, "Information requested", "Ask for information"
    ),
    Stage.ACCEPTED: StageFacts(
        Phase.REFERRAL, _C, "Accepted for evaluation", "Accept for evaluation", _MAIN
    ),
    Stage.DECLINED: StageFacts(Phase.CLOSED, _N, "Declined by the center", "Decline"),
    Stage.WITHDRAWN: StageFacts(Phase.CLOSED, _N, "Withdrawn", "Withdraw the referral"),
    Stage.REDIRECTED: StageFacts(
        Phase.CLOSED, _N, "Redirected to another center", "Suggest another center"
    ),
    Stage.CONSULT_SCHEDULED: StageFacts(
        Phase.CONSULTATION, _C, "Consultation scheduled", "Schedule the consultation", _MAIN
    ),
    Stage.CONSULT_COMPLETED: StageFacts(
        Phase.CONSULTATION, _C, "Consultation completed", "Record the consultation", _MAIN
    ),
    Stage.ELIGIBILITY_PENDING: StageFacts(
        Phase.CONSULTATION, _C, "Work-up in progress", "Start the work-up", _OPTIONAL
    ),
    Stage.CENTER_PROCEED: StageFacts(
        Phase.CONSULTATION, _C, "Center decided to proceed", "Decide to proceed", _MAIN
    ),
    Stage.DEFERRED: StageFacts(Phase.CONSULTATION, _C, "Deferred", "Defer with a revisit date"),
    Stage.NOT_PROCEEDING: StageFacts(
        Phase.CLOSED, _N, "Not proceeding", "Record that treatment does not proceed"
    ),
    Stage.APHERESIS_SCHEDULED: StageFacts(
        Phase.COLLECTION, _C, "Leukapheresis scheduled", "Schedule leukapheresis", _MAIN
    ),
    Stage.APHERESIS_COMPLETED: StageFacts(
        Phase.COLLECTION, _C, "Leukapheresis completed", "Record leukapheresis", _MAIN
    ),
    Stage.MANUFACTURING_STARTED: StageFacts(
        Phase.MANUFACTURING, _C, "Manufacturing started", "Record start of manufacturing", _MAIN
    ),
    Stage.QC_TESTING: StageFacts(
        Phase.MANUFACTURING, _C, "Quality testing", "Record quality testing", _OPTIONAL
    ),
    Stage.RELEASED: StageFacts(
        Phase.MANUFACTURING, _C, "Product released", "Record release", _OPTIONAL
    ),
    Stage.OUT_OF_SPECIFICATION: StageFacts(
        Phase.MANUFACTURING, _C, "Product out of specification", "Record out of specification"
    ),
    Stage.MANUFACTURING_FAILED: StageFacts(
        Phase.MANUFACTURING, _C, "Manufacturing failed", "Record a manufacturing failure"
    ),
    Stage.PRODUCT_SHIPPED: StageFacts(
        Phase.MANUFACTURING, _C, "Product shipped", "Record shipment", _OPTIONAL
    ),
    Stage.PRODUCT_RECEIVED: StageFacts(
        Phase.MANUFACTURING, _C, "Product at the center", "Record arrival of the product", _OPTIONAL
    ),
    Stage.LYMPHODEPLETION_STARTED: StageFacts(
        Phase.TREATMENT, _C, "Low-dose chemotherapy started", "Record lymphodepletion", _MAIN
    ),
    Stage.INFUSED: StageFacts(Phase.TREATMENT, _C, "Infused", "Record the infusion", _MAIN),
    Stage.MONITORING: StageFacts(
        Phase.MONITORING, _C, "Post-infusion monitoring", "Record start of monitoring", _MAIN
    ),
    Stage.WINDOW_COMPLETE: StageFacts(
        Phase.MONITORING, _C, "Monitoring window complete", "Confirm the end of the window", _MAIN
    ),
    Stage.HANDBACK_READY: StageFacts(
        Phase.FOLLOW_UP, _P, "Hand-back package ready", "Hand back the patient", _OPTIONAL
    ),
    Stage.HANDED_BACK: StageFacts(
        Phase.FOLLOW_UP, _P, "Back with the referring team", "Acknowledge the hand-back", _MAIN
    ),
    Stage.FOLLOW_UP: StageFacts(
        Phase.FOLLOW_UP, _P, "Follow-up", "Record start of follow-up", _MAIN
    ),
    Stage.LONG_TERM_FOLLOW_UP: StageFacts(
        Phase.FOLLOW_UP, _P, "Long-term follow-up", "Move to long-term follow-up", _MAIN
    ),
    Stage.DECEASED: StageFacts(Phase.CLOSED, _N, "Deceased", "Record a death"),
    Stage.LOST_TO_FOLLOW_UP: StageFacts(
        Phase.CLOSED, _N, "Lost to follow-up", "Record lost to follow-up"
    ),
    Stage.TRANSFERRED_CARE: StageFacts(
        Phase.CLOSED, _N, "Care transferred", "Record transfer of care"
    ),
    Stage.CLOSED_COMPLETE: StageFacts(
        Phase.CLOSED, _N, "Follow-up complete", "Close as complete", _MAIN
    ),
}

MAIN_LINE: tuple[Stage, ...] = tuple(s for s in Stage if FACTS[s].place is not Place.ASIDE)
OPTIONAL: frozenset[Stage] = frozenset(s for s in Stage if FACTS[s].place is Place.OPTIONAL)
TERMINAL: frozenset[Stage] = frozenset(s for s in Stage if FACTS[s].phase is Phase.CLOSED)

_PRACTICE = frozenset({Actor.PRACTICE})
_CENTER = frozenset({Actor.CENTER})
_EITHER = _PRACTICE | _CENTER

_LISTED: Mapping[Stage, Mapping[Stage, frozenset[Actor]]] = {
    Stage.DRAFT: {Stage.SUBMITTED: _PRACTICE, Stage.WITHDRAWN: _PRACTICE},
    Stage.SUBMITTED: {Stage.RECEIVED: _CENTER, Stage.WITHDRAWN: _PRACTICE},
    Stage.RECEIVED: {
        Stage.ACCEPTED: _CENTER,
        Stage.INFO_REQUESTED: _CENTER,
        Stage.DECLINED: _CENTER,
        Stage.REDIRECTED: _CENTER,
        Stage.WITHDRAWN: _PRACTICE,
    },
    Stage.INFO_REQUESTED: {
        Stage.SUBMITTED: _PRACTICE,
        Stage.WITHDRAWN: _PRACTICE,
        Stage.DECLINED: _CENTER,
    },
    Stage.ACCEPTED: {
        Stage.CONSULT_SCHEDULED: _CENTER,
        Stage.WITHDRAWN: _PRACTICE,
        Stage.DECLINED: _CENTER,
    },
    Stage.CONSULT_SCHEDULED: {
        Stage.CONSULT_COMPLETED: _CENTER,
        # The same stage again is a new date: rescheduled, or booked anew after a no-show.
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
    # From here on a practice can only ask for withdrawal: cells may already be in the making.
    Stage.CENTER_PROCEED: {
        Stage.APHERESIS_SCHEDULED: _CENTER,
        Stage.DEFERRED: _CENTER,
        Stage.NOT_PROCEEDING: _CENTER,
    },
    Stage.APHERESIS_SCHEDULED: {
        Stage.APHERESIS_COMPLETED: _CENTER,
        Stage.APHERESIS_SCHEDULED: _CENTER,
        Stage.DEFERRED: _CENTER,
        Stage.NOT_PROCEEDING: _CENTER,
    },
    Stage.APHERESIS_COMPLETED: {
        Stage.MANUFACTURING_STARTED: _CENTER,
        # Too few cells: collect again.
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
        # Special access, a remake from reserve material, or a new collection.
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
    Stage.PRODUCT_RECEIVED: {
        Stage.LYMPHODEPLETION_STARTED: _CENTER,
        Stage.NOT_PROCEEDING: _CENTER,
    },
    Stage.LYMPHODEPLETION_STARTED: {
        Stage.INFUSED: _CENTER,
        Stage.LYMPHODEPLETION_STARTED: _CENTER,
        Stage.NOT_PROCEEDING: _CENTER,
    },
    # A split dose is `infused` once a part; the system opens monitoring the day after.
    Stage.INFUSED: {
        Stage.INFUSED: _CENTER,
        Stage.MONITORING: frozenset({Actor.CENTER, Actor.SYSTEM}),
    },
    # The same stage again is the center's own report of what the system opened, or an extension.
    Stage.MONITORING: {Stage.WINDOW_COMPLETE: _CENTER, Stage.MONITORING: _CENTER},
    Stage.WINDOW_COMPLETE: {Stage.HANDBACK_READY: _CENTER, Stage.MONITORING: _CENTER},
    Stage.HANDBACK_READY: {Stage.HANDED_BACK: _PRACTICE, Stage.MONITORING: _CENTER},
    Stage.HANDED_BACK: {
        Stage.FOLLOW_UP: _EITHER,
        Stage.LOST_TO_FOLLOW_UP: _EITHER,
        Stage.TRANSFERRED_CARE: _EITHER,
    },
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


def _with_deaths() -> Mapping[Stage, Mapping[Stage, frozenset[Actor]]]:
    """Add the one move that is possible from every open stage a center knows of."""
    table = {stage: dict(_LISTED.get(stage, {})) for stage in Stage}
    for stage in set(Stage) - TERMINAL:
        table[stage][Stage.DECEASED] = _PRACTICE if stage is Stage.DRAFT else _EITHER
    return table


MOVES: Mapping[Stage, Mapping[Stage, frozenset[Actor]]] = _with_deaths()


@cache
def moves_from(stage: Stage) -> Mapping[Stage, frozenset[Actor]]:
    """The legal next stages and who may make each, optional stages skipped where need be.

    A sparse center feed may leave out optional stages, so a stage counts as next when only
    optional ones lie between. The mover is the one of the last step.
    """
    reach = dict(MOVES[stage])
    frontier = [s for s in reach if s in OPTIONAL]
    while frontier:
        for following, actors in MOVES[frontier.pop()].items():
            if following not in reach:
                reach[following] = actors
                frontier.extend([following] if following in OPTIONAL else [])
    # A loop back to where one stands by way of a skipped stage is no move at all.
    if stage not in MOVES[stage]:
        reach.pop(stage, None)
    return reach


@cache
def reachable_from(stage: Stage) -> frozenset[Stage]:
    """Every stage that some legal sequence of moves leads to."""
    seen: set[Stage] = set()
    frontier = [stage]
    while frontier:
        fresh = set(MOVES[frontier.pop()]) - seen
        seen |= fresh
        frontier.extend(fresh)
    return frozenset(seen)


@cache
def movers_to(stage: Stage) -> frozenset[Actor]:
    """Who may ever move a referral to `stage`, from wherever it stands."""
    return frozenset(chain.from_iterable(targets.get(stage, ()) for targets in MOVES.values()))


def all_moves() -> Iterator[tuple[Stage, Stage, frozenset[Actor]]]:
    """Every listed move as (from, to, who), in the order of the journey."""
    for stage, targets in MOVES.items():
        for target, actors in targets.items():
            yield stage, target, actors
