"""What the next team does, in a few words, for lists.

A list says for each referral who acts next and what. The words follow from the same facts as the owner of the
next action, so the two never disagree.
"""

from collections.abc import Mapping

from chalicelib.domain.referrals.stages import NextActor, Stage
from chalicelib.domain.referrals.worklists import StageSummary

ACTION_BY_STAGE: Mapping[Stage, str] = {
    Stage.DRAFT: "Finish and submit the draft",
    Stage.SUBMITTED: "Confirm receipt, or answer the referral",
    Stage.RECEIVED: "Answer the referral",
    Stage.INFO_REQUESTED: "Answer the information request",
    Stage.ACCEPTED: "Schedule the consultation",
    Stage.CONSULT_SCHEDULED: "Record the completed consultation",
    Stage.CONSULT_COMPLETED: "Decide on CAR T, or start the workup",
    Stage.ELIGIBILITY_PENDING: "Complete the workup and decide on CAR T",
    Stage.CENTER_PROCEED: "Schedule leukapheresis",
    Stage.DEFERRED: "Review the patient again",
    Stage.APHERESIS_SCHEDULED: "Record the completed leukapheresis",
    Stage.APHERESIS_COMPLETED: "Report the start of manufacturing",
    Stage.MANUFACTURING_STARTED: "Report the product's release or receipt",
    Stage.QC_TESTING: "Report the result of release testing",
    Stage.RELEASED: "Report the product's shipment or receipt",
    Stage.OUT_OF_SPECIFICATION: "Report how treatment continues",
    Stage.MANUFACTURING_FAILED: "Report how treatment continues",
    Stage.PRODUCT_SHIPPED: "Confirm receipt of the product",
    Stage.PRODUCT_RECEIVED: "Start lymphodepletion",
    Stage.LYMPHODEPLETION_STARTED: "Record the infusion",
    Stage.INFUSED: "Start monitoring",
    Stage.MONITORING: "Monitor, and confirm the end of monitoring",
    Stage.WINDOW_COMPLETE: "Send the transition-of-care summary",
    Stage.HANDBACK_READY: "Acknowledge the return",
    Stage.HANDED_BACK: "Record the start of follow-up",
    Stage.FOLLOW_UP: "Continue follow-up",
    Stage.LONG_TERM_FOLLOW_UP: "Continue long-term follow-up",
}
"""What the owner of each open stage does next. Our own words."""


def describe_next_action(summary: StageSummary, side: NextActor) -> str:
    """Describe what happens next, as a reader of a side sees it; empty after an ending.

    A request that the reader's side must answer comes first, also while the other side acts.
    """
    if summary.withdrawal_requested:
        return "Confirm the withdrawal"
    if side is NextActor.PRACTICE and summary.requested_items:
        return f"Answer the request: {summary.requested_items} open"
    if side is NextActor.CENTER and summary.time_asked:
        return "Offer a consultation time"
    if summary.has_missed_consultation:
        return "Book another consultation"
    if summary.stage is Stage.ACCEPTED and summary.has_consultation:
        return "Confirm the consultation"
    return ACTION_BY_STAGE.get(summary.stage, "")
