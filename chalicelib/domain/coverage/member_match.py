"""Compares the person that a payer repeats with the person that was asked about.

A payer may have a newer member ID or another spelling. A person decides which is right: nothing is
overwritten. Another last name or date of birth may be another person, so no fact is derived.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import date

from chalicelib.domain.coverage.plain_ascii import fold_to_x12
from chalicelib.domain.coverage.question import BenefitsQuestion, CoveredPerson
from chalicelib.domain.coverage.reading import MemberDifference, MemberField
from chalicelib.domain.coverage.rows import AnsweredPerson, PayerAnswer

_SUFFIX = re.compile(r"[ ,]+(JR|SR|II|III|IV)\.?$", re.ASCII)
_UMLAUTS = str.maketrans({"Ä": "AE", "Ö": "OE", "Ü": "UE", "Ø": "OE", "Å": "AA"})
_SEX_CODES = {"F": "female", "M": "male"}


def list_differences(question: BenefitsQuestion, answer: PayerAnswer) -> Sequence[MemberDifference]:
    """List what the payer has otherwise, for the patient first. What the payer left out is no difference.

    The rows are about the dependent, or about the subscriber if the answer has no dependent. That
    person must be the patient, even if the question named someone else as the subscriber.
    """
    found: list[MemberDifference] = []
    patient = answer.dependent or answer.subscriber
    if patient:
        found += _compare_person(question.patient, patient, "/patient")
    holder = answer.subscriber if answer.dependent else None
    if holder and question.subscriber:
        found += _compare_person(question.subscriber, holder, "/insurance/subscriber")
    found += _compare_member_id(question, answer)
    return found


def _compare_member_id(question: BenefitsQuestion, answer: PayerAnswer) -> Iterator[MemberDifference]:
    answered = answer.subscriber.member_id if answer.subscriber else None
    if answered and _reduce(answered) != _reduce(question.member_id):
        yield MemberDifference(
            pointer="/insurance/member_id",
            field=MemberField.MEMBER_ID,
            asked=question.member_id,
            answered=answered,
            stops=False,
        )


def _compare_person(asked: CoveredPerson, answered: AnsweredPerson, pointer: str) -> Iterator[MemberDifference]:
    if answered.family_name and not _is_same_family_name(asked.family_name, answered.family_name):
        yield MemberDifference(
            pointer=f"{pointer}/family_name",
            field=MemberField.FAMILY_NAME,
            asked=asked.family_name,
            answered=answered.family_name,
            stops=True,
        )
    if answered.birth_date and answered.birth_date != asked.birth_date:
        yield MemberDifference(
            pointer=f"{pointer}/birth_date",
            field=MemberField.BIRTH_DATE,
            asked=_format(asked.birth_date),
            answered=answered.birth_date.isoformat(),
            stops=True,
        )
    yield from _compare_given_names(asked, answered, pointer)
    sex = _SEX_CODES.get((answered.sex or "").upper())
    if sex and asked.sex in _SEX_CODES.values() and sex != asked.sex:
        yield MemberDifference(
            pointer=f"{pointer}/sex", field=MemberField.SEX, asked=asked.sex, answered=sex, stops=False
        )


def _compare_given_names(asked: CoveredPerson, answered: AnsweredPerson, pointer: str) -> Iterator[MemberDifference]:
    given, middle = answered.given_name or "", answered.middle_name or ""
    if not given or _reduce(given + middle) in _list_spellings(asked.given_name):
        return
    if _reduce(given) in _list_spellings(asked.given_name):
        # The payer has a middle name that was not asked about.
        yield MemberDifference(
            pointer=f"{pointer}/given_name", field=MemberField.MIDDLE_NAME, asked=None, answered=middle, stops=False
        )
        return
    yield MemberDifference(
        pointer=f"{pointer}/given_name",
        field=MemberField.GIVEN_NAME,
        asked=asked.given_name,
        answered=" ".join(filter(None, (given, middle))),
        stops=False,
    )


def _is_same_family_name(asked: str, answered: str) -> bool:
    """Whether two last names are the same without accents, punctuation, and a suffix such as "Jr."."""
    return bool(_list_spellings(asked, without_suffix=True) & _list_spellings(answered, without_suffix=True))


def _list_spellings(name: str, *, without_suffix: bool = False) -> set[str]:
    """List the ways in which payers write a name: "Müller" is MULLER or MUELLER."""
    spellings = {fold_to_x12(name), fold_to_x12(name.upper().translate(_UMLAUTS))}
    if without_suffix:
        spellings = {_SUFFIX.sub("", each) for each in spellings}
    return {_reduce(each) for each in spellings}


def _reduce(text: str) -> str:
    return "".join(char for char in fold_to_x12(text) if char.isalnum())


def _format(day: date | None) -> str | None:
    return day.isoformat() if day else None
