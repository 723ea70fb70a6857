"""Who acts next and what that team does, in a few words, for lists."""

from collections.abc import Mapping
from typing import NamedTuple

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


class NextAction(NamedTuple):
    """What happens next, and by whom. The text is empty after an ending."""

    text: str
    by: NextActor


def find_next_action(summary: StageSummary, side: NextActor) -> NextAction:
    """Find what happens next, as a reader of a side sees it.

    A request that the reader's side must answer comes first, also while the other side acts.
    """
    if summary.withdrawal_requested:
        return NextAction("Confirm the withdrawal", summary.owner)
    if side is NextActor.PRACTICE and summary.requested_items:
        return NextAction(f"Answer the request: {summary.requested_items} open", side)
    if side is NextActor.CENTER and summary.time_asked:
        return NextAction("Offer a consultation time", side)
    if summary.has_missed_consultation:
        return NextAction("Book another consultation", summary.owner)
    if summary.stage is Stage.ACCEPTED and summary.has_consultation:
        return NextAction("Confirm the consultation", summary.owner)
    return NextAction(ACTION_BY_STAGE.get(summary.stage, ""), summary.owner)
