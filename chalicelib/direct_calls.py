"""Calls DynamoDB and KMS without a client of botocore.

    request ── JSON ── signer ── session ──▶ DynamoDB, KMS
                         ▲                        │
                         └────── retry rules ◀────┘

A client of botocore reads the model of its service, compiles the rules for its endpoint, and converts each value
by the model. Both services speak JSON, so the few operations that requests need can do without. The signer, the
HTTP session and the retry rules are botocore's.

For every other operation, and for everything else that a client has, a client of botocore is created.
`DIRECT_CALLS=off` uses only those (docs/decisions/0086-direct-calls.md).
"""

import json
import time
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from email.utils import parsedate_to_datetime
from functools import cached_property, partial
from itertools import count
from threading import Lock
from types import SimpleNamespace
from typing import Any
from zlib import crc32

from botocore.awsrequest import AWSPreparedRequest, AWSRequest, AWSResponse
from botocore.exceptions import ClientError, HTTPClientError, NoCredentialsError, ResponseStreamingError
from botocore.exceptions import ConnectionError as EndpointError
from botocore.retries import standard
from botocore.retries.quota import RetryQuota

from chalicelib import budget
from chalicelib.aws_responses import (
    ATTEMPT_S,
    MAX_ATTEMPTS,
    USER_AGENT,
    UnreadableResponse,
    count_throttle,
    parse_whole_json,
)
from chalicelib.direct_transport import DirectSession, Signer, read_clock
from chalicelib.settings import AwsCredentials, DirectEndpoint, read_credentials

MIN_CLOCK_DIFFERENCE = timedelta(minutes=1)
"""A smaller difference cannot be why a signature was refused; AWS accepts five minutes.
Source: AWS Signature Version 4 (read 2026-11)."""

MAX_CLOCK_DIFFERENCE = timedelta(days=2)
"""No clock is that wrong, so a date further away is not one of AWS. Our own choice."""

_CLOCK_CODES = frozenset({"InvalidSignatureException", "RequestExpired", "RequestTimeTooSkewed"})
_CREDENTIAL_CODES = _CLOCK_CODES | {
    *("ExpiredToken", "ExpiredTokenException", "IncompleteSignatureException", "InvalidClientTokenId"),
    *("MissingAuthenticationTokenException", "UnrecognizedClientException"),
}


@dataclass(frozen=True, slots=True)
class _Api:
    """How a service is called.

    Attributes:
        target: What the operation's name follows in the header that names it.
        media_type: The media type of its JSON.
        operations: The operations that are called directly, by the name of the method of a client.
        binary: The members of a response that are base64. DynamoDB's stay text, as `dynamo.unmarshal` expects.
    """

    target: str
    media_type: str
    operations: Mapping[str, str]
    binary: frozenset[str] = frozenset()


