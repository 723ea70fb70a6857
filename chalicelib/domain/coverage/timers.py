"""How long a payer may take and how long a denial can be appealed, as data: by plan, funding and kind of request.

The date on the payer's letter always wins. These rows only propose a date, with their source. Where no row
matches, the plan's own rules count, and no figure is shown. Hours count from the payer's receipt, which no one
here knows exactly, so a date is "expected by", never overdue by law.

Source:
    Each row names its own. Read 2026-11-28 from secondary sources; a row with `is_checked=False` was not
    compared with the text of the law and is never shown.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum


class Funding(StrEnum):
    """Who bears the cost of an employer's plan, which decides which law applies."""

    SELF_FUNDED = "self_funded"
    FULLY_INSURED = "fully_insured"
    UNKNOWN = "unknown"


class RequestKind(StrEnum):
    """How the plan treats CAR T: billed as a drug, or as a service. Federal clocks for services exclude drugs."""

    DRUG = "drug"
    SERVICE = "service"
    UNKNOWN = "unknown"


class TimedStep(StrEnum):
    """What has a time limit."""

    DECISION = "decision"
    EXPEDITED_DECISION = "expedited_decision"
    FILE_APPEAL = "file_appeal"
    APPEAL_DECISION = "appeal_decision"
    EXPEDITED_APPEAL_DECISION = "expedited_appeal_decision"
    FILE_EXTERNAL_REVIEW = "file_external_review"
    EXTERNAL_REVIEW_DECISION = "external_review_decision"


