"""DynamoDB and KMS without a client of botocore: the same answers, repeats and limits as with one."""

import json
import logging
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from io import BytesIO
from threading import Barrier
from types import SimpleNamespace
from typing import Any

import pytest
from botocore import endpoint
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.credentials import EnvProvider
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError, ReadTimeoutError
from botocore.httpsession import URLLib3Session
from urllib3.util import connection

from chalicelib import budget, clients, direct_calls, settings
from chalicelib.aws import translate_aws_errors
from chalicelib.errors import UnavailableError
from chalicelib.store.platform.dynamo import DynamoTable
from tests.support import client_contract as contract
from tests.support import faults
from tests.support.call_attempts import record_attempts
from tests.support.faults import FaultMode
from tests.support.hanging_dependencies import hang_calls
from tests.support.metric_lines import parse_metrics, record_metrics

KINDS = {"direct": clients.create_aws_client, "botocore": clients.create_sdk_client}
ENVIRONMENT = {"HOME": "", "AWS_REGION": "us-west-2", "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}
GET = {"TableName": contract.TABLE, "Key": {"k": {"S": "one"}}}
SKEWED = json.dumps({"__type": "com.amazon.coral.service#InvalidSignatureException", "message": "expired"}).encode()


@pytest.fixture
def both(aws):
    """Both kinds of clients of both services, a table, and the id of a key."""
    made = {kind: (create("dynamodb"), create("kms")) for kind, create in KINDS.items()}
    return made, contract.prepare(*made["botocore"])


class _Body(BytesIO):
    def stream(self):
        yield self.getvalue()


@pytest.fixture
def answer_attempts(monkeypatch):
    """Answer each attempt of a direct call with a status, headers and a body. Returns what was sent."""
    sent = []

    def answer(*answers):
        left = list(answers)

        def respond(_session, request):
            sent.append(request)
            status, headers, body = left.pop(0)
            given = HTTPHeaders()
            for name, value in headers.items():
                given[name] = value
            return AWSResponse(request.url, status, given, _Body(body))

        monkeypatch.setattr(URLLib3Session, "send", respond)
        monkeypatch.setattr(direct_calls, "time", SimpleNamespace(sleep=lambda _seconds: None))
        return sent

    return answer


def read_signed_time(request):
    """Read the time of a signature."""
    text = request.headers["X-Amz-Date"]
    return datetime.strptime(text.decode() if isinstance(text, bytes) else text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)


def test_both_clients_answer_the_same_about_rows(both):
    """Also when they refuse."""
    made, _ = both

    assert contract.call_rows(made["direct"][0]) == contract.call_rows(made["botocore"][0])


def test_both_clients_answer_the_same_about_keys(both):
    """Each reads what the other encrypted."""
    made, key_id = both
    direct, stock = made["direct"][1], made["botocore"][1]

    assert contract.call_keys(direct, stock, key_id) == contract.call_keys(stock, direct, key_id)


@pytest.mark.parametrize("kind", KINDS)
def test_values_of_unknown_types_are_written_as_they_were_read(both, kind):
    """Also binary ones inside sets, lists and maps, which one client must not encode twice."""
    made, _ = both
    inner = {"L": [{"B": b"\x02"}]}
    row = {"k": {"S": "one"}, "blobs": {"BS": [b"\x00\xff", b"\x01"]}, "tree": {"M": {"inner": inner}}}
    made["botocore"][0].put_item(TableName=contract.TABLE, Item=row)
    before = made["botocore"][0].get_item(**GET)["Item"]
    table = DynamoTable(contract.TABLE, lambda: made[kind][0])

    found = table.get({"k": "one"})
    assert found
    table.put(found)

    assert made["botocore"][0].get_item(**GET)["Item"] == before


def test_a_key_that_a_direct_call_moved_is_readable(both):
    """When the encryption key is replaced (`referrals keys`)."""
    made, key_id = both

    assert contract.move_key(made["direct"][1], made["botocore"][1], key_id)


@pytest.mark.parametrize("mode", [mode for mode in FaultMode if "crash" not in mode])
@pytest.mark.parametrize("numbers", [{1}, {1, 2}, range(1, 20)], ids=["once", "twice", "lasting"])
def test_both_clients_repeat_the_same_after_a_fault(both, mode, numbers):
    """As often, and with the same end."""
    made, _ = both
    ends: dict[str, Any] = {}
    for kind, (client, _) in made.items():
        with faults.inject_faults(faults.plan_outage(numbers, mode)) as calls:
            try:
                with translate_aws_errors():
                    found = client.get_item(**GET)
                ends[kind] = ("found", found.get("Item"), len(calls.operations))
            except (ClientError, UnavailableError) as e:
                ends[kind] = (type(e).__mro__[-4:], getattr(e, "reason", None), len(calls.operations))

    assert ends["direct"] == ends["botocore"]


def test_a_throttled_attempt_is_counted_although_a_repeat_saved_it(both):
    """CloudWatch shows it, as with the client of botocore."""
    made, _ = both
    with record_metrics() as metrics, faults.inject_faults(faults.plan_fault_at(1, FaultMode.THROTTLE)):
        made["direct"][0].get_item(**GET)

    assert [line.values for line in parse_metrics(metrics.getvalue())] == [{"StorageThrottled": [1]}]


def test_no_attempt_starts_without_time_for_it(both):
    """The request ends in time, and the caller gets 503."""
    made, _ = both

    with budget.limit_time(3, clock=lambda: 0), record_attempts() as sent, pytest.raises(UnavailableError):
        made["direct"][0].get_item(**GET)

    assert sent == []


@pytest.mark.parametrize("kind", KINDS)
def test_no_repeat_starts_without_time_for_it(both, kind):
    """The first attempt took too long for another one."""
    made, _ = both

    with (
        hang_calls(lambda _operation: True, mode=FaultMode.LOST_REPLY, takes=7) as (clock, calls),
        budget.limit_time(10, clock=clock),
        pytest.raises(ReadTimeoutError),
    ):
        made[kind][0].get_item(**GET)

    assert calls.operations == ["GetItem"]


@pytest.mark.parametrize("hours", [-3, 3])
def test_a_wrong_clock_is_corrected_by_the_answer(answer_attempts, hours):
    """AWS refuses a signature of another time, and says what time it is. Later calls use that time at once."""
    theirs = datetime.now(UTC) + timedelta(hours=hours)
    refusal = (400, {"Date": format_datetime(theirs, usegmt=True)}, SKEWED)
    sent = answer_attempts(refusal, (200, {}, b"{}"), (200, {}, b"{}"))
    client = KINDS["direct"]("dynamodb")

    assert client.get_item(**GET) == {}
    assert client.get_item(**GET) == {}

    wrong, right, later = (read_signed_time(request) for request in sent)
    assert abs(wrong - theirs) > timedelta(hours=2)
    assert abs(right - theirs) < timedelta(minutes=1)
    assert abs(later - theirs) < timedelta(minutes=1)


def test_calls_at_the_same_time_are_all_signed_again(monkeypatch):
    """Each was refused with the old time, also those after which another call had corrected the clock."""
    theirs, refused = datetime.now(UTC) + timedelta(hours=3), Barrier(4, timeout=60)

    def respond(_session, request):
        if abs(read_signed_time(request) - theirs) < timedelta(minutes=2):
            return AWSResponse(request.url, 200, HTTPHeaders(), _Body(b"{}"))
        refused.wait()
        headers = HTTPHeaders()
        headers["Date"] = format_datetime(theirs, usegmt=True)
        return AWSResponse(request.url, 400, headers, _Body(SKEWED))

    monkeypatch.setattr(URLLib3Session, "send", respond)
    client = KINDS["direct"]("dynamodb")
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda _n: client.get_item(**GET), range(4)))

    assert answers == [{}] * 4


