"""What can be asked, and in which characters."""

from dataclasses import replace

import pytest

from chalicelib.domain.coverage.payers import find_payer
from chalicelib.domain.coverage.plain_ascii import fold_to_x12
from chalicelib.domain.coverage.question import list_question_errors, split_by_service_type
from tests.support.payer_answers import ANA, LUIS, PAYER, a_dependent_question, a_question


@pytest.mark.parametrize(
    ("written", "folded"),
    [
        ("Núñez-Łoś", "NUNEZ-LOS"),
        ("Nguyễn Thị", "NGUYEN THI"),
        ("O\u2019Brien", "O'BRIEN"),
        ("Groß", "GROSS"),
        ("Smith*Jones~", "SMITH JONES"),
        ("A:B^C|D>E", "A B C D E"),
        ("  two   spaces ", "TWO SPACES"),
        ("Æsa Øre", "AESA ORE"),
        ("王", ""),
        ("line\r\nbreak", "LINE BREAK"),
    ],
)
def test_a_name_is_folded_to_the_characters_that_payers_read(written, folded):
    assert fold_to_x12(written) == folded


def test_a_complete_question_has_no_errors():
    assert list_question_errors(a_question()) == []
    assert list_question_errors(a_dependent_question()) == []


@pytest.mark.parametrize(
    ("changes", "pointer", "code"),
    [
        ({"patient": replace(ANA, family_name="")}, "/patient/family_name", "missing"),
        ({"patient": replace(ANA, family_name="王")}, "/patient/family_name", "not_readable"),
        ({"patient": replace(ANA, family_name="A" * 61)}, "/patient/family_name", "too_long"),
        ({"patient": replace(ANA, given_name="")}, "/patient/given_name", "missing"),
        ({"patient": replace(ANA, given_name="A" * 36)}, "/patient/given_name", "too_long"),
        ({"patient": replace(ANA, birth_date=None)}, "/patient/birth_date", "missing"),
        ({"member_id": ""}, "/insurance/member_id", "missing"),
        ({"member_id": "?"}, "/insurance/member_id", "not_readable"),
        ({"group": "€"}, "/insurance/group", "not_readable"),
        ({"provider_npi": "123"}, "/referring_provider/npi", "not_an_npi"),
        ({"provider_name": ""}, "/referring_provider/name", "missing"),
    ],
)
def test_what_a_payer_cannot_read_is_named_before_anything_is_sent(changes, pointer, code):
    [error] = list_question_errors(a_question(**changes))

    assert (error.pointer, error.code) == (pointer, code)


def test_a_dependent_needs_a_subscriber():
    [error] = list_question_errors(replace(a_dependent_question(), subscriber=None))

    assert error.pointer == "/insurance/subscriber"


def test_the_subscriber_of_a_dependent_is_checked_too():
    question = replace(a_dependent_question(), subscriber=replace(ANA, birth_date=None))

    [error] = list_question_errors(question)
    assert error.pointer == "/insurance/subscriber/birth_date"


@pytest.mark.parametrize("changes", [{"trace_id": "ref_a"}, {"trace_id": "A" * 31}, {"service_types": ()}])
def test_our_own_part_of_a_question_must_be_valid(changes):
    with pytest.raises(ValueError, match=r"trace id|service type"):
        list_question_errors(a_question(**changes))


def test_the_policy_holder_is_the_subscriber_or_the_patient():
    assert a_question().policy_holder == ANA
    assert a_dependent_question().policy_holder == ANA
    assert a_dependent_question().patient == LUIS


def test_a_question_is_split_into_one_for_each_service_type():
    parts = split_by_service_type(a_question(service_types=("30", "78")))

    assert [part.service_types for part in parts] == [("30",), ("78",)]
    assert {part.trace_id for part in parts} == {"C5F0A1"}


@pytest.mark.parametrize("name", ["Example Health", "EXAMPLE-HEALTH", "example health ppo"])
def test_a_payer_is_found_by_any_of_its_names(name):
    assert find_payer([PAYER], name) is PAYER


@pytest.mark.parametrize("name", ["Example", "", "---"])
def test_a_payer_is_not_found_by_a_part_of_its_name(name):
    assert find_payer([PAYER], name) is None
