"""JSON answers: what is read, what is left alone, and what is refused."""

import json
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.domain.coverage.answer_error import AnswerError, AnswerFlaw
from chalicelib.domain.coverage.clearinghouse_read import read_json_answer
from chalicelib.domain.coverage.rejections import AnswerLoop, RejectionKind
from chalicelib.domain.coverage.rows import MAX_MESSAGE_CHARS, AttemptFailure, PayerAnswer
from tests.support.payer_answers import ANSWERED_AT


def build(**changes):
    return {
        "controlNumber": "000000905",
        "payer": {"name": "EXAMPLE HEALTH"},
        "subscriber": {"memberId": "XEX0001", "firstName": "ANA", "lastName": "EXAMPLE", "dateOfBirth": "19610402"},
        "benefitsInformation": [{"code": "1", "serviceTypeCodes": ["30"]}],
        **changes,
    }


def read(document=None, **changes):
    raw = document if isinstance(document, bytes) else json.dumps(build(**changes)).encode()
    return read_json_answer(raw, trace_id="C5F0A1", control_number=905, answered_at=ANSWERED_AT)


def read_row(**benefit):
    [row] = read(benefitsInformation=[{"code": "1", **benefit}]).rows
    return row


def refuse(document=None, **changes):
    with pytest.raises(AnswerError) as error:
        read(document, **changes)
    return error.value.reason


def test_an_answer_is_read_with_its_person():
    answer = read()

    assert (answer.trace_id, answer.payer_name) == ("C5F0A1", "EXAMPLE HEALTH")
    assert (answer.subscriber.member_id, answer.subscriber.birth_date) == ("XEX0001", date(1961, 4, 2))
    assert [(row.number, row.code, row.service_types) for row in answer.rows] == [(1, "1", ("30",))]


def test_every_part_of_a_row_is_read():
    row = read_row(
        coverageLevelCode="IND",
        serviceTypeCodes=["78"],
        insuranceTypeCode="12",
        planCoverage="GOLD",
        timeQualifierCode="29",
        benefitAmount="1150.00",
        benefitPercent=".2",
        quantityQualifierCode="VS",
        benefitQuantity="4",
        authOrCertIndicator="Y",
        inPlanNetworkIndicatorCode="N",
        compositeMedicalProcedureIdentifier={"productOrServiceIDQualifierCode": "HC", "procedureCode": "38228"},
        eligibilityAdditionalInformation={"codeListQualifierCode": "ZZ", "industryCode": "21"},
        additionalInformation=[{"description": "ONE"}, {"description": "TWO"}],
        benefitsDateInformation={"benefit": "20260101-20261231"},
        benefitsAdditionalInformation={"priorAuthorizationNumber": "A77"},
        benefitsRelatedEntities=[
            {
                "entityIdentifier": "Utilization Management Organization",
                "entityName": "UM",
                "contactInformation": {
                    "contacts": [{"communicationMode": "Telephone", "communicationNumber": "8005550100"}]
                },
            }
        ],
    )

    assert (row.level, row.service_types, row.insurance_type, row.plan_name) == ("IND", ("78",), "12", "GOLD")
    assert (row.period, row.amount, row.percent) == ("29", Decimal("1150.00"), Decimal("0.2"))
    assert (row.quantity_code, row.quantity, row.procedure) == ("VS", 4, "HC:38228")
    assert (row.authorization, row.in_network, row.places_of_service) == ("Y", "N", ("21",))
    assert row.messages == ("ONE", "TWO")
    assert [(each.code, each.first, each.last) for each in row.dates] == [("292", date(2026, 1, 1), date(2026, 12, 31))]
    assert [(each.code, each.value) for each in row.references] == [("G1", "A77")]
    assert (row.entities[0].role, row.entities[0].contacts[0].kind) == ("X3", "phone")


@pytest.mark.parametrize("amount", ["1150.00", 1150, 1150.0])
def test_an_amount_can_be_a_text_or_a_number(amount):
    assert read_row(benefitAmount=amount).amount == Decimal(1150)


def test_an_amount_is_never_rounded():
    raw = json.dumps(build(benefitsInformation=[{"code": "C", "benefitAmount": "AMOUNT"}])).replace('"AMOUNT"', "0.10")

    assert str(read(raw.encode()).rows[0].amount) == "0.10"