_APIS = {
    "dynamodb": _Api(
        "DynamoDB_20120810",
        "application/x-amz-json-1.0",
        {
            "batch_get_item": "BatchGetItem",
            "delete_item": "DeleteItem",
            "get_item": "GetItem",
            "put_item": "PutItem",
            "query": "Query",
            "transact_write_items": "TransactWriteItems",
            "update_item": "UpdateItem",
        },
    ),
    "kms": _Api(
        "TrentService",
        "application/x-amz-json-1.1",
        {
            "decrypt": "Decrypt",
            "encrypt": "Encrypt",
            "generate_data_key": "GenerateDataKey",
            "re_encrypt": "ReEncrypt",
        },
        frozenset({"CiphertextBlob", "Plaintext"}),
    ),
}
"""Sources: the API references of Amazon DynamoDB and AWS KMS (read 2026-11)."""


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What became of one attempt: a response and what it says, or an error of the connection.

    `credentials` and `clock_difference` are those with which the attempt was signed.
    """

    credentials: AwsCredentials
    clock_difference: timedelta
    response: AWSResponse | None = None
    parsed: Any = None
    error: Exception | None = None

    @property
    def code(self) -> str:
        return str(self.parsed.get("Error", {}).get("Code", "")) if self.parsed else ""


_RULES: Any = standard
"""The stubs describe other parameters than the module has."""


class _Retries:
    """Botocore's rules for whether, and when, a call is tried again."""

    def __init__(self, service: str) -> None:
        adapter = _RULES.RetryEventAdapter()
        throttling = _RULES.ThrottlingErrorDetector(adapter)
        self._quota = _RULES.RetryQuotaChecker(RetryQuota(), throttling)
        policy = _RULES.RetryPolicy(
            _RULES.StandardRetryConditions(max_attempts=MAX_ATTEMPTS),
            _RULES.ExponentialBackoff(service_name=service, throttling_detector=throttling),
        )
        self._handler = _RULES.RetryHandler(policy, adapter, self._quota, service)
        # What the rules ask the model of an operation: it names one error of DynamoDB that may be tried again.
        conflict = SimpleNamespace(name="ReplicatedWriteConflictException", metadata={"retryable": {}})
        service_model = SimpleNamespace(service_name=service)
        self._model = SimpleNamespace(name="", error_shapes=(conflict,), service_model=service_model)

    def find_delay(self, outcome: _Outcome, attempt: int, context: dict[str, Any]) -> float | None:
        """Find how many seconds to wait for another attempt; None if the outcome is the last one."""
        delay: float | None = self._handler.needs_retry(
            response=None if outcome.response is None else (outcome.response, outcome.parsed),
            attempts=attempt,
            operation=self._model,
            caught_exception=outcome.error,
            request_dict={"context": context},
        )
        return delay

    def note_success(self, response: AWSResponse, context: dict[str, Any]) -> None:
        """Let the next calls be repeated again as often, after a success."""
        self._quota.release_retry_quota(context, response)


