"""Reason codes: why a referral ended, paused or was deferred, and what the referring team can do next.

Source: the reasons in published cohorts of patients who were referred and not treated (Battiwalla
et al., Blood Adv 9(2) 429; the MSK cohort as reported in JCP; the Fred Hutch intake abstract; the
MD Anderson abstract on delayed lymphodepletion; read 2026-11). The text of the next steps is our
own.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

from chalicelib.domain.referrals.stages import Stage


class ReasonCode(StrEnum):
    """A coded reason."""

    DISEASE_PROGRESSION = "disease_progression"
    POOR_PERFORMANCE = "poor_performance"
    COMORBIDITY = "comorbidity"
    EXCESS_DISEASE_BURDEN = "excess_disease_burden"
    NO_AVAILABLE_PRODUCT_OR_TRIAL = "no_available_product_or_trial"
    TOXICITY_CONCERN = "toxicity_concern"
    OTHER_THERAPY_CHOSEN = "other_therapy_chosen"
    PATIENT_CHOICE = "patient_choice"
    CAREGIVER_UNAVAILABLE = "caregiver_unavailable"
    TRAVEL_OR_LODGING = "travel_or_lodging"
    COVERAGE_DENIED = "coverage_denied"
    COVERAGE_PENDING_TOO_LONG = "coverage_pending_too_long"
    SCA_NOT_REACHED = "sca_not_reached"
    MISROUTED = "misrouted"
    INQUIRY_ONLY = "inquiry_only"
    CAPACITY_FULL = "capacity_full"
    NOT_ELIGIBLE = "not_eligible"
    MANUFACTURING_FAILURE = "manufacturing_failure"
    INFECTION_HOLD = "infection_hold"
    DEATH_BEFORE_TREATMENT = "death_before_treatment"
    DEATH_AFTER_TREATMENT = "death_after_treatment"
    INSUFFICIENT_COLLECTION = "insufficient_collection"
    NO_SHOW = "no_show"
    RESCHEDULED = "rescheduled"
    MOVED_AWAY = "moved_away"
    UNREACHABLE = "unreachable"
    FOLLOW_UP_FINISHED = "follow_up_finished"
    DRAFT_DISCARDED = "draft_discarded"
    """A person discarded a draft in its form. The form sends it; no one chooses it from a list."""
    UNKNOWN = "unknown"


class ReasonFacts(NamedTuple):
    """The label of a reason, and what the referring team can do next."""

    label: str
    next_step: str


class OutcomeReason(NamedTuple):
    """Why a referral ended or was deferred. The sender's own text has no next step."""

    reason_code: str
    label: str
    next_step: str | None


REASON_FACTS: Mapping[ReasonCode, ReasonFacts] = {
    ReasonCode.DISEASE_PROGRESSION: ReasonFacts(
        "Disease progression", "Ask the center whether a later referral could make sense."
    ),
    ReasonCode.POOR_PERFORMANCE: ReasonFacts(
        "Poor performance status", "Refer again if the patient's performance status improves."
    ),
    ReasonCode.COMORBIDITY: ReasonFacts(
        "Comorbidity", "Ask the center what would need to change, and refer again if it does."
    ),
    ReasonCode.EXCESS_DISEASE_BURDEN: ReasonFacts(
        "Disease burden too high", "Discuss bridging therapy with the center. Refer again after a response."
    ),
    ReasonCode.NO_AVAILABLE_PRODUCT_OR_TRIAL: ReasonFacts(
        "No suitable product or trial", "Look for a center that offers another product or a trial."
    ),
    ReasonCode.TOXICITY_CONCERN: ReasonFacts("Concern about toxicity", "Discuss alternatives with the center's team."),
    ReasonCode.OTHER_THERAPY_CHOSEN: ReasonFacts("Another therapy chosen", "Refer again at the first sign of relapse."),
    ReasonCode.PATIENT_CHOICE: ReasonFacts(
        "Patient's choice", "The patient can change their mind at any time. Refer again if they do."
    ),
    ReasonCode.CAREGIVER_UNAVAILABLE: ReasonFacts(
        "No caregiver available", "See Resources for caregiver support, then refer again."
    ),
    ReasonCode.TRAVEL_OR_LODGING: ReasonFacts(
        "Travel or lodging", "See Resources for travel and lodging help, or look for a closer center."
    ),
    ReasonCode.COVERAGE_DENIED: ReasonFacts(
        "Coverage denied by the payer",
        "Get the denial letter. Request a peer-to-peer review or appeal before the deadline.",
    ),
    ReasonCode.COVERAGE_PENDING_TOO_LONG: ReasonFacts(
        "Coverage decision took too long", "Ask the payer's case manager for an expedited review."
    ),
    ReasonCode.SCA_NOT_REACHED: ReasonFacts(
        "Single case agreement not reached", "Ask the payer for an in-network center."
    ),
    ReasonCode.MISROUTED: ReasonFacts(
        "Sent to the wrong center", "Find a center that treats this disease and age group, then refer again."
    ),
    ReasonCode.INQUIRY_ONLY: ReasonFacts("Inquiry only", "Refer when you and the patient are ready."),
    ReasonCode.CAPACITY_FULL: ReasonFacts(
        "No capacity at the center", "Refer to another center. This one may reopen to new patients."
    ),
    ReasonCode.NOT_ELIGIBLE: ReasonFacts(
        "Not eligible per the center's evaluation", "Ask the center what would need to change."
    ),
    ReasonCode.MANUFACTURING_FAILURE: ReasonFacts(
        "Product could not be manufactured", "Ask the center about repeat leukapheresis or another product."
    ),
    ReasonCode.INFECTION_HOLD: ReasonFacts(
        "Infection", "Once the infection is treated, ask the center to resume or refer again."
    ),
    ReasonCode.DEATH_BEFORE_TREATMENT: ReasonFacts(
        "Death before treatment",
        "We are sorry for the loss of your patient. Reminders about this patient have stopped."
        " You may still need to notify the payer. Resources lists support for families.",
    ),
    ReasonCode.DEATH_AFTER_TREATMENT: ReasonFacts(
        "Death after treatment",
        "We are sorry for the loss of your patient. Reminders about this patient have stopped."
        " If the therapy may have contributed, report it to FDA MedWatch and the manufacturer.",
    ),
    ReasonCode.INSUFFICIENT_COLLECTION: ReasonFacts(
        "Not enough cells collected", "Waiting for the center to schedule another leukapheresis."
    ),
    ReasonCode.NO_SHOW: ReasonFacts("No-show", "Call the patient. Then book another time, or ask the center for one."),
    ReasonCode.RESCHEDULED: ReasonFacts("Rescheduled", "Tell the patient the new date."),
    ReasonCode.MOVED_AWAY: ReasonFacts("Patient moved", "Send records to the new care team."),
    ReasonCode.UNREACHABLE: ReasonFacts(
        "Patient cannot be reached", "Contact the caregiver and other listed contacts."
    ),
    ReasonCode.FOLLOW_UP_FINISHED: ReasonFacts(
        "Follow-up complete", "Keep reporting any new cancer after CAR T, at any time in the patient's life."
    ),
    ReasonCode.DRAFT_DISCARDED: ReasonFacts(
        "Draft discarded", "Reopen the draft to continue with it. Nothing was sent to a center."
    ),
    ReasonCode.UNKNOWN: ReasonFacts("Reason unknown", "Call the center for details."),
}