@pytest.mark.parametrize(
    "date", [None, "soon", "Mon, 30 Nov 2026 22:00", "Fri, 31 Dec 9999 23:59:59 -1200", "Fri, 01 Jan 99999999999 0:0:0"]
)
def test_a_refused_signature_of_the_right_time_is_not_tried_again(answer_attempts, date):
    """The clock cannot be the reason, or no one can tell."""
    sent = answer_attempts((400, {"Date": date or format_datetime(datetime.now(UTC), usegmt=True)}, SKEWED))

    with pytest.raises(ClientError, match="InvalidSignatureException"):
        KINDS["direct"]("dynamodb").get_item(**GET)

    assert len(sent) == 1


@pytest.mark.parametrize(
    ("body", "headers", "code"),
    [
        (b'{"__type": "a.b#ThisException:http://x/y#z", "message": "no"}', {}, "ThisException"),
        (b'{"message": "no"}', {"x-amzn-errortype": "ThisException:http://x#y"}, "ThisException"),
        (b'{"message": "no"}', {}, "403"),
        (b'{"__type": null, "Message": "no"}', {}, "403"),
    ],
)
def test_the_code_of_a_refusal_is_that_of_botocore(answer_attempts, body, headers, code):
    """It is not tried again, and the ID with which AWS finds it is kept."""
    sent = answer_attempts((403, {**headers, "x-amzn-requestid": "R1"}, body))

    with pytest.raises(ClientError) as refused:
        KINDS["direct"]("dynamodb").get_item(**GET)

    assert refused.value.response["Error"] == {"Code": code, "Message": "no"}
    assert refused.value.response["ResponseMetadata"]["RequestId"] == "R1"
    assert len(sent) == 1


