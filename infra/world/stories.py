"""What happens to each patient of the sample data: 60 stories across all stages.

A story is counted backward: the stage of the referral today, and how long ago it reached that stage.
Several referrals are overdue on purpose, because people open the dashboard to see what is overdue.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from chalicelib.domain.referrals.stages import MAIN_PATH, Stage

S = Stage
"""A short name for the table below."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """What happens to one referral.

    Attributes:
        steps: The stages after the draft, in the order in which the referral reached them.
        ago: How long ago it reached the last stage, or the draft was written. For an open
            monitoring window, how long ago the infusion was, in whole calendar days.
        practice: Handle of the referring practice.
        center: Handle of the treatment center.
    """

    number: int
    steps: Sequence[Stage]
    ago: timedelta
    practice: str
    center: str
    product_id: str
    disease: str
    urgent: bool = False

    @property
    def child(self) -> bool:
        """Whether the patient is a child. Kymriah's label for B-ALL is for patients up to 25 years."""
        return (self.product_id, self.disease) == ("kymriah", "B_ALL")

    @property
    def stage(self) -> Stage:
        """The current stage."""
        return self.steps[-1] if self.steps else Stage.DRAFT


def list_stages_up_to(stage: Stage) -> tuple[Stage, ...]:
    """List the stages of the main path from submission to a stage."""
    return MAIN_PATH[1 : MAIN_PATH.index(stage) + 1]


def _from(stage: Stage, *more: Stage) -> tuple[Stage, ...]:
    """List the stages of the main path to a stage, followed by other stages."""
    return (*list_stages_up_to(stage), *more)


_INFO_PROVIDED = (S.SUBMITTED, S.RECEIVED, S.INFO_REQUESTED, S.SUBMITTED, *list_stages_up_to(S.ACCEPTED)[1:])
_NO_SHOW = (*list_stages_up_to(S.CONSULT_SCHEDULED), S.CONSULT_SCHEDULED)
_REPEAT_LEUKAPHERESIS = _from(
    S.APHERESIS_COMPLETED, S.APHERESIS_SCHEDULED, S.APHERESIS_COMPLETED, S.MANUFACTURING_STARTED
)
_RECONSIDERED = _from(S.ELIGIBILITY_PENDING, S.DEFERRED, S.ELIGIBILITY_PENDING, S.CENTER_PROCEED)
# A split dose: one treatment with two infusions.
_SPLIT_DOSE = (*list_stages_up_to(S.INFUSED), S.INFUSED, S.MONITORING)

