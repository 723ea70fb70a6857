"""Both connections, asked through real sockets: the same facts, and every way in which a payer can fail."""

import json
from dataclasses import replace

import pytest

from chalicelib.domain.coverage.facts import (
    AuthorizationNeed,
    CoverageStatus,
    DeterminationStatus,
    NetworkStatus,
    PayerRank,
)
from chalicelib.domain.coverage.read_answers import read_answers
from chalicelib.domain.coverage.reading import ReadingState
from chalicelib.domain.coverage.rows import AttemptFailure, FailureKind, PayerAnswer
from chalicelib.errors import UnavailableError
from chalicelib.services.coverage.payer_http import MAX_REPLY_BYTES, HttpLimits
from infra.payers import setups
from infra.payers.members import Benefit, PlanAnswer
from infra.payers.server import GARBAGE_KINDS, Behavior, run_simulator
from tests.support import x12_interchanges as samples
from tests.support.payer_answers import ANA, PAYER, a_dependent_question, a_question
from tests.support.payers import JSON, SOAP, KnownSecrets, ask, build_ids, connect

BOTH = pytest.mark.parametrize("kind", [SOAP, JSON])


@pytest.fixture
def payers():
    """Simulated payers that answer at once."""
    with run_simulator(behavior=Behavior(slow_s=0.05, refused_attempts=2)) as simulator:
        yield simulator


def read(exchange, question):
    assert isinstance(exchange.outcome, PayerAnswer), exchange.outcome
    return read_answers(question, [exchange.outcome], PAYER)


def fail(exchange):
    """The kind and reason of a failure; its sentence must be fit for people."""
    assert isinstance(exchange.outcome, AttemptFailure), "an answer"
    assert exchange.outcome.sentence.endswith(".")
    assert "EXAMPLE" not in repr(exchange.outcome).upper()
    return exchange.outcome.kind, exchange.outcome.reason


EXPECTED = {
    "XEX0001": (CoverageStatus.ACTIVE, AuthorizationNeed.NOT_STATED, NetworkStatus.NOT_STATED),
    "XEX0002": (CoverageStatus.INACTIVE, AuthorizationNeed.NOT_STATED, NetworkStatus.NOT_STATED),
    "XEX0003": (CoverageStatus.ACTIVE, AuthorizationNeed.REQUIRED, NetworkStatus.NOT_STATED),
    "XEX0004": (CoverageStatus.ACTIVE, AuthorizationNeed.NOT_STATED, NetworkStatus.OUT_OF_NETWORK),
    "XEX0005": (CoverageStatus.ACTIVE, AuthorizationNeed.REQUIRED, NetworkStatus.DESIGNATED_PROVIDER_REQUIRED),
    "XEX0006": (CoverageStatus.ACTIVE, AuthorizationNeed.NOT_STATED, NetworkStatus.NOT_STATED),
    "XEX0008": (CoverageStatus.ACTIVE, AuthorizationNeed.NOT_STATED, NetworkStatus.NOT_STATED),
}


@BOTH
@pytest.mark.parametrize("member_id", EXPECTED)
def test_each_member_has_the_facts_of_the_contract(payers, kind, member_id):
    question = a_question(member_id=member_id)

    facts = read(ask(payers.url, kind, question), question).facts
    assert (facts.benefits.status, facts.authorization.need, facts.network.status) == EXPECTED[member_id]
    assert facts.determination.status is DeterminationStatus.NONE


@pytest.mark.parametrize("member_id", EXPECTED)
@pytest.mark.parametrize("dependent", [False, True])
def test_both_protocols_give_the_same_facts_and_rows(payers, member_id, dependent):
    question = replace(a_dependent_question() if dependent else a_question(), member_id=member_id)

    soap, clearing_house = (read(ask(payers.url, kind, question), question) for kind in (SOAP, JSON))
    assert soap.facts == clearing_house.facts
    assert soap.answer.rows == clearing_house.answer.rows
    assert soap.differences == clearing_house.differences == ()


