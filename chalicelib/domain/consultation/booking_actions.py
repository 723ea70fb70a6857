"""What can be done about the consultation of a referral now.

The planned date says whether there is a consultation to book, or one to move or cancel, so nothing but the
referral is needed.
"""

from enum import StrEnum
from typing import NamedTuple

from chalicelib.domain.consultation.follow_fact import find_planned
from chalicelib.domain.referrals.planned_dates import is_consultation_missed
from chalicelib.domain.referrals.referral import Referral
from chalicelib.domain.referrals.stages import TERMINAL_STAGES, Actor


class BookingAction(StrEnum):
    """Something that a member does about a consultation."""

    BOOK = "consultation.book"
    MOVE = "consultation.move"
    HOLD = "consultation.hold"
    ASK = "consultation.ask"
    CANCEL = "consultation.cancel"


class BookingObstacle(NamedTuple):
    """Why nothing can be done: a code, and what a person reads."""

    code: str
    message: str


_CLOSED = BookingObstacle(
    "referral_closed", "This referral is closed, so no consultation can be booked or changed. Send a message instead."
)
_NOT_SUBMITTED = BookingObstacle("not_submitted", "Submit the referral first. Then a consultation can be booked.")


def find_obstacle(referral: Referral) -> BookingObstacle | None:
    """Find why no consultation can be booked, moved, canceled or asked for; None if it can."""
    if referral.stage in TERMINAL_STAGES:
        return _CLOSED
    return None if referral.is_with_center else _NOT_SUBMITTED


def explain_refusal(action: BookingAction, referral: Referral, actor: Actor) -> str | None:
    """Say why a side cannot do this now; None if it can."""
    obstacle = find_obstacle(referral)
    if obstacle:
        return obstacle.message
    if action is BookingAction.ASK and actor is not Actor.PRACTICE:
        return "Only the referring practice can ask for a consultation time."
    # After a missed consultation a new one is booked.
    is_planned = find_planned(referral) is not None and not is_consultation_missed(referral)
    if action is BookingAction.BOOK and is_planned:
        return "A consultation is planned. Move it instead."
    if action in {BookingAction.MOVE, BookingAction.CANCEL} and not is_planned:
        return "No consultation is planned."
    return None
