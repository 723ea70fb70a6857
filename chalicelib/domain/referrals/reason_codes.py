"""Why a journey ended, paused or turned back, in codes; and what the referring team may do next.

Source: the reasons that published cohorts name for patients who were referred and not treated
(Battiwalla et al., Blood Adv 9(2) 429; the MSK cohort as reported in JCP; the Fred Hutch intake
abstract; the MD Anderson abstract on delayed lymphodepletion; read 2026-11). The next steps are
this product's own words.
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
    UNKNOWN = "unknown"


class ReasonFacts(NamedTuple):
    """How a reason reads, and what the referring team may do next."""

    label: str
    next_step: str


REASON_FACTS: Mapping[ReasonCode, ReasonFacts] = {
    ReasonCode.DISEASE_PROGRESSION: ReasonFacts(
        "The disease progressed", "Ask the center whether a later referral makes sense."
    ),
    ReasonCode.POOR_PERFORMANCE: ReasonFacts("Performance status", "Refer again if the patient's condition improves."),
    ReasonCode.COMORBIDITY: ReasonFacts(
        "Another illness", "Ask the center what would have to change; refer again if it does."
    ),
    ReasonCode.EXCESS_DISEASE_BURDEN: ReasonFacts(
        "Too much disease at present", "Discuss bridging therapy; refer again after a response."
    ),
    ReasonCode.NO_AVAILABLE_PRODUCT_OR_TRIAL: ReasonFacts(
        "No product or trial fits", "Look for a center with another product or a trial."
    ),
    ReasonCode.TOXICITY_CONCERN: ReasonFacts("Concern about toxicity", "Discuss alternatives with the center's team."),
    ReasonCode.OTHER_THERAPY_CHOSEN: ReasonFacts(
        "Another therapy was chosen", "Refer again at the first sign of relapse."
    ),
    ReasonCode.PATIENT_CHOICE: ReasonFacts(
        "The patient decided otherwise", "The patient may decide anew at any time; refer again then."
    ),
    ReasonCode.CAREGIVER_UNAVAILABLE: ReasonFacts(
        "No caregiver", "See the national resources on caregiving, and refer again."
    ),
    ReasonCode.TRAVEL_OR_LODGING: ReasonFacts(
        "Travel or lodging", "See the national resources on travel and lodging, or a nearer center."
    ),
    ReasonCode.COVERAGE_DENIED: ReasonFacts(
        "The payer denied coverage", "Ask for the denial letter; appeal or peer-to-peer in time."
    ),
    ReasonCode.COVERAGE_PENDING_TOO_LONG: ReasonFacts(
        "Coverage took too long", "Ask the payer's case manager for an expedited review."
    ),
    ReasonCode.SCA_NOT_REACHED: ReasonFacts("No single case agreement", "Ask the payer for a center in its network."),
    ReasonCode.MISROUTED: ReasonFacts(
        "Sent to the wrong place", "Find a center that treats this disease and age, and refer again."
    ),
    ReasonCode.INQUIRY_ONLY: ReasonFacts("Only an inquiry", "Refer when the patient and you decide to."),
    ReasonCode.CAPACITY_FULL: ReasonFacts(
        "The center has no capacity", "Refer to another center; this one may open again."
    ),
    ReasonCode.NOT_ELIGIBLE: ReasonFacts(
        "Not eligible by the center's evaluation", "Ask the center what would have to change."
    ),
    ReasonCode.MANUFACTURING_FAILURE: ReasonFacts(
        "The product could not be made", "Ask the center about a new collection or another product."
    ),
    ReasonCode.INFECTION_HOLD: ReasonFacts("Infection", "Refer again, or ask to go on, once it is treated."),
    ReasonCode.DEATH_BEFORE_TREATMENT: ReasonFacts("Death before treatment", "Nothing more is asked of you."),
    ReasonCode.DEATH_AFTER_TREATMENT: ReasonFacts(
        "Death after treatment", "Report a suspected adverse reaction to MedWatch and the maker."
    ),
    ReasonCode.INSUFFICIENT_COLLECTION: ReasonFacts(
        "Too few cells were collected", "The center plans another collection."
    ),
    ReasonCode.NO_SHOW: ReasonFacts("The patient did not come", "Call the patient; the center offers a new date."),
    ReasonCode.RESCHEDULED: ReasonFacts("A new date", "Tell the patient the new date."),
    ReasonCode.MOVED_AWAY: ReasonFacts("The patient moved away", "Send the records to the new team."),
    ReasonCode.UNREACHABLE: ReasonFacts("The patient cannot be reached", "Try the caregiver and other contacts."),
    ReasonCode.FOLLOW_UP_FINISHED: ReasonFacts(
        "Follow-up is finished", "A new cancer after CAR T is still reported, for life."
    ),
    ReasonCode.UNKNOWN: ReasonFacts("Not known", "Ask the center."),
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
"""The stages that are not reached without a reason, and the reasons that fit each."""

DEFAULT_REASON_BY_STAGE: Mapping[Stage, ReasonCode] = {
    Stage.DECEASED: ReasonCode.DEATH_BEFORE_TREATMENT,
    Stage.LOST_TO_FOLLOW_UP: ReasonCode.UNREACHABLE,
    Stage.TRANSFERRED_CARE: ReasonCode.UNKNOWN,
    Stage.CLOSED_COMPLETE: ReasonCode.FOLLOW_UP_FINISHED,
}


def format_reason(code: str | None) -> str | None:
    """How a reason reads; a sender's own word stands for itself."""
    known = _find_reason(code)
    return REASON_FACTS[known].label if known else code


def describe_outcome(code: str | None) -> Mapping[str, str | None] | None:
    """Why a referral ended or turned back, and what the referring team may do next."""
    if code is None:
        return None
    known = _find_reason(code)
    next_step = REASON_FACTS[known].next_step if known else None
    return {"reason_code": code, "label": format_reason(code), "next_step": next_step}


def _find_reason(code: str | None) -> ReasonCode | None:
    return next((reason for reason in ReasonCode if reason == code), None)
