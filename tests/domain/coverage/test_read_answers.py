"""What happens with a check after the payer's answer, and whose answer it is."""

from dataclasses import replace
from datetime import date

import pytest

from chalicelib.domain.coverage.facts import NetworkStatus
from chalicelib.domain.coverage.read_answers import read_answers
from chalicelib.domain.coverage.reading import MemberField, ReadingState
from chalicelib.domain.coverage.rejections import AnswerLoop
from chalicelib.domain.coverage.rows import MAX_ROWS, AnsweredPerson, combine_answers
from tests.support.payer_answers import (
    ANA,
    PAYER,
    a_dependent_question,
    a_question,
    a_rejection,
    a_row,
    an_answer,
)

ACTIVE = a_row("1", "30")


def read(*answers, question=None, **options):
    return read_answers(question or a_question(), answers, PAYER, **options)


def person(**changes):
    same = AnsweredPerson(family_name="EXAMPLE", given_name="ANA", birth_date=ANA.birth_date, member_id="XEX0003")
    return replace(same, **changes)


def test_an_answer_with_rows_completes_the_check():
    reading = read(an_answer(ACTIVE))

    assert reading.state is ReadingState.COMPLETED
    assert reading.facts
    assert reading.differences == ()


def test_an_answer_without_any_content_needs_a_call():
    reading = read(an_answer())

    assert reading.state is ReadingState.NEEDS_CALL
    assert reading.facts is None


@pytest.mark.parametrize(
    ("code", "state"),
    [
        ("42", ReadingState.ASK_AGAIN),
        ("79", ReadingState.NEEDS_SET_UP),
        ("T4", ReadingState.OUR_ERROR),
        ("72", ReadingState.NEEDS_CORRECTION),
        ("Q9", ReadingState.NEEDS_CALL),
        ("62", ReadingState.ASK_AGAIN_TODAY),
    ],
)
def test_a_rejection_decides_what_happens_next(code, state):
    reading = read(an_answer(rejections=(a_rejection(code, follow_up=None),)))

    assert reading.state is state
    assert reading.facts is None
    assert [each.code for each in reading.rejections] == [code]


def test_a_refused_date_is_asked_again_only_once():
    answer = an_answer(rejections=(a_rejection("62"),))

    assert read(answer, date_retried=True).state is ReadingState.OUR_ERROR


def test_what_would_fail_again_comes_before_a_retry():
    answer = an_answer(rejections=(a_rejection("42", follow_up="R"), a_rejection("72")))

    assert read(answer).state is ReadingState.NEEDS_CORRECTION


def test_a_rejected_row_does_not_reject_the_other_rows():
    rejected = a_row("V", "78", rejections=(a_rejection("53", loop=AnswerLoop.BENEFIT),))

    reading = read(an_answer(ACTIVE, rejected))
    assert reading.state is ReadingState.COMPLETED
    assert [each.code for each in reading.rejections] == ["53"]


def test_an_answer_of_rejected_rows_only_needs_a_call():
    rejected = a_row("V", "78", rejections=(a_rejection("53", loop=AnswerLoop.BENEFIT),))

    assert read(an_answer(rejected)).state is ReadingState.NEEDS_CALL


def test_out_of_network_is_an_answer():
    reading = read(an_answer(rejections=(a_rejection("35"),)))

    assert reading.state is ReadingState.COMPLETED
    assert reading.facts.network.status is NetworkStatus.OUT_OF_NETWORK


def test_a_rejection_of_the_subscriber_points_to_the_subscriber():
    answer = an_answer(rejections=(a_rejection("71"), a_rejection("71", loop=AnswerLoop.DEPENDENT)))

    reading = read(answer, question=a_dependent_question())
    assert [each.pointer for each in reading.rejections] == [
        "/insurance/subscriber/birth_date",
        "/patient/birth_date",
    ]


@pytest.mark.parametrize(
    ("changes", "field"),
    [({"family_name": "OTHER"}, MemberField.FAMILY_NAME), ({"birth_date": date(1962, 4, 2)}, MemberField.BIRTH_DATE)],
)
def test_another_last_name_or_birth_date_may_be_another_person(changes, field):
    reading = read(an_answer(ACTIVE, subscriber=person(**changes)))

    assert reading.state is ReadingState.ANOTHER_PERSON
    assert reading.facts is None
    assert [each.field for each in reading.differences] == [field]


