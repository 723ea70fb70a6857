"""The stages of a referral, and what is true of each whatever the referral.

Source:
    Names and owners: the journey as a community practice and a treatment center see it, with
    Salesforce's public "advanced therapy management" stages and HL7 BSeR's referral task states
    as models (as gathered by 2026-04). Which stages a sparse center feed may skip is this
    product's own decision.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple


class Actor(StrEnum):
    """Who makes a move."""

    PRACTICE = "practice"
    CENTER = "center"
    SYSTEM = "system"


class NextActor(StrEnum):
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


class StepKind(StrEnum):
    """How a stage belongs to the journey that a page shows as steps."""

    MAIN = "main"
    OPTIONAL = "optional"
    """On the main line, and a sparse center feed may leave it out."""
    DETOUR = "aside"
    """A detour or an ending."""


class StageFacts(NamedTuple):
    """What is true of a stage whatever the referral.

    `label` is how the timeline names it, `action` how a button asks for it.
    """

    phase: Phase
    owner: NextActor
    label: str
    action: str
    step_kind: StepKind = StepKind.DETOUR


_P, _C, _N = NextActor.PRACTICE, NextActor.CENTER, NextActor.NONE
_MAIN, _OPTIONAL = StepKind.MAIN, StepKind.OPTIONAL

STAGE_FACTS: Mapping[Stage, StageFacts] = {
    Stage.DRAFT: StageFacts(Phase.ELIGIBILITY, _P, "Draft", "Return to draft", _MAIN),
    Stage.SUBMITTED: StageFacts(Phase.REFERRAL, _C, "Submitted", "Submit the referral", _MAIN),
    Stage.RECEIVED: StageFacts(Phase.REFERRAL, _C, "Received by the center", "Confirm receipt", _OPTIONAL),
    Stage.INFO_REQUESTED: StageFacts(Phase.REFERRAL, _P, "Information requested", "Ask for information"),
    Stage.ACCEPTED: StageFacts(Phase.REFERRAL, _C, "Accepted for evaluation", "Accept for evaluation", _MAIN),
    Stage.DECLINED: StageFacts(Phase.CLOSED, _N, "Declined by the center", "Decline"),
    Stage.WITHDRAWN: StageFacts(Phase.CLOSED, _N, "Withdrawn", "Withdraw the referral"),
    Stage.REDIRECTED: StageFacts(Phase.CLOSED, _N, "Redirected to another center", "Suggest another center"),
    Stage.CONSULT_SCHEDULED: StageFacts(
        Phase.CONSULTATION, _C, "Consultation scheduled", "Schedule the consultation", _MAIN
    ),
    Stage.CONSULT_COMPLETED: StageFacts(
        Phase.CONSULTATION, _C, "Consultation completed", "Record the consultation", _MAIN
    ),
    Stage.ELIGIBILITY_PENDING: StageFacts(
        Phase.CONSULTATION, _C, "Work-up in progress", "Start the work-up", _OPTIONAL
    ),
    Stage.CENTER_PROCEED: StageFacts(Phase.CONSULTATION, _C, "Center decided to proceed", "Decide to proceed", _MAIN),
    Stage.DEFERRED: StageFacts(Phase.CONSULTATION, _C, "Deferred", "Defer with a revisit date"),
    Stage.NOT_PROCEEDING: StageFacts(Phase.CLOSED, _N, "Not proceeding", "Record that treatment does not proceed"),
    Stage.APHERESIS_SCHEDULED: StageFacts(
        Phase.COLLECTION, _C, "Leukapheresis scheduled", "Schedule leukapheresis", _MAIN
    ),
    Stage.APHERESIS_COMPLETED: StageFacts(
        Phase.COLLECTION, _C, "Leukapheresis completed", "Record leukapheresis", _MAIN
    ),
    Stage.MANUFACTURING_STARTED: StageFacts(
        Phase.MANUFACTURING, _C, "Manufacturing started", "Record start of manufacturing", _MAIN
    ),
    Stage.QC_TESTING: StageFacts(Phase.MANUFACTURING, _C, "Quality testing", "Record quality testing", _OPTIONAL),
    Stage.RELEASED: StageFacts(Phase.MANUFACTURING, _C, "Product released", "Record release", _OPTIONAL),
    Stage.OUT_OF_SPECIFICATION: StageFacts(
        Phase.MANUFACTURING, _C, "Product out of specification", "Record out of specification"
    ),
    Stage.MANUFACTURING_FAILED: StageFacts(
        Phase.MANUFACTURING, _C, "Manufacturing failed", "Record a manufacturing failure"
    ),
    Stage.PRODUCT_SHIPPED: StageFacts(Phase.MANUFACTURING, _C, "Product shipped", "Record shipment", _OPTIONAL),
    Stage.PRODUCT_RECEIVED: StageFacts(
        Phase.MANUFACTURING, _C, "Product at the center", "Record arrival of the product", _OPTIONAL
    ),
    Stage.LYMPHODEPLETION_STARTED: StageFacts(
        Phase.TREATMENT, _C, "Low-dose chemotherapy started", "Record lymphodepletion", _MAIN
    ),
    Stage.INFUSED: StageFacts(Phase.TREATMENT, _C, "Infused", "Record the infusion", _MAIN),
    Stage.MONITORING: StageFacts(Phase.MONITORING, _C, "Post-infusion monitoring", "Record start of monitoring", _MAIN),
    Stage.WINDOW_COMPLETE: StageFacts(
        Phase.MONITORING, _C, "Monitoring window complete", "Confirm the end of the window", _MAIN
    ),
    Stage.HANDBACK_READY: StageFacts(
        Phase.FOLLOW_UP, _P, "Hand-back package ready", "Hand back the patient", _OPTIONAL
    ),
    Stage.HANDED_BACK: StageFacts(
        Phase.FOLLOW_UP, _P, "Back with the referring team", "Acknowledge the hand-back", _MAIN
    ),
    Stage.FOLLOW_UP: StageFacts(Phase.FOLLOW_UP, _P, "Follow-up", "Record start of follow-up", _MAIN),
    Stage.LONG_TERM_FOLLOW_UP: StageFacts(
        Phase.FOLLOW_UP, _P, "Long-term follow-up", "Move to long-term follow-up", _MAIN
    ),
    Stage.DECEASED: StageFacts(Phase.CLOSED, _N, "Deceased", "Record a death"),
    Stage.LOST_TO_FOLLOW_UP: StageFacts(Phase.CLOSED, _N, "Lost to follow-up", "Record lost to follow-up"),
    Stage.TRANSFERRED_CARE: StageFacts(Phase.CLOSED, _N, "Care transferred", "Record transfer of care"),
    Stage.CLOSED_COMPLETE: StageFacts(Phase.CLOSED, _N, "Follow-up complete", "Close as complete", _MAIN),
}

MAIN_PATH: tuple[Stage, ...] = tuple(s for s in Stage if STAGE_FACTS[s].step_kind is not StepKind.DETOUR)
OPTIONAL_STAGES: frozenset[Stage] = frozenset(s for s in Stage if STAGE_FACTS[s].step_kind is StepKind.OPTIONAL)
TERMINAL_STAGES: frozenset[Stage] = frozenset(s for s in Stage if STAGE_FACTS[s].phase is Phase.CLOSED)