_CLINICAL = frozenset(
    {
        ReasonCode.DISEASE_PROGRESSION,
        ReasonCode.POOR_PERFORMANCE,
        ReasonCode.COMORBIDITY,
        ReasonCode.EXCESS_DISEASE_BURDEN,
        ReasonCode.NO_AVAILABLE_PRODUCT_OR_TRIAL,
        ReasonCode.TOXICITY_CONCERN,
        ReasonCode.OTHER_THERAPY_CHOSEN,
        ReasonCode.NOT_ELIGIBLE,
        ReasonCode.INFECTION_HOLD,
    }
)
_ACCESS = frozenset(
    {
        ReasonCode.PATIENT_CHOICE,
        ReasonCode.CAREGIVER_UNAVAILABLE,
        ReasonCode.TRAVEL_OR_LODGING,
        ReasonCode.COVERAGE_DENIED,
        ReasonCode.COVERAGE_PENDING_TOO_LONG,
        ReasonCode.SCA_NOT_REACHED,
        ReasonCode.UNKNOWN,
    }
)
_ROUTING = frozenset({ReasonCode.MISROUTED, ReasonCode.INQUIRY_ONLY, ReasonCode.CAPACITY_FULL})

REASONS_REQUIRED_BY_STAGE: Mapping[Stage, frozenset[ReasonCode]] = {
    Stage.DECLINED: _CLINICAL | _ACCESS | _ROUTING,
    Stage.WITHDRAWN: _CLINICAL | _ACCESS | _ROUTING,
    Stage.REDIRECTED: _CLINICAL | _ACCESS | _ROUTING,
    Stage.DEFERRED: _CLINICAL | _ACCESS,
    Stage.NOT_PROCEEDING: _CLINICAL | _ACCESS | {ReasonCode.MANUFACTURING_FAILURE},
    Stage.DECEASED: frozenset({ReasonCode.DEATH_BEFORE_TREATMENT, ReasonCode.DEATH_AFTER_TREATMENT}),
    Stage.LOST_TO_FOLLOW_UP: frozenset({ReasonCode.UNREACHABLE, ReasonCode.PATIENT_CHOICE, ReasonCode.UNKNOWN}),
    Stage.TRANSFERRED_CARE: frozenset({ReasonCode.MOVED_AWAY, ReasonCode.PATIENT_CHOICE, ReasonCode.UNKNOWN}),
    Stage.CLOSED_COMPLETE: frozenset({ReasonCode.FOLLOW_UP_FINISHED, ReasonCode.UNKNOWN}),
}
"""The stages that require a reason, and the reasons that fit each."""

DEFAULT_REASON_BY_STAGE: Mapping[Stage, ReasonCode] = {
    Stage.DECEASED: ReasonCode.DEATH_BEFORE_TREATMENT,
    Stage.LOST_TO_FOLLOW_UP: ReasonCode.UNREACHABLE,
    Stage.TRANSFERRED_CARE: ReasonCode.UNKNOWN,
    Stage.CLOSED_COMPLETE: ReasonCode.FOLLOW_UP_FINISHED,
}


def format_reason(code: str | None) -> str | None:
    """Format a reason as its label; the sender's own text is returned unchanged."""
    reason = _find_reason(code)
    return REASON_FACTS[reason].label if reason else code


def describe_outcome(code: str) -> OutcomeReason:
    """Describe why a referral ended or was deferred, and what the referring team can do next."""
    reason = _find_reason(code)
    if reason is None:
        return OutcomeReason(code, label=code, next_step=None)
    return OutcomeReason(code, label=REASON_FACTS[reason].label, next_step=REASON_FACTS[reason].next_step)


def _find_reason(code: str | None) -> ReasonCode | None:
    return next((reason for reason in ReasonCode if reason == code), None)