@pytest.mark.parametrize(
    ("changes", "field", "answered"),
    [
        ({"member_id": "XEX9999"}, MemberField.MEMBER_ID, "XEX9999"),
        ({"middle_name": "M"}, MemberField.MIDDLE_NAME, "M"),
        ({"given_name": "HANA"}, MemberField.GIVEN_NAME, "HANA"),
        ({"sex": "M"}, MemberField.SEX, "male"),
    ],
)
def test_another_correction_of_the_payer_is_shown_and_the_check_completes(changes, field, answered):
    reading = read(an_answer(ACTIVE, subscriber=person(**changes)))

    [difference] = reading.differences
    assert reading.state is ReadingState.COMPLETED
    assert (difference.field, difference.answered, difference.stops) == (field, answered, False)


@pytest.mark.parametrize(
    ("asked", "answered"),
    [
        ("Example", "EXAMPLE"),
        ("Núñez", "NUNEZ"),
        ("de la Cruz", "DELACRUZ"),
        ("Müller", "MUELLER"),
        ("Müller", "MULLER"),
        ("Smith Jr.", "SMITH"),
        ("Smith", "SMITH III"),
        ("O'Brien", "OBRIEN"),
    ],
)
def test_a_last_name_in_another_spelling_is_the_same_name(asked, answered):
    question = a_question(patient=replace(ANA, family_name=asked))

    assert read(an_answer(ACTIVE, subscriber=person(family_name=answered)), question=question).differences == ()


def test_a_second_first_name_can_be_a_middle_name():
    question = a_question(patient=replace(ANA, given_name="Ana Maria"))

    answer = an_answer(ACTIVE, subscriber=person(given_name="ANA", middle_name="MARIA"))
    assert read(answer, question=question).differences == ()


def test_what_the_payer_leaves_out_is_no_difference():
    assert read(an_answer(ACTIVE, subscriber=AnsweredPerson())).differences == ()
    assert read(an_answer(ACTIVE, subscriber=None)).differences == ()


def test_rows_about_the_subscriber_are_not_taken_for_the_patient():
    reading = read(an_answer(ACTIVE), question=a_dependent_question())

    assert reading.state is ReadingState.ANOTHER_PERSON


def test_a_dependent_with_a_member_id_of_their_own_can_be_answered_as_subscriber():
    luis = AnsweredPerson(family_name="EXAMPLE", given_name="LUIS", birth_date=date(2012, 8, 9), member_id="XEX0003")

    assert read(an_answer(ACTIVE, subscriber=luis), question=a_dependent_question()).state is ReadingState.COMPLETED


def test_the_dependent_and_the_subscriber_are_both_compared():
    answer = an_answer(
        ACTIVE,
        subscriber=person(birth_date=date(1970, 1, 1)),
        dependent=AnsweredPerson(family_name="EXAMPLE", given_name="LOUIS"),
    )

    reading = read(answer, question=a_dependent_question())
    assert [each.pointer for each in reading.differences] == [
        "/patient/given_name",
        "/insurance/subscriber/birth_date",
    ]


def test_another_person_in_the_second_answer_stops_the_mapping():
    reading = read(an_answer(ACTIVE), an_answer(a_row("1", "78"), subscriber=person(family_name="OTHER")))

    assert reading.state is ReadingState.ANOTHER_PERSON


def test_answers_for_several_service_types_become_one():
    reading = read(an_answer(ACTIVE, a_row("B", "98")), an_answer(ACTIVE, a_row("A", "78")))

    assert [(row.number, row.code) for row in reading.answer.rows] == [(1, "1"), (2, "B"), (3, "A")]


def test_a_long_answer_says_how_many_rows_are_left_out():
    answer = an_answer(*(a_row("D", "30", plan_name=str(number)) for number in range(MAX_ROWS + 7)))

    combined = combine_answers([answer])
    assert len(combined.rows) == MAX_ROWS
    assert combined.rows_left_out == 7


def test_answers_to_different_questions_cannot_be_combined():
    with pytest.raises(ValueError, match="one question"):
        combine_answers([an_answer(ACTIVE), an_answer(ACTIVE, trace_id="OTHER")])