@pytest.mark.parametrize("day", ["20260101", "2026-01-01"])
def test_a_day_can_have_hyphens(day):
    assert read(planDateInformation={"planBegin": day}).dates[0].first == date(2026, 1, 1)


def test_a_period_can_have_hyphens():
    [period] = read(planDateInformation={"plan": "2026-01-01-2026-12-31", "notes": ["left alone"]}).dates

    assert (period.code, period.first, period.last) == ("291", date(2026, 1, 1), date(2026, 12, 31))


def test_values_that_no_list_knows_stay_as_they_are():
    row = read_row(code="ZZ9", authOrCertIndicator="MAYBE", benefitsRelatedEntities=[{"entityIdentifier": "Vendor"}])

    assert (row.code, row.authorization, row.entities[0].role) == ("ZZ9", "MAYBE", "Vendor")


def test_members_that_we_do_not_know_are_left_alone():
    assert read(somethingNew={"a": [1]}, benefitsInformation=[{"code": "1", "new": {}}]).rows[0].code == "1"


def test_the_status_of_the_plan_counts_only_if_no_row_says_it():
    status = [{"statusCode": "1", "planDetails": "GOLD", "serviceTypeCodes": ["30"]}]

    both = read(planStatus=status)
    only = read(planStatus=status, benefitsInformation=[{"code": "C"}])
    assert [row.code for row in both.rows] == ["1"]
    assert [(row.number, row.code, row.plan_name) for row in only.rows] == [(1, "1", "GOLD"), (2, "C", None)]


def test_an_older_name_of_an_entity_is_read_once():
    entity = {"entityIdentifier": "Primary Payer", "entityName": "MEDICARE"}

    old = read_row(benefitsRelatedEntity=entity)
    both = read_row(benefitsRelatedEntity=entity, benefitsRelatedEntities=[entity])
    assert [each.role for each in old.entities] == [each.role for each in both.entities] == ["PRP"]


def test_a_dependent_is_read():
    answer = read(dependents=[{"firstName": "LUIS", "lastName": "EXAMPLE", "gender": "Male"}])

    assert (answer.dependent.given_name, answer.dependent.sex) == ("LUIS", "M")


@pytest.mark.parametrize(
    ("place", "loop"),
    [("payer", AnswerLoop.SOURCE), ("provider", AnswerLoop.RECEIVER), ("subscriber", AnswerLoop.SUBSCRIBER)],
)
def test_a_rejection_is_read_where_it_is(place, loop):
    error = {"code": "75", "followupAction": "Please Correct and Resubmit"}

    answer = read(**{place: {"aaaErrors": [error]}, "benefitsInformation": []})
    assert [(each.code, each.follow_up, each.loop) for each in answer.rejections] == [("75", "C", loop)]


def test_a_rejection_of_a_dependent_and_of_a_row_are_read():
    answer = read(
        dependents=[{"aaaErrors": [{"code": "67"}]}],
        benefitsInformation=[{"code": "V", "aaaErrors": [{"code": "53"}]}],
    )

    assert [each.loop for each in answer.rejections] == [AnswerLoop.DEPENDENT]
    assert [each.loop for each in answer.rows[0].rejections] == [AnswerLoop.BENEFIT]


def test_a_common_list_of_errors_is_not_counted_twice():
    error = {"code": "42", "followupAction": "Resubmission Allowed", "location": "Loop 2100A"}

    only_common = read(errors=[error], benefitsInformation=[])
    both = read(payer={"aaaErrors": [error]}, errors=[error], benefitsInformation=[])
    assert [(each.loop, each.kind) for each in only_common.rejections] == [(AnswerLoop.SOURCE, RejectionKind.RETRY)]
    assert len(both.rejections) == 1


def test_words_about_a_repeat_that_we_do_not_know_are_kept():
    answer = read(payer={"aaaErrors": [{"code": "42", "followupAction": "Call us"}]})

    assert answer.rejections[0].follow_up == "Call us"


def test_hidden_characters_become_spaces():
    assert read_row(planCoverage="GO\x00LD\n").plan_name == "GO LD"


def test_a_lone_surrogate_can_be_stored():
    raw = json.dumps(build(payer={"name": "A"})).replace('"A"', '"A\\ud800B"')

    assert read(raw.encode()).payer_name.encode() == b"A B"


def test_long_messages_are_cut():
    row = read_row(additionalInformation=[{"description": "A" * 3_000}] * 3)

    assert sum(map(len, row.messages)) == MAX_MESSAGE_CHARS