@BOTH
def test_two_other_coverages_have_an_order(payers, kind):
    question = a_question(member_id="XEX0006")

    primary, secondary = read(ask(payers.url, kind, question), question).facts.benefits.other_payers
    assert (primary.rank, primary.name, primary.member_number) == (PayerRank.PRIMARY, "MEDICARE", "1EG4TE5MK73")
    assert (secondary.rank, secondary.name) == (PayerRank.SECONDARY, "OTHER COMMERCIAL")


@BOTH
@pytest.mark.parametrize(("member_id", "code"), [("XEX0007", "72"), ("NOBODY1", "75")])
@pytest.mark.parametrize("dependent", [False, True])
def test_a_member_who_is_not_found_needs_a_correction(payers, kind, member_id, code, dependent):
    question = replace(a_dependent_question() if dependent else a_question(), member_id=member_id)

    reading = read(ask(payers.url, kind, question), question)
    assert reading.state is ReadingState.NEEDS_CORRECTION
    assert [(each.code, each.pointer) for each in reading.rejections] == [(code, "/insurance/member_id")]


@BOTH
def test_a_payer_that_is_down_costs_attempts_and_then_says_when_it_is_back(payers, kind):
    payers.behavior.unable_attempts = 1
    question = a_question(member_id="XEX0009")

    first, second, third, fourth = (ask(payers.url, kind, question) for _ in range(4))
    assert fail(first) == fail(second) == (FailureKind.RETRY, "connection_lost")
    assert read(third, question).state is ReadingState.ASK_AGAIN
    assert read(fourth, question).state is ReadingState.COMPLETED


GARBAGE = {
    SOAP: dict(zip(GARBAGE_KINDS, ("envelope", "empty", "truncated", "other_trace", "too_large"), strict=True)),
    JSON: dict(zip(GARBAGE_KINDS, ("json", "empty", "json", "control_number", "too_large"), strict=True)),
}


@BOTH
def test_garbage_is_tried_again_with_a_reason_and_kept(payers, kind):
    question = a_question(member_id="XEX0010")

    exchanges = [ask(payers.url, kind, question) for _ in GARBAGE_KINDS]
    assert [fail(each) for each in exchanges] == [(FailureKind.RETRY, GARBAGE[kind][each]) for each in GARBAGE_KINDS]
    assert [bool(each.received) for each in exchanges] == [True, False, True, True, True]
    assert len(exchanges[-1].received) == MAX_REPLY_BYTES


@BOTH
def test_a_payer_that_is_too_slow_is_tried_again(payers, kind):
    payers.behavior.slow_s = 60
    question = a_question(member_id="XEX0008")

    exchange = ask(payers.url, kind, question, limits=HttpLimits(connect_s=2, read_s=0.2))
    assert fail(exchange) == (FailureKind.RETRY, "timeout")
    assert exchange.sent


@BOTH
def test_a_payer_that_is_not_there_is_tried_again(kind):
    with run_simulator() as gone:
        url = gone.url

    assert fail(ask(url, kind)) == (FailureKind.RETRY, "unreachable")


@BOTH
def test_both_sides_of_an_exchange_are_kept_without_our_credentials(payers, kind):
    exchange = ask(payers.url, kind)

    assert b"XEX0001" in exchange.sent
    assert b"XEX0001" in exchange.received
    assert b"password" not in exchange.sent.lower()
    assert b"bearer" not in exchange.sent.lower()


@BOTH
def test_a_repeat_has_new_ids_and_the_same_trace(payers, kind):
    question = a_question(member_id="XEX0001")
    connection = connect(payers.url, kind)

    first, second = connection.ask(question, ids=build_ids()), connection.ask(question, ids=build_ids())
    assert first.sent != second.sent
    assert first.outcome.rows == second.outcome.rows
    assert first.outcome.trace_id == second.outcome.trace_id == question.trace_id


def test_the_envelope_carries_what_the_rule_asks_for(payers):
    ask(payers.url, SOAP)

    path, headers, body = payers.received.requests[0]
    text = body.decode()
    assert path == "/core"
    assert headers["content-type"] == 'application/soap+xml; charset=utf-8; action="RealTimeTransaction"'
    for part in (
        "<PayloadType>X12_270_Request_005010X279A1</PayloadType>",
        "<ProcessingMode>RealTime</ProcessingMode>",
        "<TimeStamp>2026-11-28T14:05:00Z</TimeStamp>",
        "<SenderID>CARTHUB</SenderID>",
        "<CORERuleVersion>2.2.0</CORERuleVersion>",
        "<![CDATA[ISA*00*",
    ):
        assert part in text