STEP_LABELS: Mapping[TimedStep, str] = {
    TimedStep.DECISION: "Decision of the payer",
    TimedStep.EXPEDITED_DECISION: "Decision of the payer, expedited",
    TimedStep.FILE_APPEAL: "Time to appeal",
    TimedStep.APPEAL_DECISION: "Decision about the appeal",
    TimedStep.EXPEDITED_APPEAL_DECISION: "Decision about the appeal, expedited",
    TimedStep.FILE_EXTERNAL_REVIEW: "Time to request an external review",
    TimedStep.EXTERNAL_REVIEW_DECISION: "Decision of the external review",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Timer:
    """One time limit.

    Attributes:
        plan_types: Plan types as in the insurance.
        kinds: The kinds of request that it is about.
        funding: The funding of the plan for which it applies; all if it makes no difference.
        days, hours: How long; one of the two.
        begins: From when it counts, in words.
        first_day, last_day: From when to when the rule applies; None if there is no such end.
        source: The law, in words that people can look up.
        caution: What a reader must know before relying on it.
        is_checked: Whether the figure may be shown.
    """

    plan_types: frozenset[str]
    step: TimedStep
    source: str
    begins: str
    days: int | None = None
    hours: int | None = None
    kinds: frozenset[RequestKind] = frozenset({RequestKind.DRUG, RequestKind.SERVICE})
    funding: frozenset[Funding] = frozenset(Funding)
    first_day: date | None = None
    last_day: date | None = None
    caution: str | None = None
    is_checked: bool = True

    def find_day(self, start: date) -> date:
        """The last day if the time begins on `start`. Hours are counted as whole days, rounded up."""
        return start + timedelta(days=self.days if self.days is not None else -(-(self.hours or 0) // 24))


_MEDICARE_ADVANTAGE = frozenset({"medicare_advantage"})
_MEDICAID = frozenset({"medicaid"})
_EMPLOYER = frozenset({"commercial"})
_MARKETPLACE = frozenset({"marketplace"})
_NOT_FULLY_INSURED = frozenset({Funding.SELF_FUNDED, Funding.UNKNOWN})
"""State law can set a shorter time for a fully insured plan, so no figure is shown for it."""
_SERVICE = frozenset({RequestKind.SERVICE})
_DRUG = frozenset({RequestKind.DRUG})
_FINAL_RULE = "CMS-0057-F, 89 FR 8758"
_CLAIMS_RULE = "29 CFR 2560.503-1"
_FROM_2026 = date(2026, 1, 1)
_NO_DRUGS = "This federal rule excludes drugs. It depends on how the plan treats CAR T."
_RECEIVED = "the payer's receipt of the request"
_APPEAL_RECEIVED = "the payer's receipt of the appeal"
_NOTICE = "the notice of the denial"
_FUNDING = "For plans of private employers. Check the letter for a plan of a government or a church."

TIMERS: Sequence[Timer] = (
    Timer(
        plan_types=_MEDICARE_ADVANTAGE,
        step=TimedStep.DECISION,
        days=7,
        kinds=_SERVICE,
        first_day=_FROM_2026,
        begins=_RECEIVED,
        source=_FINAL_RULE,
        caution=_NO_DRUGS,
    ),
    Timer(
        plan_types=_MEDICARE_ADVANTAGE,
        step=TimedStep.EXPEDITED_DECISION,
        hours=72,
        kinds=_SERVICE,
        first_day=_FROM_2026,
        begins=_RECEIVED,
        source=_FINAL_RULE,
        caution=_NO_DRUGS,
    ),
    Timer(
        plan_types=_MEDICARE_ADVANTAGE,
        step=TimedStep.DECISION,
        hours=72,
        kinds=_DRUG,
        begins=_RECEIVED,
        source="42 CFR 422.568, Part B drugs",
        is_checked=False,
    ),
    Timer(
        plan_types=_MEDICARE_ADVANTAGE,
        step=TimedStep.EXPEDITED_DECISION,
        hours=24,
        kinds=_DRUG,
        begins=_RECEIVED,
        source="42 CFR 422.572, Part B drugs",
        is_checked=False,
    ),
    Timer(
        plan_types=_MEDICARE_ADVANTAGE,
        step=TimedStep.FILE_APPEAL,
        days=65,
        first_day=date(2025, 1, 1),
        begins=_NOTICE,
        source="CMS-4205-F; 42 CFR 422.582",
    ),
    Timer(
        plan_types=_MEDICARE_ADVANTAGE,
        step=TimedStep.APPEAL_DECISION,
        days=30,
        kinds=_SERVICE,
        begins=_APPEAL_RECEIVED,
        source="42 CFR 422.590",
    ),
    Timer(
        plan_types=_MEDICARE_ADVANTAGE,
        step=TimedStep.EXPEDITED_APPEAL_DECISION,
        hours=72,
        begins=_APPEAL_RECEIVED,
        source="42 CFR 422.590",
        kinds=_SERVICE,
    ),
    Timer(
        plan_types=frozenset({"medicare_ffs"}),
        step=TimedStep.FILE_APPEAL,
        days=120,
        begins="receipt of the notice about the claim",
        source="42 CFR 405.942, redetermination",
        caution="Medicare has no prior authorization for CAR T. This is an appeal after a claim.",
    ),
    Timer(
        plan_types=frozenset({"medicare_ffs"}),
        step=TimedStep.APPEAL_DECISION,
        days=60,
        begins=_APPEAL_RECEIVED,
        source="42 CFR 405.950, redetermination",
    ),
    Timer(
        plan_types=_MEDICAID,
        step=TimedStep.DECISION,
        days=7,
        kinds=_SERVICE,
        first_day=_FROM_2026,
        begins=_RECEIVED,
        source=_FINAL_RULE,
        caution=f"{_NO_DRUGS} States may set a shorter time.",
    ),
    Timer(
        plan_types=_MEDICAID,
        step=TimedStep.EXPEDITED_DECISION,
        hours=72,
        kinds=_SERVICE,
        first_day=_FROM_2026,
        begins=_RECEIVED,
        source=_FINAL_RULE,
        caution=_NO_DRUGS,
    ),
    Timer(
        plan_types=_MEDICAID,
        step=TimedStep.FILE_APPEAL,
        days=60,
        begins=_NOTICE,
        source="42 CFR 438.402, managed care",
        is_checked=False,
    ),
    Timer(
        plan_types=_MARKETPLACE | _EMPLOYER,
        step=TimedStep.FILE_APPEAL,
        days=180,
        begins=_NOTICE,
        source=f"{_CLAIMS_RULE}(h); 45 CFR 147.136",
        caution=_FUNDING,
    ),
    Timer(
        plan_types=_MARKETPLACE | _EMPLOYER,
        step=TimedStep.APPEAL_DECISION,
        days=30,
        begins=_APPEAL_RECEIVED,
        source=f"{_CLAIMS_RULE}(i), before the service",
        caution=_FUNDING,
    ),
    Timer(
        plan_types=_MARKETPLACE | _EMPLOYER,
        step=TimedStep.EXPEDITED_APPEAL_DECISION,
        hours=72,
        begins=_APPEAL_RECEIVED,
        source=f"{_CLAIMS_RULE}(i), urgent",
        caution=_FUNDING,
    ),
    Timer(
        plan_types=_EMPLOYER,
        step=TimedStep.DECISION,
        days=15,
        begins=_RECEIVED,
        source=f"{_CLAIMS_RULE}(f), before the service",
        funding=_NOT_FULLY_INSURED,
        caution=f"The plan may extend it once by 15 days. {_FUNDING}",
    ),
    Timer(
        plan_types=_EMPLOYER,
        step=TimedStep.EXPEDITED_DECISION,
        hours=72,
        begins=_RECEIVED,
        source=f"{_CLAIMS_RULE}(f), urgent",
        caution=f"In urgent cases the treating physician may act for the patient without a form. {_FUNDING}",
    ),
    Timer(
        plan_types=_MARKETPLACE | _EMPLOYER,
        step=TimedStep.FILE_EXTERNAL_REVIEW,
        days=120,
        begins="the final denial",
        source="45 CFR 147.136(d): 4 months",
        caution="Four months, shown as 120 days. Check the letter.",
    ),
    Timer(
        plan_types=_MARKETPLACE | _EMPLOYER,
        step=TimedStep.EXTERNAL_REVIEW_DECISION,
        days=45,
        begins="the reviewer's receipt of the request",
        source="45 CFR 147.136(d)",
        caution="72 hours if urgent.",
    ),
)
"""The time limits that are known. TRICARE, VA and other plans have none here until someone enters one with a source."""

PLAN_OWN_RULE = "Your plan's own time limit counts. Ask the plan, or read the letter."
"""What is shown where no row matches."""


def list_timers(
    plan_type: str | None, kind: RequestKind, *, on: date, funding: Funding = Funding.UNKNOWN
) -> Sequence[Timer]:
    """List the time limits that may apply on a day.

    If the kind of request is not known, the limits of both kinds are listed; the reader decides.
    """
    kinds = {RequestKind.DRUG, RequestKind.SERVICE} if kind is RequestKind.UNKNOWN else {kind}
    return [
        timer
        for timer in TIMERS
        if timer.is_checked
        and plan_type in timer.plan_types
        and timer.kinds & kinds
        and funding in timer.funding
        and (timer.first_day is None or timer.first_day <= on)
        and (timer.last_day is None or on <= timer.last_day)
    ]