def test_another_shape_is_named():
    failure = read(b'{"plans": []}')

    assert isinstance(failure, AttemptFailure)
    assert failure.reason == "unknown_shape"


@pytest.mark.parametrize("number", ["000000906", "", None, "905x", "1000000000000000905", "\u0669\u0660\u0665", "-905"])
def test_an_answer_to_another_request_is_refused(number):
    assert refuse(controlNumber=number) is AnswerFlaw.CONTROL_NUMBER


@pytest.mark.parametrize("number", ["905", 905, "000000905"])
def test_lost_zeros_of_a_control_number_change_nothing(number):
    assert read(controlNumber=number).rows


@pytest.mark.parametrize(
    ("document", "flaw"),
    [
        (b"", AnswerFlaw.EMPTY),
        (b"<html></html>", AnswerFlaw.JSON),
        (b"{", AnswerFlaw.JSON),
        (b'{"a": NaN}', AnswerFlaw.JSON),
        (b'{"a": Infinity}', AnswerFlaw.JSON),
        (b"\xff\xfe{}", AnswerFlaw.JSON),
        (b"[" * 200_000, AnswerFlaw.JSON),
        (b"9" * 10_000, AnswerFlaw.JSON),
        (b"[]", AnswerFlaw.JSON_SHAPE),
        (b'"text"', AnswerFlaw.JSON_SHAPE),
        (b"null", AnswerFlaw.JSON_SHAPE),
    ],
)
def test_what_is_no_object_is_refused(document, flaw):
    assert refuse(document) is flaw


@pytest.mark.parametrize(
    ("changes", "flaw"),
    [
        ({"subscriber": []}, AnswerFlaw.JSON_SHAPE),
        ({"dependents": {}}, AnswerFlaw.JSON_SHAPE),
        ({"dependents": [{"a": 1}, {"b": 2}]}, AnswerFlaw.JSON_SHAPE),
        ({"benefitsInformation": {}}, AnswerFlaw.JSON_SHAPE),
        ({"benefitsInformation": ["1"]}, AnswerFlaw.JSON_SHAPE),
        ({"benefitsInformation": [{"name": "no code"}]}, AnswerFlaw.JSON_SHAPE),
        ({"benefitsInformation": [{"code": "1", "serviceTypeCodes": "30"}]}, AnswerFlaw.JSON_SHAPE),
        ({"benefitsInformation": [{"code": "1", "authOrCertIndicator": True}]}, AnswerFlaw.JSON_SHAPE),
        ({"benefitsInformation": [{"code": "C", "benefitAmount": "1,150.00"}]}, AnswerFlaw.NUMBER),
        ({"benefitsInformation": [{"code": "C", "benefitAmount": 1e300}]}, AnswerFlaw.NUMBER),
        ({"planDateInformation": {"planBegin": "20261301"}}, AnswerFlaw.DATE),
        ({"planDateInformation": {"planBegin": "soon"}}, AnswerFlaw.DATE),
        ({"planDateInformation": {"plan": "20261231-20260101"}}, AnswerFlaw.DATE),
        ({"payer": {"aaaErrors": [{}]}}, AnswerFlaw.JSON_SHAPE),
    ],
)
def test_a_member_of_another_type_is_refused_and_not_read_as_not_stated(changes, flaw):
    assert refuse(**changes) is flaw


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
NAMES = ("payer", "provider", "subscriber", "dependents", "errors", "planStatus", "planInformation",
         "planDateInformation", "benefitsInformation", "controlNumber")  # fmt: skip
INNER = (
    "aaaErrors",
    "additionalInformation",
    "benefitAmount",
    "benefitsDateInformation",
    "benefitsRelatedEntities",
    "code",
    "contactInformation",
    "contacts",
    "dateOfBirth",
    "followupAction",
    "location",
)


DOCUMENTS = st.dictionaries(
    st.sampled_from(NAMES), JSON_VALUES | st.lists(st.dictionaries(st.sampled_from(INNER), JSON_VALUES))
)


@given(DOCUMENTS)
@settings(max_examples=60)
def test_any_json_raises_only_our_error(changes):
    try:
        result = read(**changes)
    except AnswerError:
        return
    assert isinstance(result, PayerAnswer)


@given(st.binary(max_size=100))
def test_any_bytes_raise_only_our_error(raw):
    with pytest.raises(AnswerError):
        read(raw)
