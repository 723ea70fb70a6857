"""What the answers of a payer mean: compared with what was asked, and read as the four facts."""

from dataclasses import dataclass
from enum import StrEnum

from chalicelib.domain.coverage.facts import CoverageFacts
from chalicelib.domain.coverage.rejections import Rejection
from chalicelib.domain.coverage.rows import PayerAnswer


class ReadingState(StrEnum):
    """What happens with the check after an answer."""

    COMPLETED = "completed"
    """There are facts."""
    ASK_AGAIN = "ask_again"
    """The payer could not answer now: retry as after a failed attempt."""
    ASK_AGAIN_TODAY = "ask_again_today"
    """Ask once more with today's date. If that brings the same answer, the check needs a person."""
    NEEDS_CORRECTION = "needs_correction"
    """The practice corrects a fact, or calls."""
    NEEDS_CALL = "needs_call"
    """Only a call helps."""
    NEEDS_SET_UP = "needs_set_up"
    """An administrator or operator acts."""
    OUR_ERROR = "our_error"
    """An engineer acts."""
    ANOTHER_PERSON = "another_person"
    """Last name or date of birth differ from what was asked, so no fact is derived."""


class MemberField(StrEnum):
    """What a payer repeats about a person."""

    MEMBER_ID = "member_id"
    FAMILY_NAME = "family_name"
    GIVEN_NAME = "given_name"
    MIDDLE_NAME = "middle_name"
    BIRTH_DATE = "birth_date"
    SEX = "sex"


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberDifference:
    """One thing that the payer has otherwise. A person decides; nothing is overwritten. Field names are stored.

    Attributes:
        pointer: The fact, as a pointer into the body of a referral.
        asked: What we sent, as text; None if nothing.
        answered: What the payer has, as text.
        stops: Whether it may be another person.
    """

    pointer: str
    field: MemberField
    asked: str | None
    answered: str
    stops: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerReading:
    """What all answers to one question mean together. Field names are stored.

    Attributes:
        answer: All rows, numbered as the facts name them.
        facts: None unless the state is `completed`.
        rejections: Those that decide the state first.
    """

    state: ReadingState
    answer: PayerAnswer
    facts: CoverageFacts | None = None
    differences: tuple[MemberDifference, ...] = ()
    rejections: tuple[Rejection, ...] = ()
