"""The answers of payers as our reader reads them, and as a parser that we did not write reads them."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from chalicelib.domain.coverage.facts import (
    AuthorizationNeed,
    CostKind,
    CoverageStatus,
    DeterminationStatus,
    NetworkStatus,
    PayerRank,
    Suggestion,
)
from chalicelib.domain.coverage.read_answers import read_answers
from chalicelib.domain.coverage.reading import ReadingState
from chalicelib.domain.coverage.rejections import AnswerLoop
from chalicelib.domain.coverage.rows import MAX_MESSAGE_CHARS, MAX_ROWS, AttemptFailure, FailureKind, PayerAnswer
from chalicelib.domain.coverage.x12_error import X12Error
from chalicelib.domain.coverage.x12_read import read_x12_response
from tests.support import x12_interchanges as samples
from tests.support.payer_answers import PAYER, a_dependent_question, a_question
from tests.support.x12_readers import list_rows, read_with_pyx12, read_with_x12sdk

ANSWERED_AT = datetime(2026, 11, 28, 14, 6, tzinfo=UTC)
UNREADABLE_BY_X12SDK = {"not_found"}
"""It compares AAA of the subscriber with the codes of the receiver."""


def read(text, *, trace_id=samples.TRACE_ID, production=False):
    raw = text if isinstance(text, bytes) else text.encode()
    return read_x12_response(raw, trace_id=trace_id, production=production, answered_at=ANSWERED_AT)


def interpret(text, question=None, **changes):
    return read_answers(question or a_question(**changes), [read(text)], PAYER)


def refuse(text, **options):
    """The reason for which our reader refuses a text."""
    with pytest.raises(X12Error) as error:
        read(text, **options)
    return error.value.reason


def test_an_active_plan_that_requires_an_authorization():
    facts = interpret(samples.AUTHORIZATION_REQUIRED).facts

    assert (facts.benefits.status, facts.benefits.begins_on) == (CoverageStatus.ACTIVE, date(2026, 1, 1))
    assert (facts.benefits.plan_name, facts.benefits.group) == ("EXAMPLE PPO GOLD", "42")
    assert [(each.kind, each.period, each.amount, each.percent) for each in facts.benefits.costs] == [
        (CostKind.DEDUCTIBLE, "29", Decimal("1150.00"), None),
        (CostKind.OUT_OF_POCKET_LIMIT, "29", Decimal("3200.00"), None),
        (CostKind.COINSURANCE, None, None, Decimal("0.2")),
    ]
    assert facts.authorization.need is AuthorizationNeed.REQUIRED
    assert facts.authorization.contact.name == "EXAMPLE UTILIZATION MGMT"
    assert [(each.kind, each.value) for each in facts.authorization.contact.contacts] == [("phone", "8005550100")]
    assert facts.network.status is NetworkStatus.NOT_STATED
    assert facts.determination.status is DeterminationStatus.NONE


def test_an_inactive_plan():
    facts = interpret(samples.INACTIVE, member_id="XEX0002").facts

    assert (facts.benefits.status, facts.benefits.ends_on) == (CoverageStatus.INACTIVE, date(2026, 9, 30))
    assert Suggestion.ASK_FOR_NEW_CARD in facts.suggestions


def test_a_provider_out_of_network():
    facts = interpret(samples.OUT_OF_NETWORK, member_id="XEX0004").facts

    assert facts.benefits.status is CoverageStatus.ACTIVE
    assert facts.benefits.excluded_service_types == ()
    assert facts.network.status is NetworkStatus.OUT_OF_NETWORK
    assert facts.network.payer_words == ("REQUESTING PROVIDER IS NOT IN NETWORK",)
    assert Suggestion.AGREEMENT_NEEDED in facts.suggestions


def test_a_payer_that_cannot_answer_now_is_asked_again():
    reading = interpret(samples.CANNOT_ANSWER)

    assert reading.state is ReadingState.ASK_AGAIN
    assert [(each.code, each.follow_up, each.loop) for each in reading.rejections] == [("42", "R", AnswerLoop.SOURCE)]


def test_two_other_coverages():
    facts = interpret(samples.TWO_COVERAGES, member_id="XEX0006").facts

    primary, secondary = facts.benefits.other_payers
    assert (primary.rank, primary.name, primary.since) == (PayerRank.PRIMARY, "MEDICARE", date(2026, 5, 1))
    assert primary.member_number == "1EG4TE5MK73"
    assert (secondary.rank, secondary.name, secondary.since) == (PayerRank.SECONDARY, "OTHER COMMERCIAL", None)
    assert secondary.member_number is None
    assert Suggestion.CHECK_PRIMARY_PAYER in facts.suggestions


def test_a_truncated_answer_is_refused():
    assert refuse(samples.TRUNCATED) == "truncated"


def test_designated_centers():
    network = interpret(samples.DESIGNATED, member_id="XEX0005").facts.network

    assert network.status is NetworkStatus.DESIGNATED_PROVIDER_REQUIRED
    assert network.designated_providers == ("EXAMPLE DESIGNATED CENTER",)


def test_a_member_who_is_not_found():
    reading = interpret(samples.NOT_FOUND, member_id="XEX0007")

    assert reading.state is ReadingState.NEEDS_CORRECTION
    assert [(each.code, each.pointer) for each in reading.rejections] == [("72", "/insurance/member_id")]


def test_a_dependent():
    reading = interpret(samples.DEPENDENT, question=a_dependent_question())

    assert reading.differences == ()
    assert reading.answer.dependent.given_name == "LUIS"
    assert reading.answer.subscriber.member_id == "XEX0003"
    assert reading.facts.benefits.status is CoverageStatus.ACTIVE


@pytest.mark.parametrize("name", sorted(samples.ANSWERS.keys() - UNREADABLE_BY_X12SDK - {"cannot_answer"}))
def test_x12sdk_reads_the_same_rows_as_our_reader(name):
    text = samples.ANSWERS[name]

    rows = [
        {
            **{field: getattr(row, field) for field in list_rows(read_with_x12sdk(text))[0]},
            "references": tuple((each.code, each.value) for each in row.references),
            "entities": tuple((each.role, each.name) for each in row.entities),
        }
        for row in read(text).rows
    ]
    assert rows == list_rows(read_with_x12sdk(text))


@pytest.mark.parametrize("name", sorted(samples.ANSWERS))
def test_pyx12_reads_the_same_segments_and_finds_no_error(name):
    segments, errors = read_with_pyx12(samples.ANSWERS[name])

    assert errors == []
    assert "~".join(segments) + "~" == samples.ANSWERS[name]
    assert isinstance(read(samples.ANSWERS[name]), PayerAnswer)


@pytest.mark.parametrize("name", sorted(samples.ANSWERS))
def test_other_delimiters_change_nothing(name):
    text = samples.ANSWERS[name]

    assert read(samples.use_delimiters(text)) == read(text)


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_line_breaks_after_segments_change_nothing(line_end):
    text = samples.AUTHORIZATION_REQUIRED

    assert read(text.replace("~", f"~{line_end}")) == read(text)


def test_a_line_break_can_be_the_terminator():
    text = samples.AUTHORIZATION_REQUIRED

    assert read(text.replace("~", "\n")) == read(text)


def test_a_byte_order_mark_changes_nothing():
    text = samples.AUTHORIZATION_REQUIRED

    assert read(b"\xef\xbb\xbf" + text.encode()) == read(text)


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_accents_are_read_in_both_usual_encodings(encoding):
    text = samples.build_subscriber(samples.DATES + "EB*1**30**PLAN ÉTÉ~")

    assert read(text.encode(encoding)).rows[0].plan_name == "PLAN ÉTÉ"


def test_an_answer_to_another_question_is_refused():
    assert refuse(samples.AUTHORIZATION_REQUIRED, trace_id="OTHER") == "other_trace"
    assert refuse(samples.build_subscriber("EB*1**30~", trace_id="OTHER")) == "other_trace"


def test_an_answer_without_trace_is_refused():
    text = samples.wrap(f"{samples.START}HL*3*2*22*0~NM1*IL*1*EXAMPLE*ANA****MI*XEX0003~EB*1**30~")

    assert refuse(text) == "no_trace"


def test_the_trace_of_a_clearing_house_next_to_ours_changes_nothing():
    text = samples.build_subscriber("EB*1**30~", mid="TRN*1*999*9CLEARHOUS~TRN*2*888*9CLEARHOUS~")

    assert len(read(text).rows) == 1


def test_a_refusal_of_the_subscriber_of_a_dependent_needs_no_trace():
    text = samples.wrap(f"{samples.START}HL*3*2*22*0~NM1*IL*1*EXAMPLE*ANA****MI*XEX0003~AAA*N**75*C~")

    assert [each.code for each in read(text).rejections] == ["75"]
    assert refuse(text, trace_id="OTHER") == "other_trace"


def test_a_refusal_of_the_receiver_is_read():
    text = samples.wrap(samples.START + "AAA*N**51*C~")

    assert [(each.code, each.loop) for each in read(text).rejections] == [("51", AnswerLoop.RECEIVER)]


def test_test_data_is_refused_in_production():
    failure = read(samples.AUTHORIZATION_REQUIRED, production=True)

    assert (failure.kind, failure.reason) == (FailureKind.SET_UP, "test_answer")


def test_production_data_is_read():
    text = samples.AUTHORIZATION_REQUIRED.replace("*0*T*:~", "*0*P*:~")

    assert isinstance(read(text, production=True), PayerAnswer)


@pytest.mark.parametrize(
    ("text", "kind", "reason"),
    [
        (samples.REJECTED_999, FailureKind.OURS, "999_rejected_5"),
        (samples.ACCEPTED_999, FailureKind.RETRY, "acknowledged_only"),
        (samples.build_ta1("R", "006"), FailureKind.OURS, "ta1_rejected_006"),
        (samples.build_ta1("A"), FailureKind.RETRY, "acknowledged_only"),
        (samples.build_ta1("E", "012"), FailureKind.RETRY, "acknowledged_only"),
        (samples.wrap("BHT*0022*11*C5F0A1~", guide="004010X092A1"), FailureKind.SET_UP, "other_guide"),
        (samples.wrap("BHT*0022*11*C5F0A1~", set_code="277"), FailureKind.SET_UP, "other_guide"),
    ],
)
def test_another_answer_leaves_the_check_open_with_a_reason(text, kind, reason):
    failure = read(text)

    assert isinstance(failure, AttemptFailure)
    assert (failure.kind, failure.reason) == (kind, reason)


@pytest.mark.parametrize(
    "body", ["AK9*A*1*1*1~", "AK1*HS*1*005010X279A1~", "AK1*HS*1~IK5~AK9*A*1*1*1~", "BHT*0022*11~"]
)
def test_an_acknowledgment_without_its_parts_is_refused(body):
    text = samples.wrap(body, code="FA", set_code="999", guide="005010X231A1")

    assert refuse(text) in {"acknowledgment_structure", "element_missing"}


def test_an_acknowledgment_of_another_guide_is_refused():
    text = samples.wrap("AK1*HS*1~AK9*A*1*1*1~", code="FA", set_code="999", guide="004010X231")

    assert refuse(text) == "version"


def test_a_person_without_birth_date_is_read():
    text = samples.build_subscriber("DMG***F~EB*1**30~")

    assert (read(text).subscriber.birth_date, read(text).subscriber.sex) == (None, "F")


def test_long_messages_and_many_rows_are_cut_and_counted():
    text = samples.build_subscriber(f"EB*1**30~{'MSG*' + 'A' * 999 + '~'}" * 1 + "EB*D**30~" * (MAX_ROWS + 2))
    messages = samples.build_subscriber("EB*1**30~" + f"MSG*{'A' * 1_500}~" * 4)

    assert (len(read(text).rows), read(text).rows_left_out) == (MAX_ROWS, 3)
    assert sum(map(len, read(messages).rows[0].messages)) == MAX_MESSAGE_CHARS


def test_all_parts_of_a_row_are_read():
    text = samples.build_subscriber(
        "EB*A*IND*78*12*PLAN*23*10*.5*VS*4*Y*N*HC:38228~HSD*VS*4~REF*G1*A77*ON FILE~DTP*292*RD8*20260101-20261231~"
        "AAA*N**53*N~MSG*ONE~MSG*TWO~III*ZZ*21~LS*2120~NM1*1P*1*DOE*PAT*Q**MD*XX*1234567893~"
        "PER*IC**TE*8005550100*FX*8005550101*UR*WWW.EXAMPLE~LE*2120~"
    )

    [row] = read(text).rows
    assert (row.quantity_code, row.quantity, row.procedure) == ("VS", 4, "HC:38228")
    assert row.places_of_service == ("21",)
    assert [(each.code, each.first, each.last) for each in row.dates] == [("292", date(2026, 1, 1), date(2026, 12, 31))]
    assert [(each.code, each.value, each.description) for each in row.references] == [("G1", "A77", "ON FILE")]
    assert [each.code for each in row.rejections] == ["53"]
    assert [(each.role, each.name, each.id_code) for each in row.entities] == [("1P", "PAT Q DOE MD", "XX")]
    assert [each.kind for each in row.entities[0].contacts] == ["phone", "fax", "url"]


EB = "EB*1**30~"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        # Reordered.
        (samples.build_subscriber("EB*1**30~DMG*D8*19610402*F~"), "order"),
        (samples.build_subscriber(f"DTP*346*D8*20260101~DMG*D8*19610402*F~{EB}"), "order"),
        (samples.build_subscriber("MSG*TEXT~EB*1**30~"), "order"),
        (samples.build_subscriber("EB*1**30~MSG*A~REF*18*P~"), "order"),
        (samples.build_subscriber("EB*1**30~NM1*PRP*2*MEDICARE~"), "order"),
        (samples.build_subscriber("EB*1**30~LS*2120~NM1*PRP*2*MEDICARE~"), "order"),
        (samples.build_subscriber("EB*1**30~LS*2120~LE*2120~MSG*A~"), "order"),
        (samples.build_subscriber("EB*1**30~LS*2120~PER*IC**TE*1~LE*2120~"), "order"),
        (samples.build_subscriber("EB*1**30~LS*2120~NM1*PR*2*A~LE*2121~"), "loop_identifier"),
        (samples.build_subscriber(f"ZZZ*1~{EB}"), "order"),
        (samples.wrap("BHT*0022*11*C5F0A1~HL*1**21*1~NM1*1P*2*A~"), "order"),
        (samples.wrap(f"{samples.START}HL*3*1*22*0~TRN*2*C5F0A1~NM1*IL*1*E~"), "hierarchy"),
        (samples.wrap(f"{samples.START}HL*4*2*22*0~TRN*2*C5F0A1~NM1*IL*1*E~"), "hierarchy"),
        (samples.wrap(f"{samples.START}HL*3*2*23*0~TRN*2*C5F0A1~NM1*03*1*E~"), "order"),
        (samples.wrap(f"{samples.START}HL*3*2*22*0~TRN*2*C5F0A1~{EB}"), "name_missing"),
        (samples.wrap(f"{samples.START}HL*3*2*22*0~TRN*2*C5F0A1~AAA*N**72*C~"), "name_missing"),
        (samples.wrap("BHT*0022*11*C5F0A1~HL*1**20*1~HL*2*1*21*0~AAA*N**51*C~"), "name_missing"),
        (samples.wrap(f"{samples.START}{EB}"), "order"),
        (samples.wrap("HL*1**20*1~"), "no_answer"),
        (samples.wrap("BHT*0022*11*C5F0A1~"), "no_answer"),
        (samples.wrap("BHT*0022*13*C5F0A1~HL*1**20*1~"), "no_answer"),
        (samples.wrap("BHT*0022*11*C5F0A1~NM1*PR*2*A~"), "order"),
        # Values.
        (samples.build_subscriber("DTP*346*D8*20261301~EB*1**30~"), "date"),
        (samples.build_subscriber("DTP*346*D6*261301~EB*1**30~"), "date"),
        (samples.build_subscriber("DTP*346*RD8*20260101~EB*1**30~"), "date"),
        (samples.build_subscriber("DTP*346*RD8*20260201-20260101~EB*1**30~"), "date"),
        (samples.build_subscriber("DMG*D6*610402~EB*1**30~"), "date"),
        (samples.build_subscriber("DMG*D8*1961O402~EB*1**30~"), "date"),
        (samples.build_subscriber("EB*C**30****1,150.00~"), "number"),
        (samples.build_subscriber("EB*C**30****1E9~"), "number"),
        (samples.build_subscriber("EB*C**30****NaN~"), "number"),
        (samples.build_subscriber("EB**IND*30~"), "element_missing"),
        (samples.build_subscriber("REF*6P~EB*1**30~"), "element_missing"),
    ],
)
def test_what_the_guide_does_not_allow_is_refused(text, reason):
    assert refuse(text) == reason