def test_the_one_error_that_the_model_of_the_service_lets_repeat_is_repeated(answer_attempts):
    """A table with copies in several regions may name it."""
    conflict = b'{"__type": "ReplicatedWriteConflictException", "message": "later"}'
    sent = answer_attempts((400, {}, conflict), (200, {}, b"{}"))

    assert KINDS["direct"]("dynamodb").get_item(**GET) == {}
    assert len(sent) == 2


def test_new_credentials_are_used_by_the_next_attempt(answer_attempts, monkeypatch):
    """The environment got new ones while the old ones were refused."""
    expired = json.dumps({"__type": "ExpiredTokenException", "message": "expired"}).encode()
    sent = answer_attempts((400, {}, expired), (200, {}, b"{}"))
    respond = URLLib3Session.send

    def rotate(session, request):
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "rotated")
        monkeypatch.setenv("AWS_SESSION_TOKEN", "token")
        return respond(session, request)

    monkeypatch.setattr(URLLib3Session, "send", rotate)

    assert KINDS["direct"]("dynamodb").get_item(**GET) == {}

    assert b"Credential=rotated/" in sent[1].headers["Authorization"].encode()
    assert sent[1].headers["X-Amz-Security-Token"] == "token"


def test_new_credentials_repeat_no_other_refusal(answer_attempts, monkeypatch):
    """A condition that does not hold was not refused because of them."""
    refused = b'{"__type": "ConditionalCheckFailedException", "message": "no"}'
    sent = answer_attempts((400, {}, refused))
    respond = URLLib3Session.send

    def rotate(session, request):
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "rotated")
        return respond(session, request)

    monkeypatch.setattr(URLLib3Session, "send", rotate)

    with pytest.raises(ClientError, match="ConditionalCheckFailedException"):
        KINDS["direct"]("dynamodb").get_item(**GET)

    assert len(sent) == 1


def test_without_credentials_nothing_is_sent(answer_attempts, monkeypatch):
    """They were there when the client was created."""
    sent = answer_attempts()
    client = KINDS["direct"]("dynamodb")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")

    with pytest.raises(NoCredentialsError):
        client.get_item(**GET)

    assert sent == []


def test_a_response_with_a_wrong_checksum_is_tried_again(answer_attempts):
    """Its bytes are not those that DynamoDB sent."""
    sent = answer_attempts((200, {"x-amz-crc32": "1"}, b'{"Item": {}}'), (200, {}, b"{}"))

    assert KINDS["direct"]("dynamodb").get_item(**GET) == {}
    assert len(sent) == 2


def test_both_clients_open_connections_in_the_same_way(monkeypatch):
    """With the same limit of time, and without a pause between the headers and the body of a request."""
    opened = []

    def refuse(address, timeout=None, source_address=None, socket_options=None):
        opened.append((address, timeout, source_address, socket_options))
        raise ConnectionRefusedError

    monkeypatch.setattr(connection, "create_connection", refuse)
    for pauses in (direct_calls, endpoint):
        monkeypatch.setattr(pauses, "time", SimpleNamespace(sleep=lambda _seconds: None))
    for create in KINDS.values():
        with pytest.raises(EndpointConnectionError):
            create("dynamodb").get_item(**GET)

    assert len(opened) == 6
    assert len({repr(each) for each in opened}) == 1


