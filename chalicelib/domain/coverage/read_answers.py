"""Reads all answers to one question: compares the person, sorts the rejections, derives the facts."""

from collections.abc import Sequence
from dataclasses import replace

from chalicelib.domain.coverage.derive_facts import derive_facts
from chalicelib.domain.coverage.member_match import list_differences
from chalicelib.domain.coverage.payers import PayerSetup
from chalicelib.domain.coverage.question import BenefitsQuestion
from chalicelib.domain.coverage.reading import AnswerReading, ReadingState
from chalicelib.domain.coverage.rejections import OUT_OF_NETWORK, AnswerLoop, Rejection, RejectionKind
from chalicelib.domain.coverage.rows import PayerAnswer, combine_answers

_STATES = {
    RejectionKind.OURS: ReadingState.OUR_ERROR,
    RejectionKind.SET_UP: ReadingState.NEEDS_SET_UP,
    RejectionKind.CORRECT: ReadingState.NEEDS_CORRECTION,
    RejectionKind.CALL: ReadingState.NEEDS_CALL,
    RejectionKind.RETRY: ReadingState.ASK_AGAIN,
}
"""In this order: what would fail again in the same way comes before a retry."""


def read_answers(
    question: BenefitsQuestion, answers: Sequence[PayerAnswer], payer: PayerSetup, *, date_retried: bool = False
) -> AnswerReading:
    """Read the answers to one question, one for each exchange.

    Read each answer alone to decide whether its exchange must be repeated, and all of them together
    for the result.

    Args:
        question: With all service types that were asked.
        answers: At least one.
        payer: Its configuration.
        date_retried: Whether the question was already repeated with today's date because of the payer.
    """
    answer = combine_answers(answers)
    answer = replace(answer, rejections=tuple(_point_rejections(question, answer.rejections)))
    differences = tuple(dict.fromkeys(found for each in answers for found in list_differences(question, each)))
    deciding = _list_deciding_rejections(answer)
    state = _find_state(answer, deciding, date_retried=date_retried)
    if state is ReadingState.COMPLETED and any(each.stops for each in differences):
        state = ReadingState.ANOTHER_PERSON
    facts = derive_facts(question, answer, payer) if state is ReadingState.COMPLETED else None
    others = [each for row in answer.rows for each in row.rejections if each not in deciding]
    return AnswerReading(
        state=state,
        answer=answer,
        facts=facts,
        differences=differences,
        rejections=tuple(dict.fromkeys((*deciding, *answer.rejections, *others))),
    )


def _list_deciding_rejections(answer: PayerAnswer) -> Sequence[Rejection]:
    """List the rejections that stand for the whole answer.

    Those of rows count only if no row brought anything. "Out of network" is an answer, not a refusal.
    """
    deciding = list(answer.rejections)
    if answer.rows and all(row.rejections for row in answer.rows):
        deciding += [each for row in answer.rows for each in row.rejections]
    return [each for each in deciding if each.code != OUT_OF_NETWORK]


def _find_state(answer: PayerAnswer, deciding: Sequence[Rejection], *, date_retried: bool) -> ReadingState:
    if not deciding:
        has_content = answer.rows or any(each.code == OUT_OF_NETWORK for each in answer.rejections)
        return ReadingState.COMPLETED if has_content else ReadingState.NEEDS_CALL
    if not date_retried and all(each.ask_again_today for each in deciding):
        return ReadingState.ASK_AGAIN_TODAY
    kinds = {each.kind for each in deciding}
    return next(state for kind, state in _STATES.items() if kind in kinds)


def _point_rejections(question: BenefitsQuestion, rejections: Sequence[Rejection]) -> Sequence[Rejection]:
    """Point a rejection of the subscriber to the subscriber, if that is not the patient."""
    if not question.is_for_dependent:
        return rejections
    return [
        replace(each, pointer=each.pointer.replace("/patient/", "/insurance/subscriber/"))
        if each.pointer and each.loop is AnswerLoop.SUBSCRIBER
        else each
        for each in rejections
    ]