class DirectClient:
    """Has the operations of a client that requests need. For all else, it is the client of botocore.

    Threads can share it.
    """

    def __init__(self, service: str, endpoint: DirectEndpoint, *, create_sdk_client: Callable[[], Any]) -> None:
        self._api = _APIS[service]
        self._service = service
        self._endpoint = endpoint
        self._create_sdk_client = create_sdk_client
        self._retries = _Retries(service)
        self._session = DirectSession(endpoint)
        self._clock_difference = timedelta(0)
        self._creating = Lock()

    def __getattr__(self, name: str) -> Any:
        """Find an operation by its name, or any other attribute of a client of botocore."""
        if name.startswith("_"):
            raise AttributeError(name)
        operation = self._api.operations.get(name)
        if operation:
            return partial(self._call, operation)
        with self._creating:
            client = self._sdk_client
        return getattr(client, name)

    @cached_property
    def _sdk_client(self) -> Any:
        return self._create_sdk_client()

    def close(self) -> None:
        """Close the open connections. The next call opens one again."""
        self._session.close()

    def _call(self, operation: str, **parameters: Any) -> Any:
        """Call an operation; each attempt sends the same bytes, and so the same token of a transaction.

        Raises:
            ClientError: the service refused it.
            UnavailableError: the request has no time for an attempt.
            EndpointError, HTTPClientError, ResponseStreamingError: the service did not answer, or not readably.
        """
        body = json.dumps(parameters, default=_encode_binary).encode()
        context: dict[str, Any] = {}
        for attempt in count(1):
            budget.require_time(ATTEMPT_S)
            outcome = self._try(operation, body)
            if outcome.response is not None and outcome.response.status_code < 300 and not outcome.code:
                self._retries.note_success(outcome.response, context)
                return outcome.parsed
            delay = self._find_delay(outcome, attempt, context)
            if delay is None or budget.get_remaining_s() < ATTEMPT_S:
                break
            time.sleep(delay)
        if outcome.error:
            raise outcome.error
        if isinstance(outcome.parsed, UnreadableResponse):
            raise ResponseStreamingError(error="unreadable response")
        raise ClientError(outcome.parsed, operation)

    def _try(self, operation: str, body: bytes) -> _Outcome:
        credentials = _load_credentials()
        request = AWSRequest(
            "POST",
            self._endpoint.url,
            headers={
                "Content-Type": self._api.media_type,
                "User-Agent": USER_AGENT,
                "X-Amz-Target": f"{self._api.target}.{operation}",
            },
            data=body,
        )
        signer = Signer(credentials, self._service, self._endpoint.region)  # type: ignore[arg-type] # Same attributes
        signer.clock_difference = clock_difference = self._clock_difference
        signer.add_auth(request)
        answer, error = self._get_response(request.prepare())
        response, parsed = answer or (None, None)
        if parsed and self._service == "dynamodb":
            count_throttle(parsed)
        return _Outcome(credentials, clock_difference, response, parsed, error)

    def _get_response(self, request: AWSPreparedRequest) -> tuple[tuple[AWSResponse, Any] | None, Exception | None]:
        """Send one attempt. The result is that of `botocore.endpoint.Endpoint._get_response`."""
        try:
            response = self._session.send(request)
        except (EndpointError, HTTPClientError) as e:
            return None, e
        return (response, self._parse(response)), None

    def _find_delay(self, outcome: _Outcome, attempt: int, context: dict[str, Any]) -> float | None:
        if self._correct_clock(outcome) or _has_new_credentials(outcome):
            return 0 if attempt < MAX_ATTEMPTS else None
        return self._retries.find_delay(outcome, attempt, context)

    def _correct_clock(self, outcome: _Outcome) -> bool:
        """Use the clock of the service from now on, if it refused a signature of another time.

        Calls of several threads may be refused at once. Each is signed again, also if another one corrected the clock.
        """
        date = outcome.response.headers.get("Date") if outcome.response is not None else None
        if outcome.code not in _CLOCK_CODES or not date:
            return False
        try:
            difference = parsedate_to_datetime(date) - read_clock()
        except (OverflowError, TypeError, ValueError):
            return False
        if abs(difference) > MAX_CLOCK_DIFFERENCE or abs(difference - outcome.clock_difference) < MIN_CLOCK_DIFFERENCE:
            return False
        self._clock_difference = difference
        return True

    def _parse(self, response: AWSResponse) -> Any:
        status, content = response.status_code, response.content
        try:
            _require_checksum(content, response.headers.get("x-amz-crc32"))
            parsed = parse_whole_json(content)
            if status >= 300:
                return _build_error(parsed, response)
            for name in self._api.binary & parsed.keys():
                parsed[name] = b64decode(parsed[name], validate=True)
        except Exception:  # noqa: BLE001 whatever cannot be read means the same
            return UnreadableResponse(status) if status < 500 else _build_error({}, response)
        return parsed


def _require_checksum(content: bytes, checksum: str | None) -> None:
    """Refuse a response of DynamoDB that was damaged on the way.

    Raises:
        ValueError: it was.
    """
    if checksum is not None and crc32(content) != int(checksum):
        raise ValueError("wrong checksum")


def _build_error(parsed: dict[str, Any], response: AWSResponse) -> dict[str, Any]:
    """Build the response of a `ClientError`, from a refusal that was read."""
    kind = str(parsed.get("__type") or response.headers.get("x-amzn-errortype") or response.status_code)
    metadata = {"HTTPStatusCode": response.status_code, "RequestId": response.headers.get("x-amzn-requestid")}
    return {
        **parsed,
        "Error": {
            "Code": kind.partition(":")[0].rpartition("#")[2],
            "Message": parsed.get("message") or parsed.get("Message") or "",
        },
        "ResponseMetadata": metadata,
    }


def _has_new_credentials(outcome: _Outcome) -> bool:
    """Whether the environment has other credentials than those that were refused."""
    return outcome.code in _CREDENTIAL_CODES and read_credentials() not in {None, outcome.credentials}


def _load_credentials() -> AwsCredentials:
    """Load the credentials of the environment, for each attempt, because the environment may get new ones."""
    credentials = read_credentials()
    if credentials is None:
        raise NoCredentialsError
    return credentials


def _encode_binary(value: object) -> str:
    if isinstance(value, bytes):
        return b64encode(value).decode("ascii")
    raise TypeError(f"no JSON for {type(value).__name__}")