# steps, days ago, practice, center, product, disease
_ROWS: Sequence[tuple[Sequence[Stage], float, str, str, str, str]] = (
    ((), 0.2, "willow", "bayou", "breyanzi", "LBCL"),
    ((), 4, "marsh", "peach", "abecma", "MM"),
    (list_stages_up_to(S.SUBMITTED), 0.1, "willow", "bayou", "breyanzi", "LBCL"),
    (list_stages_up_to(S.SUBMITTED), 5, "larch", "larkspur", "carvykti", "MM"),
    (list_stages_up_to(S.RECEIVED), 0.4, "willow", "larkspur", "breyanzi", "FL"),
    (list_stages_up_to(S.RECEIVED), 6, "mesa", "ocotillo", "breyanzi", "CLL_SLL"),
    (_from(S.RECEIVED, S.INFO_REQUESTED), 0.3, "willow", "bayou", "yescarta", "LBCL"),
    (_from(S.RECEIVED, S.INFO_REQUESTED), 5, "larch", "rainfern", "breyanzi", "MCL"),
    (_INFO_PROVIDED, 1, "willow", "bayou", "abecma", "MM"),
    (list_stages_up_to(S.ACCEPTED), 8, "marsh", "harbor", "breyanzi", "LBCL"),
    (_from(S.RECEIVED, S.DECLINED), 3, "willow", "tidepool", "carvykti", "MM"),
    (_from(S.ACCEPTED, S.DECLINED), 20, "mesa", "saltgrass", "yescarta", "FL"),
    (_from(S.SUBMITTED, S.WITHDRAWN), 9, "willow", "lakewind", "breyanzi", "LBCL"),
    (_from(S.CONSULT_COMPLETED, S.WITHDRAWN), 16, "larch", "larkspur", "tecartus", "MCL"),
    (_from(S.RECEIVED, S.REDIRECTED), 7, "willow", "penny", "kymriah", "B_ALL"),
    (list_stages_up_to(S.CONSULT_SCHEDULED), 2, "willow", "bayou", "breyanzi", "LBCL"),
    (_NO_SHOW, 6, "marsh", "peach", "yescarta", "LBCL"),
    (list_stages_up_to(S.CONSULT_SCHEDULED), 30, "larch", "rainfern", "abecma", "MM"),
    (list_stages_up_to(S.CONSULT_COMPLETED), 1, "willow", "larkspur", "abecma", "MM"),
    (list_stages_up_to(S.CONSULT_COMPLETED), 12, "mesa", "ocotillo", "carvykti", "MM"),
    (list_stages_up_to(S.ELIGIBILITY_PENDING), 3, "willow", "loon", "tecartus", "MCL"),
    (list_stages_up_to(S.ELIGIBILITY_PENDING), 15, "marsh", "harbor", "carvykti", "MM"),
    (list_stages_up_to(S.CENTER_PROCEED), 1, "willow", "bayou", "breyanzi", "MZL"),
    (_RECONSIDERED, 6, "larch", "saltgrass", "breyanzi", "LBCL"),
    (_from(S.CONSULT_COMPLETED, S.DEFERRED), 10, "willow", "plumeria", "abecma", "MM"),
    (_from(S.ELIGIBILITY_PENDING, S.DEFERRED), 40, "mesa", "larkspur", "breyanzi", "LBCL"),
    (_from(S.ELIGIBILITY_PENDING, S.NOT_PROCEEDING), 11, "willow", "lakewind", "kymriah", "FL"),
    (_from(S.RELEASED, S.NOT_PROCEEDING), 18, "marsh", "peach", "breyanzi", "LBCL"),
    (list_stages_up_to(S.APHERESIS_SCHEDULED), 4, "willow", "bayou", "breyanzi", "FL"),
    (list_stages_up_to(S.APHERESIS_SCHEDULED), 50, "larch", "rainfern", "yescarta", "LBCL"),
    (list_stages_up_to(S.APHERESIS_COMPLETED), 1, "willow", "harbor", "abecma", "MM"),
    (list_stages_up_to(S.APHERESIS_COMPLETED), 5, "mesa", "tidepool", "breyanzi", "LBCL"),
    (list_stages_up_to(S.MANUFACTURING_STARTED), 9, "willow", "bayou", "breyanzi", "LBCL"),
    (_REPEAT_LEUKAPHERESIS, 14, "marsh", "peach", "abecma", "MM"),
    (list_stages_up_to(S.QC_TESTING), 3, "willow", "larkspur", "carvykti", "MM"),
    (list_stages_up_to(S.RELEASED), 1, "larch", "saltgrass", "yescarta", "LBCL"),
    (_from(S.QC_TESTING, S.OUT_OF_SPECIFICATION), 2, "willow", "loon", "breyanzi", "LBCL"),
    (_from(S.MANUFACTURING_STARTED, S.MANUFACTURING_FAILED), 2, "mesa", "ocotillo", "breyanzi", "LBCL"),
    (list_stages_up_to(S.PRODUCT_SHIPPED), 4, "willow", "bayou", "tecartus", "MCL"),
    (list_stages_up_to(S.PRODUCT_RECEIVED), 2, "marsh", "harbor", "yescarta", "LBCL"),
    (list_stages_up_to(S.LYMPHODEPLETION_STARTED), 3, "willow", "bayou", "breyanzi", "LBCL"),
    (list_stages_up_to(S.LYMPHODEPLETION_STARTED), 12, "larch", "larkspur", "abecma", "MM"),
    (list_stages_up_to(S.INFUSED), 0.1, "willow", "plumeria", "breyanzi", "LBCL"),
    (list_stages_up_to(S.MONITORING), 3, "willow", "bayou", "breyanzi", "LBCL"),
    (list_stages_up_to(S.MONITORING), 7, "willow", "ocotillo", "abecma", "MM"),
    (_SPLIT_DOSE, 4, "larch", "rainfern", "aucatzyl", "B_ALL"),
    (list_stages_up_to(S.MONITORING), 20, "marsh", "peach", "yescarta", "LBCL"),
    (list_stages_up_to(S.MONITORING), 33, "willow", "lakewind", "breyanzi", "LBCL"),
    (list_stages_up_to(S.WINDOW_COMPLETE), 1, "mesa", "ocotillo", "breyanzi", "MCL"),
    (list_stages_up_to(S.HANDBACK_READY), 5, "willow", "bayou", "carvykti", "MM"),
    (list_stages_up_to(S.HANDED_BACK), 4, "marsh", "harbor", "breyanzi", "LBCL"),
    (list_stages_up_to(S.FOLLOW_UP), 40, "willow", "larkspur", "breyanzi", "LBCL"),
    (list_stages_up_to(S.FOLLOW_UP), 120, "larch", "saltgrass", "yescarta", "FL"),
    (list_stages_up_to(S.LONG_TERM_FOLLOW_UP), 90, "willow", "loon", "kymriah", "B_ALL"),
    (list_stages_up_to(S.LONG_TERM_FOLLOW_UP), 400, "mesa", "ocotillo", "abecma", "MM"),
    (_from(S.MANUFACTURING_STARTED, S.DECEASED), 25, "willow", "harbor", "breyanzi", "LBCL"),
    (_from(S.FOLLOW_UP, S.LOST_TO_FOLLOW_UP), 70, "larch", "rainfern", "breyanzi", "FL"),
    (_from(S.HANDED_BACK, S.TRANSFERRED_CARE), 55, "marsh", "peach", "abecma", "MM"),
    (list_stages_up_to(S.CLOSED_COMPLETE), 30, "willow", "tidepool", "kymriah", "LBCL"),
    (list_stages_up_to(S.CONSULT_SCHEDULED), 9, "mesa", "plumeria", "breyanzi", "MZL"),
)

