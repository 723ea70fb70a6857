"""The simulated payers themselves: what they write is valid for parsers that neither we nor they wrote."""

import http.client
import json
from datetime import UTC, datetime

import pytest

from infra.payers import core, setups
from infra.payers.server import AUTHORIZATION, LOGIN, Behavior, run_simulator
from tests.support.payer_answers import a_dependent_question, a_question
from tests.support.payers import JSON, SOAP, ask
from tests.support.x12_readers import read_with_pyx12, read_with_x12sdk

VALID_FOR_BOTH = ("XEX0001", "XEX0002", "XEX0003", "XEX0004", "XEX0005", "XEX0006")


def request_271(url, question):
    exchange = ask(url, SOAP, question)
    return core.read_field(exchange.received.decode(), "Payload")


@pytest.fixture
def payers():
    with run_simulator(behavior=Behavior(slow_s=0)) as simulator:
        yield simulator


@pytest.mark.parametrize("member_id", [*VALID_FOR_BOTH, "XEX0007", "XEX0008", "NOBODY1"])
def test_pyx12_finds_no_error_in_an_answer(payers, member_id):
    text = request_271(payers.url, a_question(member_id=member_id))

    assert read_with_pyx12(text)[1] == []


@pytest.mark.parametrize("member_id", VALID_FOR_BOTH)
@pytest.mark.parametrize("build", [a_question, a_dependent_question])
def test_x12sdk_accepts_an_answer(payers, member_id, build):
    text = request_271(payers.url, build(member_id=member_id))

    assert read_with_x12sdk(text).header.st_segment.transaction_set_identifier_code == "271"


def test_a_refused_270_is_answered_with_a_999(payers):
    text = "ISA*00*          *00*          *ZZ*CARTHUB        *ZZ*PAYERSIM       *261128*1405*^*00501*000000905*0*T*:~"
    envelope = (
        "<Username>CARTHUB</Username><Password>local-payer-password</Password>"
        "<PayloadType>X12_270_Request_005010X279A1</PayloadType><ProcessingMode>RealTime</ProcessingMode>"
        "<PayloadID>1</PayloadID><TimeStamp>t</TimeStamp><SenderID>CARTHUB</SenderID><ReceiverID>P</ReceiverID>"
        f"<CORERuleVersion>2.2.0</CORERuleVersion><Payload>{text}GS*HS*A*B*1*1*7*X*0~ST*270*1~IEA*1*1~</Payload>"
    )

    _, body = send(payers.url, "/core", envelope.encode())
    assert "ST*999*" in str(core.read_field(body.decode(), "Payload"))


def send(url, path, body, headers=None):
    host = url.removeprefix("http://")
    connection = http.client.HTTPConnection(host, timeout=10)
    try:
        connection.request("POST", path, body, headers or {})
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        (LOGIN[1], "wrong", "UnAuthorized"),
        ("2.2.0</CORE", "4.0.0</CORE", "VersionMismatch"),
        ("<PayloadID>", "<Other>", "PayloadIDRequired"),
        ("X12_270_Request", "X12_276_Request", "PayloadTypeIllegal"),
    ],
)
def test_a_wrong_envelope_is_refused(payers, old, new, code):
    ask(payers.url, SOAP)
    body = payers.received.requests[0][2].decode()
    assert old in body

    _, reply = send(payers.url, "/core", body.replace(old, new).encode())
    assert core.read_field(reply.decode(), "ErrorCode") == code


def test_a_wrong_json_request_is_refused(payers):
    assert send(payers.url, "/json", b"{}", {"Authorization": AUTHORIZATION})[0] == 400
    assert send(payers.url, "/json", b"{}")[0] == 401
    assert send(payers.url, "/other", b"")[0] == 404
    assert send(payers.url, "/json", b"A" * 70_000)[0] == 413


def test_a_slow_answer_ends_without_an_answer_when_the_payers_stop():
    body = {
        "controlNumber": "000000001",
        "provider": {"npi": "1", "organizationName": "P"},
        "subscriber": {"memberId": "XEX0008", "firstName": "A", "lastName": "B", "dateOfBirth": "19610402"},
        "encounter": {"serviceTypeCodes": ["30"], "dateOfService": "20261110"},
    }
    with run_simulator(behavior=Behavior(slow_s=3_600)) as slow:
        connection = http.client.HTTPConnection(slow.url.removeprefix("http://"), timeout=60)
        connection.request("POST", "/json", json.dumps(body), {"Authorization": AUTHORIZATION})
        slow.wait_for_requests(1)
    with pytest.raises(ConnectionError):
        connection.getresponse()
    connection.close()


def test_answers_follow_the_day_that_is_asked_for(payers):
    year = datetime.now(UTC).year + 3
    question = a_question(member_id="XEX0001", asked_on=datetime(year, 5, 6, tzinfo=UTC).date())

    assert ask(payers.url, JSON, question).outcome.dates[0].first.year == year


def test_the_configuration_names_each_payer_of_the_fictional_world_once():
    names = [payer["name"] for payer in setups.build_payers("http://127.0.0.1:1")]

    assert len(set(names)) == len(names) == 6