def test_other_operations_are_those_of_the_client_of_botocore(both):
    """Commands and checks need more operations than requests."""
    made, key_id = both
    dynamodb, kms = made["direct"]

    assert dynamodb.describe_table(TableName=contract.TABLE)["Table"]["TableName"] == contract.TABLE
    assert kms.describe_key(KeyId=key_id)["KeyMetadata"]["KeyId"] == key_id


def test_no_log_line_has_a_key_or_a_value(answer_attempts, caplog):
    """At DEBUG, botocore's signer writes whole requests, unless our own level for it keeps them out."""
    answer_attempts((200, {}, b"{}"), (200, {}, b"{}"))
    client, row = KINDS["direct"]("dynamodb"), {"k": {"S": "secret-value"}}

    with caplog.at_level(logging.DEBUG):
        client.put_item(TableName=contract.TABLE, Item=row)
        kept_out = list(caplog.records)
        with caplog.at_level(logging.DEBUG, logger="botocore"):
            client.put_item(TableName=contract.TABLE, Item=row)

    assert kept_out == []
    assert caplog.records


@pytest.mark.parametrize(
    ("changed", "url"),
    [
        ({}, "https://kms.us-west-2.amazonaws.com/"),
        ({"AWS_REGION": "", "AWS_DEFAULT_REGION": "us-gov-east-1"}, "https://kms.us-gov-east-1.amazonaws.com/"),
        ({"AWS_DEFAULT_REGION": "us-west-2"}, "https://kms.us-west-2.amazonaws.com/"),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:5000"}, "http://127.0.0.1:5000/"),
        ({"AWS_ENDPOINT_URL": "http://a", "AWS_ENDPOINT_URL_KMS": "http://b/"}, "http://b/"),
    ],
)
def test_a_service_is_called_at_its_regional_address(changed, url):
    """Or at the address of the environment, as the local cloud needs it."""
    found = settings.find_direct_endpoint("kms", ENVIRONMENT | changed)

    assert found is not None
    assert found.url == url


@pytest.mark.parametrize(
    "changed",
    [
        {"DIRECT_CALLS": "off"},
        {"AWS_REGION": ""},
        {"AWS_ACCESS_KEY_ID": ""},
        {"AWS_SECRET_ACCESS_KEY": ""},
        {"AWS_PROFILE": "clinic"},
        {"AWS_DEFAULT_PROFILE": "clinic"},
        {"AWS_DEFAULT_REGION": "us-east-1"},
        {"AWS_REGION": "fips-us-east-1"},
        {"AWS_REGION": "local"},
        {"AWS_CONFIG_FILE": __file__},
        {"AWS_ACCOUNT_ID": "123456789012"},
        {"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"},
        {"AWS_USE_FIPS_ENDPOINT": "true"},
        {"AWS_USE_DUALSTACK_ENDPOINT": "true"},
        {"AWS_REGION": "cn-north-1"},
        {"AWS_REGION": "us-iso-east-1"},
    ],
)
def test_what_only_botocore_knows_is_left_to_its_client(changed):
    """Such as a profile on a laptop, or an address in another partition."""
    assert settings.find_direct_endpoint("dynamodb", ENVIRONMENT | changed) is None


@pytest.mark.parametrize(
    ("changed", "token"),
    [
        ({}, None),
        ({"AWS_SESSION_TOKEN": "new"}, "new"),
        ({"AWS_SECURITY_TOKEN": "old"}, "old"),
        ({"AWS_SESSION_TOKEN": "new", "AWS_SECURITY_TOKEN": "old"}, "old"),
    ],
)
def test_the_token_is_the_one_that_botocore_reads(changed, token):
    """Some runtimes set an older name, too."""
    found, stock = settings.read_credentials(ENVIRONMENT | changed), EnvProvider(ENVIRONMENT | changed).load()

    assert found is not None
    assert stock is not None
    assert found.token == stock.token == token


def test_other_services_are_called_with_their_clients():
    """Requests seldom need them."""
    assert settings.find_direct_endpoint("sesv2", ENVIRONMENT) is None