def test_a_clearing_house_gets_plain_json_with_a_control_number_of_nine_digits(payers):
    ask(payers.url, JSON, a_dependent_question(member_id="XEX0001"))

    _, headers, raw = payers.received.requests[0]
    body = json.loads(raw)
    assert headers["content-type"] == "application/json"
    assert len(body["controlNumber"]) == 9
    assert body["provider"] == {"organizationName": "EXAMPLE PRACTICE", "npi": "1234567893"}
    assert body["subscriber"] == {
        "firstName": "ANA",
        "lastName": "EXAMPLE",
        "dateOfBirth": "19610402",
        "gender": "F",
        "memberId": "XEX0001",
    }
    assert body["dependents"][0]["individualRelationshipCode"] == "19"
    assert body["encounter"] == {"serviceTypeCodes": ["30"], "dateOfService": "20261110"}


@BOTH
def test_the_group_is_sent_only_to_payers_that_want_it(payers, kind):
    without, wanted = ask(payers.url, kind), ask(payers.url, kind, send_group=True)

    part = b"REF*6P*42~" if kind is SOAP else b'"groupNumber": "42"'
    assert (part in without.sent, part in wanted.sent) == (False, True)


@BOTH
def test_nothing_of_a_question_is_in_the_address_or_in_a_header(payers, kind):
    ask(payers.url, kind, a_question(member_id="XEX0001"))

    path, headers, _ = payers.received.requests[0]
    shown = f"{path} {headers}".upper()
    assert "XEX0001" not in shown
    assert "EXAMPLE" not in shown


def test_a_wrong_login_is_a_matter_of_set_up(payers):
    secrets = KnownSecrets({setups.CORE_CREDENTIALS: '{"username": "CARTHUB", "password": "other"}'})

    assert fail(ask(payers.url, SOAP, secrets=secrets)) == (FailureKind.SET_UP, "core_unauthorized")


def test_a_wrong_token_is_a_matter_of_set_up(payers):
    secrets = KnownSecrets({setups.JSON_CREDENTIALS: '{"authorization": "Bearer other"}'})

    assert fail(ask(payers.url, JSON, secrets=secrets)) == (FailureKind.SET_UP, "http_401")


@BOTH
@pytest.mark.parametrize("values", [{}, {setups.CORE_CREDENTIALS: "{}", setups.JSON_CREDENTIALS: "no"}])
def test_without_credentials_nothing_is_sent(payers, kind, values):
    assert fail(ask(payers.url, kind, secrets=KnownSecrets(values))) == (FailureKind.SET_UP, "credentials")
    assert payers.received.requests == []


@BOTH
def test_secrets_that_cannot_be_read_now_are_tried_again(payers, kind):
    class Unavailable(KnownSecrets):
        def read_text(self, name):  # noqa: ARG002 as in the class that it replaces
            raise UnavailableError

    assert fail(ask(payers.url, kind, secrets=Unavailable())) == (FailureKind.RETRY, "secrets_unavailable")
    assert payers.received.requests == []


@pytest.mark.parametrize(
    ("question", "payer", "expected"),
    [
        (a_question(patient=replace(ANA, family_name="王")), {}, (FailureKind.OURS, "unwritten_value_missing")),
        (a_question(), {"sender_id": ""}, (FailureKind.SET_UP, "unwritten_setup")),
    ],
)
def test_what_cannot_be_written_is_not_sent(payers, question, payer, expected):
    assert fail(ask(payers.url, SOAP, question, **payer)) == expected
    assert payers.received.requests == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (samples.REJECTED_999, (FailureKind.OURS, "999_rejected_5")),
        (samples.ACCEPTED_999, (FailureKind.RETRY, "acknowledged_only")),
        (samples.build_ta1("R", "006"), (FailureKind.OURS, "ta1_rejected_006")),
        ("", (FailureKind.RETRY, "empty_payload")),
        ("hello", (FailureKind.RETRY, "no_isa")),
    ],
)
def test_another_payload_leaves_the_check_open(payers, text, expected):
    payers.behavior.raw = wrap_payload(text)

    assert fail(ask(payers.url, SOAP)) == expected