_URGENT = frozenset({2, 6, 22, 40})

STORIES: Sequence[Story] = tuple(
    Story(
        number=number,
        steps=tuple(steps),
        ago=timedelta(days=days),
        practice=practice,
        center=center,
        product_id=product_id,
        disease=disease,
        urgent=number in _URGENT,
    )
    for number, (steps, days, practice, center, product_id, disease) in enumerate(_ROWS)
)

REASONS = {
    Stage.DECLINED: "no_available_product_or_trial",
    Stage.WITHDRAWN: "patient_choice",
    Stage.REDIRECTED: "travel_or_lodging",
    Stage.DEFERRED: "infection_hold",
    # The most frequent reason among the consulted patients of one large center.
    # Source: Journal of Clinical Pathways, on access to CAR T (read 2026-11).
    Stage.NOT_PROCEEDING: "disease_progression",
    Stage.MANUFACTURING_FAILED: "manufacturing_failure",
}

NOTES = {
    Stage.INFO_REQUESTED: "Please send the pathology report and the last PET-CT.",
    Stage.DEFERRED: "We will review again when the infection has cleared.",
    Stage.REDIRECTED: "A center closer to the family treats this disease.",
    Stage.OUT_OF_SPECIFICATION: "We are deciding between expanded access and a repeat leukapheresis.",
    Stage.MANUFACTURING_FAILED: "We are planning a second leukapheresis.",
}
