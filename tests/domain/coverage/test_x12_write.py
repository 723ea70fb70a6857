"""The 270 that we write, read again by two parsers that we did not write."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.coverage.payers import AttemptIds
from chalicelib.domain.coverage.question import CoveredPerson, Relationship, list_question_errors
from chalicelib.domain.coverage.x12_envelope import read_interchange
from chalicelib.domain.coverage.x12_error import X12Error
from chalicelib.domain.coverage.x12_write import write_270
from tests.support.payer_answers import ANA, PAYER, a_dependent_question, a_question
from tests.support.x12_readers import read_with_pyx12, read_with_x12sdk

IDS = AttemptIds(
    control_number=905,
    payload_id="4d9c2f3e-5f0e-4b55-9d4e-3c6f0b7d1a10",
    sent_at=datetime(2026, 11, 28, 14, 5, tzinfo=UTC),
)

EXPECTED = (
    "ISA*00*          *00*          *ZZ*CARTHUB        *ZZ*PAYERSIM       *261128*1405*^*00501*000000905*0*T*:~"
    "GS*HS*CARTHUB*PAYERSIM*20261128*1405*1*X*005010X279A1~ST*270*0001*005010X279A1~"
    "BHT*0022*13*C5F0A1*20261128*140500~HL*1**20*1~NM1*PR*2*EXAMPLE HEALTH*****PI*99999~"
    "HL*2*1*21*1~NM1*1P*2*EXAMPLE PRACTICE*****XX*1234567893~HL*3*2*22*0~TRN*1*C5F0A1*9CARTHUB01~"
    "NM1*IL*1*EXAMPLE*ANA****MI*XEX0003~DMG*D8*19610402*F~DTP*291*D8*20261110~EQ*30~"
    "SE*13*0001~GE*1*1~IEA*1*000000905~"
)

QUESTIONS = {
    "the patient": a_question(),
    "a child": a_dependent_question(),
    "a spouse": replace(a_dependent_question(), relationship=Relationship.SPOUSE),
    "another dependent": replace(a_dependent_question(), relationship=Relationship.OTHER),
    "several service types": a_question(service_types=("30", "48", "78")),
    "no sex": a_question(patient=replace(ANA, sex=None)),
    "accents": a_question(patient=replace(ANA, family_name="Núñez-O\u2019Brien Łoś")),
}


def write(question=None, payer=PAYER, ids=IDS):
    return write_270(question or a_question(), payer, ids).decode("ascii")


def list_segments(text, name):
    return [each for each in text.split("~") if each.split("*")[0] == name]


def test_a_question_is_written_as_the_guide_shows_it():
    assert write() == EXPECTED


@pytest.mark.parametrize("question", QUESTIONS.values(), ids=QUESTIONS)
def test_x12sdk_accepts_our_question_and_writes_the_same(question):
    text = write(question)

    model = read_with_x12sdk(text)
    assert model.x12().replace("\n", "") == text[text.index("ST*") : text.index("GE*")]


@pytest.mark.parametrize("question", QUESTIONS.values(), ids=QUESTIONS)
def test_pyx12_finds_no_error_in_our_question(question):
    text = write(question)

    segments, errors = read_with_pyx12(text)
    assert errors == []
    assert "~".join(segments) + "~" == text


def test_our_own_reader_accepts_our_question():
    interchange = read_interchange(write().encode())

    assert (interchange.set_code, interchange.control_number, interchange.test_data) == ("270", "000000905", True)


def test_a_dependent_is_asked_about_below_the_subscriber():
    text = write(a_dependent_question())

    assert list_segments(text, "HL") == ["HL*1**20*1", "HL*2*1*21*1", "HL*3*2*22*1", "HL*4*3*23*0"]
    assert list_segments(text, "NM1")[2:] == ["NM1*IL*1*EXAMPLE*ANA****MI*XEX0003", "NM1*03*1*EXAMPLE*LUIS"]
    assert list_segments(text, "INS") == ["INS*N*19"]
    assert text.index("HL*4") < text.index("TRN*1")


def test_the_trace_and_never_a_record_number_identifies_the_question():
    assert list_segments(write(a_question(trace_id="T77")), "TRN") == ["TRN*1*T77*9CARTHUB01"]


def test_a_production_question_says_so():
    assert read_interchange(write(payer=replace(PAYER, production=True)).encode()).test_data is False


def test_the_group_is_sent_only_to_payers_that_want_it():
    assert list_segments(write(), "REF") == []
    assert list_segments(write(payer=replace(PAYER, send_group=True)), "REF") == ["REF*6P*42"]


def test_spaces_of_a_member_id_are_not_sent():
    assert "****MI*XEX0003~" in write(a_question(member_id="XEX 0003"))


@pytest.mark.parametrize(
    ("question", "reason"),
    [
        (a_question(patient=replace(ANA, family_name="王")), "value_missing"),
        (a_question(patient=replace(ANA, family_name="A" * 61)), "value_too_long"),
        (a_question(patient=replace(ANA, birth_date=None)), "birth_date_missing"),
        (a_question(provider_npi="12345*7893"), "unwritable"),
        (a_question(trace_id="A~B"), "unwritable"),
        (a_question(service_types=("30:1",)), "unwritable"),
    ],
)
def test_what_cannot_be_written_is_an_error_and_nothing_is_sent(question, reason):
    with pytest.raises(X12Error) as error:
        write(question)

    assert error.value.reason == reason


@pytest.mark.parametrize(
    "payer",
    [
        replace(PAYER, sender_id="A*B"),
        replace(PAYER, sender_id=""),
        replace(PAYER, receiver_id="A" * 16),
        replace(PAYER, trace_origin="9SHORT"),
    ],
)
def test_a_wrong_configuration_is_an_error(payer):
    with pytest.raises(X12Error, match="setup"):
        write(payer=payer)


@pytest.mark.parametrize("number", [0, 1_000_000_000])
def test_a_control_number_has_nine_digits(number):
    with pytest.raises(X12Error, match="control_number"):
        write(ids=replace(IDS, control_number=number))


@given(
    family_name=st.text(min_size=1, max_size=60),
    given_name=st.text(min_size=1, max_size=40),
    member_id=st.text(min_size=1, max_size=90),
    group=st.none() | st.text(max_size=90),
)
def test_every_text_is_either_refused_by_name_or_read_again_by_our_reader(family_name, given_name, member_id, group):
    person = CoveredPerson(family_name=family_name, given_name=given_name, birth_date=ANA.birth_date)
    question = a_question(patient=person, member_id=member_id, group=group)
    payer = replace(PAYER, send_group=True)
    if list_question_errors(question):
        return

    text = write(question, payer)
    interchange = read_interchange(text.encode())
    assert len(interchange.body) == len([each for each in text.split("~") if each]) - 6