def test_a_production_connection_refuses_test_data(payers):
    payers.behavior.raw = wrap_payload(samples.AUTHORIZATION_REQUIRED)

    assert fail(ask(payers.url, SOAP, production=True)) == (FailureKind.SET_UP, "test_answer")


def test_a_fault_says_more_than_its_status(payers):
    payers.behavior.status = 500
    payers.behavior.raw = build_fault("s:Sender")

    assert fail(ask(payers.url, SOAP)) == (FailureKind.OURS, "fault_sender")


def test_a_status_500_with_a_page_is_tried_again(payers):
    payers.behavior.status = 500
    payers.behavior.raw = b"<html>sorry</html>"

    assert fail(ask(payers.url, SOAP)) == (FailureKind.RETRY, "http_500")


@BOTH
@pytest.mark.parametrize(
    ("status", "kind_of_failure"),
    [
        (202, FailureKind.RETRY),
        (204, FailureKind.RETRY),
        (302, FailureKind.SET_UP),
        (307, FailureKind.SET_UP),
        (403, FailureKind.SET_UP),
        (404, FailureKind.SET_UP),
        (408, FailureKind.RETRY),
        (413, FailureKind.OURS),
        (415, FailureKind.OURS),
        (422, FailureKind.OURS),
        (429, FailureKind.RETRY),
        (502, FailureKind.RETRY),
        (503, FailureKind.RETRY),
    ],
)
def test_each_status_says_who_acts_and_no_redirect_is_followed(payers, kind, status, kind_of_failure):
    payers.behavior.status = status
    payers.behavior.raw = b"" if status == 204 else b"text"

    assert fail(ask(payers.url, kind)) == (kind_of_failure, f"http_{status}")
    assert len(payers.received.requests) == 1


def test_corrected_member_data_is_shown_and_another_person_stops_the_facts(payers):
    question = a_question(member_id="XEX0001", patient=replace(ANA, given_name="Ana"))
    other = replace(question, patient=replace(ANA, family_name="Somebody"))

    exchange = ask(payers.url, SOAP, question)
    assert read(exchange, question).differences == ()
    assert read(exchange, other).state is ReadingState.ANOTHER_PERSON


@BOTH
def test_a_plan_of_many_rows_is_cut_at_the_limit_and_says_so(payers, kind):
    payers.behavior.plan = PlanAnswer(benefits=[Benefit(code="1", types=["30"])] * 250)
    question = a_question()

    exchange = ask(payers.url, kind, question)
    assert (len(exchange.outcome.rows), exchange.outcome.rows_left_out) == (200, 50)


def test_a_clearing_house_that_answers_in_another_shape_must_be_set_up_again(payers):
    payers.behavior.raw = b'{"plans": [{"benefits": {"statuses": []}}]}'

    assert fail(ask(payers.url, JSON)) == (FailureKind.SET_UP, "unknown_shape")


@BOTH
def test_nothing_is_logged(payers, kind, caplog, capfd):
    with caplog.at_level(0):
        ask(payers.url, kind)
        payers.behavior.raw = b"garbage"
        ask(payers.url, kind)

    assert caplog.records == []
    assert capfd.readouterr() == ("", "")


def wrap_payload(text):
    return (
        '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body>'
        '<n:COREEnvelopeRealTimeResponse xmlns:n="http://www.caqh.org/SOAP/WSDL/CORERule2.2.0.xsd">'
        f"<PayloadType>any</PayloadType><Payload><![CDATA[{text}]]></Payload><ErrorCode>Success</ErrorCode>"
        "</n:COREEnvelopeRealTimeResponse></s:Body></s:Envelope>"
    ).encode()


def build_fault(code):
    return (
        '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body><s:Fault>'
        f"<s:Code><s:Value>{code}</s:Value></s:Code><s:Reason><s:Text>no</s:Text></s:Reason>"
        "</s:Fault></s:Body></s:Envelope>"
    ).encode()
