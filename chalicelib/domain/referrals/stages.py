"""The stages of a referral, and the facts of each stage: phase, next actor, label, button text.

On screens a stage is called "status", because "stage" describes the cancer; the API says `stage`.
Which stage may follow which is in `transitions`.

Source:
    Names and next actors: the path of a referral from the view of a community practice and a
    treatment center, modeled on Salesforce's public "advanced therapy management" stages and
    HL7 BSeR's referral task states (as of 2026-04). Which stages a center's system may skip is
    our own decision.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple


class Actor(StrEnum):
    """Who reports an event."""

    PRACTICE = "practice"
    CENTER = "center"
    SYSTEM = "system"


class NextActor(StrEnum):
    """Who must act next."""

    PRACTICE = "practice"
    CENTER = "center"
    NONE = "none"


class Phase(StrEnum):
    """A phase of a referral as screens show it, in order."""

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
    """The current position of a referral."""

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
    """How a stage belongs to the main path, which pages show as steps."""

    MAIN = "main"
    OPTIONAL = "optional"
    """On the main path, but a center's system may skip it."""
    DETOUR = "aside"
    """A detour from the main path, or an ending."""


class StageFacts(NamedTuple):
    """The facts of a stage that are the same for every referral.

    `label` is its name on screens, `action` the text of the button that reports it.
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
    Stage.SUBMITTED: StageFacts(Phase.REFERRAL, _C, "Submitted", "Submit referral", _MAIN),
    Stage.RECEIVED: StageFacts(Phase.REFERRAL, _C, "Received by the center", "Confirm receipt", _OPTIONAL),
    Stage.INFO_REQUESTED: StageFacts(Phase.REFERRAL, _P, "Information requested", "Request information"),
    Stage.ACCEPTED: StageFacts(Phase.REFERRAL, _C, "Accepted for evaluation", "Accept for evaluation", _MAIN),
    Stage.DECLINED: StageFacts(Phase.CLOSED, _N, "Declined by the center", "Decline the referral"),
    Stage.WITHDRAWN: StageFacts(Phase.CLOSED, _N, "Withdrawn", "Withdraw the referral"),
    Stage.REDIRECTED: StageFacts(Phase.CLOSED, _N, "Redirected to another center", "Suggest another center"),
    Stage.CONSULT_SCHEDULED: StageFacts(
        Phase.CONSULTATION, _C, "Consultation scheduled", "Schedule the consultation", _MAIN
    ),
    Stage.CONSULT_COMPLETED: StageFacts(
        Phase.CONSULTATION, _C, "Consultation completed", "Record completed consultation", _MAIN
    ),
    Stage.ELIGIBILITY_PENDING: StageFacts(Phase.CONSULTATION, _C, "Workup in progress", "Start the workup", _OPTIONAL),
    Stage.CENTER_PROCEED: StageFacts(
        Phase.CONSULTATION, _C, "Accepted for CAR T (center's decision)", "Accept for CAR T", _MAIN
    ),
    Stage.DEFERRED: StageFacts(Phase.CONSULTATION, _C, "Deferred", "Defer to a later date"),
    Stage.NOT_PROCEEDING: StageFacts(Phase.CLOSED, _N, "Not proceeding to CAR T", "Record that CAR T will not proceed"),
    Stage.APHERESIS_SCHEDULED: StageFacts(
        Phase.COLLECTION, _C, "Leukapheresis scheduled", "Schedule leukapheresis", _MAIN
    ),
    Stage.APHERESIS_COMPLETED: StageFacts(
        Phase.COLLECTION, _C, "Leukapheresis completed", "Record completed leukapheresis", _MAIN
    ),
    Stage.MANUFACTURING_STARTED: StageFacts(
        Phase.MANUFACTURING, _C, "Manufacturing started", "Record start of manufacturing", _MAIN
    ),
    Stage.QC_TESTING: StageFacts(
        Phase.MANUFACTURING, _C, "QC and release testing", "Record QC and release testing", _OPTIONAL
    ),
    Stage.RELEASED: StageFacts(Phase.MANUFACTURING, _C, "Product released", "Record product release", _OPTIONAL),
    Stage.OUT_OF_SPECIFICATION: StageFacts(
        Phase.MANUFACTURING, _C, "Product out of specification", "Record product out of specification"
    ),
    Stage.MANUFACTURING_FAILED: StageFacts(
        Phase.MANUFACTURING, _C, "Manufacturing failed", "Record a manufacturing failure"
    ),
    Stage.PRODUCT_SHIPPED: StageFacts(Phase.MANUFACTURING, _C, "Product shipped", "Record product shipment", _OPTIONAL),
    Stage.PRODUCT_RECEIVED: StageFacts(
        Phase.MANUFACTURING, _C, "Product received by the center", "Record product received", _OPTIONAL
    ),
    Stage.LYMPHODEPLETION_STARTED: StageFacts(
        Phase.TREATMENT, _C, "Lymphodepletion started", "Record start of lymphodepletion", _MAIN
    ),
    Stage.INFUSED: StageFacts(Phase.TREATMENT, _C, "Infused", "Record the infusion", _MAIN),
    Stage.MONITORING: StageFacts(Phase.MONITORING, _C, "Post-infusion monitoring", "Record start of monitoring", _MAIN),
    Stage.WINDOW_COMPLETE: StageFacts(Phase.MONITORING, _C, "Monitoring complete", "Confirm end of monitoring", _MAIN),
    Stage.HANDBACK_READY: StageFacts(
        Phase.FOLLOW_UP,
        _P,
        "Transition-of-care summary ready",
        "Return the patient to the referring provider",
        _OPTIONAL,
    ),
    Stage.HANDED_BACK: StageFacts(
        Phase.FOLLOW_UP, _P, "Returned to referring provider", "Acknowledge the return", _MAIN
    ),
    Stage.FOLLOW_UP: StageFacts(Phase.FOLLOW_UP, _P, "Follow-up", "Record start of follow-up", _MAIN),
    Stage.LONG_TERM_FOLLOW_UP: StageFacts(
        Phase.FOLLOW_UP, _P, "Long-term follow-up", "Move to long-term follow-up", _MAIN
    ),
    Stage.DECEASED: StageFacts(Phase.CLOSED, _N, "Deceased", "Record the patient's death"),
    Stage.LOST_TO_FOLLOW_UP: StageFacts(Phase.CLOSED, _N, "Lost to follow-up", "Record as lost to follow-up"),
    Stage.TRANSFERRED_CARE: StageFacts(Phase.CLOSED, _N, "Care transferred", "Record transfer of care"),
    Stage.CLOSED_COMPLETE: StageFacts(Phase.CLOSED, _N, "Follow-up complete", "Close as follow-up complete", _MAIN),
}

MAIN_PATH: tuple[Stage, ...] = tuple(s for s in Stage if STAGE_FACTS[s].step_kind is not StepKind.DETOUR)
OPTIONAL_STAGES: frozenset[Stage] = frozenset(s for s in Stage if STAGE_FACTS[s].step_kind is StepKind.OPTIONAL)
TERMINAL_STAGES: frozenset[Stage] = frozenset(s for s in Stage if STAGE_FACTS[s].phase is Phase.CLOSED)
