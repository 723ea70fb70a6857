"""A response of AWS that is cut at any byte is never taken for another response, and never for an empty one."""

from functools import cache
from io import BytesIO
from types import SimpleNamespace

import pytest
from botocore import endpoint
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.httpsession import URLLib3Session
from botocore.retries.quota import RetryQuota

from chalicelib import clients, direct_calls
from chalicelib.aws import translate_aws_errors
from chalicelib.errors import UnavailableError

VERSIONS = b"""<?xml version="1.0" encoding="UTF-8"?>
<ListVersionsResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>b</Name><IsTruncated>false</IsTruncated>
<Version><Key>k</Key><VersionId>v1</VersionId><IsLatest>true</IsLatest></Version></ListVersionsResult>"""

CALLS = {
    "dynamodb get": ("dynamodb", "get_item", {"TableName": "t", "Key": {}}, b'{"Item": {"a": {"S": "\xc3\xa9"}}}'),
    "dynamodb query": ("dynamodb", "query", {"TableName": "t"}, b'{"Items": [{"a": {"N": "12"}}], "Count": 1}'),
    "dynamodb missing": ("dynamodb", "get_item", {"TableName": "t", "Key": {}}, b"{}"),
    "kms": ("kms", "decrypt", {"CiphertextBlob": b"x"}, b'{"KeyId": "k", "Plaintext": "AAAA"}'),
    "sesv2": ("sesv2", "send_email", {"Content": {}}, b'{"MessageId": "m-1"}'),
    "cognito": (
        "cognito-idp",
        "initiate_auth",
        {"AuthFlow": "USER_PASSWORD_AUTH", "ClientId": "c"},
        b'{"AuthenticationResult": {"AccessToken": "t", "ExpiresIn": 60}}',
    ),
    "secrets": ("secretsmanager", "get_secret_value", {"SecretId": "s"}, b'{"SecretString": "x"}'),
    "s3 list": ("s3", "list_object_versions", {"Bucket": "b"}, VERSIONS),
}
REFUSAL = b'{"__type": "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException", "message": "no"}'


class _Body(BytesIO):
    def stream(self):
        yield self.getvalue()


_clients = {"direct": cache(clients.create_aws_client), "botocore": cache(clients.create_sdk_client)}
DIRECT = ["dynamodb get", "dynamodb query", "dynamodb missing", "kms"]
WAYS = [*(("botocore", name) for name in CALLS), *(("direct", name) for name in DIRECT)]


@pytest.fixture
def send(monkeypatch):
    """Call an operation of a service that responds with exactly these bytes. Return the result and the attempts."""
    for pauses in (direct_calls, endpoint):
        monkeypatch.setattr(pauses, "time", SimpleNamespace(sleep=lambda _seconds: None))
    # Clients live long, and one test's faults must not use up another test's retries.
    monkeypatch.setattr(RetryQuota, "acquire", lambda _self, _amount: True)

    def call(kind, service, operation, arguments, body, *, status=200):
        attempts = []

        def respond(_session, sent):
            attempts.append(sent)
            return AWSResponse(sent.url, status, HTTPHeaders(), _Body(body))

        monkeypatch.setattr(URLLib3Session, "send", respond)
        try:
            with translate_aws_errors():
                result = getattr(_clients[kind](service), operation)(**arguments)
        except UnavailableError:
            return "unavailable", len(attempts)
        result.pop("ResponseMetadata", None)
        return result, len(attempts)

    return call


@pytest.mark.parametrize(("kind", "name"), WAYS)
def test_a_cut_response_is_an_outage(send, kind, name):
    """At some places, also between the bytes of a letter. A whole one is read as it is."""
    *call, body = CALLS[name]
    whole, attempts = send(kind, *call, body)
    assert (whole == {}, attempts) == (name == "dynamodb missing", 1)

    for end in {0, 1, len(body) // 3, len(body) // 2, body.find(b"\xa9"), len(body) - 1} - {-1}:
        assert send(kind, *call, body[:end]) == ("unavailable", 3)


@pytest.mark.parametrize("body", [b"[]", b"null", b'"x"', b"<html>Bad gateway</html>", b"\xff\xfe"])
@pytest.mark.parametrize(("kind", "name"), WAYS[:3] + WAYS[-4:])
def test_a_response_of_something_else_is_an_outage(send, kind, name, body):
    """Such as a proxy. The JSON value may be whole."""
    *call, _ = CALLS[name]

    assert send(kind, *call, body) == ("unavailable", 3)


@pytest.mark.parametrize("body", [b"", REFUSAL[:40], b"<html>Forbidden</html>", b"[]"])
@pytest.mark.parametrize("kind", _clients)
def test_a_refusal_that_cannot_be_read_is_an_outage(send, kind, body):
    """What was refused is unknown, so nothing is concluded from it."""
    *call, _ = CALLS["dynamodb get"]

    assert send(kind, *call, body, status=400) == ("unavailable", 3)


@pytest.mark.parametrize("kind", _clients)
def test_a_whole_refusal_is_raised(send, kind):
    """The stores decide by its code."""
    *call, _ = CALLS["dynamodb get"]

    with pytest.raises(Exception, match="ConditionalCheckFailedException"):
        send(kind, *call, REFUSAL, status=400)
