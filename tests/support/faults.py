"""Faults of AWS calls, injected below the SDK's own retries.

`_get_response`, of botocore's clients and of our own calls, is below the retry loop and above both the network and the
in-process services of the tests, so a retry after a lost reply is a real one, of the very same request.
A torn response is damaged in the bytes that the HTTP session returns, between the network and the parser, so the
parser of the product reads what is left.
"""

import json
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from unittest.mock import patch

from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import EndpointConnectionError, ReadTimeoutError
from botocore.retries.quota import RetryQuota

from tests.support.call_attempts import Answer, intercept_attempts, replace_pauses


class SimulatedCrash(BaseException):
    """The function was stopped here. Nothing catches it, because nothing outlives a process."""


class FaultMode(StrEnum):
    """What goes wrong with a call."""

    CRASH_BEFORE = "crash_before"
    CRASH_AFTER = "crash_after"
    LOST_REPLY = "lost_reply"
    TWICE = "twice"
    """The request is sent twice, as by a proxy in between, and the second response is the one that arrives."""
    REFUSED = "refused"
    THROTTLE = "throttle"
    SERVER_ERROR = "server_error"
    CONFLICT = "conflict"
    TORN_REPLY = "torn_reply"
    """The service did what it was asked to do, and the second half of its response is missing."""
    GARBLED_REPLY = "garbled_reply"
    """Like a torn reply, but every byte arrives, and none as it was sent."""
    EMPTY_REPLY = "empty_reply"
    """Like a torn reply, but no byte of the body arrives."""
    EXPIRED_TOKEN = "expired_token"
    """The credentials have ended. The SDK does not try again."""
    ACCESS_DENIED = "access_denied"


_DAMAGE: Mapping[FaultMode, Callable[[bytes], bytes]] = {
    FaultMode.TORN_REPLY: lambda body: body[: len(body) // 2],
    FaultMode.GARBLED_REPLY: lambda body: bytes(byte ^ 0xA5 for byte in body),
    FaultMode.EMPTY_REPLY: lambda _body: b"",
}
"""What is left of the bytes of a response."""

_damage: ContextVar[Callable[[bytes], bytes] | None] = ContextVar("damage", default=None)


FaultPlan = Callable[[int, str], FaultMode | None]
"""A fault at the n-th call of this operation, counted from 1, with retries."""


@dataclass
class CallLog:
    """The operations that were called, in order, and the faults by call number from 1."""

    operations: list[str] = field(default_factory=list)
    met: dict[int, FaultMode] = field(default_factory=dict)

    @property
    def count_faults(self) -> int:
        """Return how many calls met a fault."""
        return len(self.met)


_read_content: Any = vars(AWSResponse)["content"]


def _read_damaged(response: AWSResponse) -> bytes:
    content, damage = bytes(_read_content.__get__(response)), _damage.get()
    return damage(content) if damage else content


@contextmanager
def _damage_response(mode: FaultMode | None) -> Iterator[None]:
    """Damage the bytes of the response that arrives in a block, if the mode says so."""
    token = _damage.set(_DAMAGE.get(mode) if mode else None)
    try:
        yield
    finally:
        _damage.reset(token)


@contextmanager
def inject_faults(plan: FaultPlan) -> Iterator[CallLog]:
    """Inject faults by a plan. The SDK's pauses between retries are left out."""
    calls = CallLog()

    def answer(request: Any, operation: str, send: Callable[[], Answer]) -> Answer:
        calls.operations.append(operation)
        mode = plan(len(calls.operations), operation)
        if mode is not None:
            calls.met[len(calls.operations)] = mode
        match mode:
            case FaultMode.CRASH_BEFORE:
                raise SimulatedCrash
            case FaultMode.REFUSED:
                return None, EndpointConnectionError(endpoint_url=request.url)
        if mode is not None and mode in _REFUSALS:
            return _refusal(mode, request), None
        with _damage_response(mode):
            result = send()
        if mode is FaultMode.TWICE:
            result = send()
        if mode is FaultMode.CRASH_AFTER:
            raise SimulatedCrash
        if mode is FaultMode.LOST_REPLY:
            return None, ReadTimeoutError(endpoint_url=request.url)
        return result

    with (
        intercept_attempts(answer),
        patch.object(AWSResponse, "content", property(_read_damaged)),
        replace_pauses(lambda _seconds: None),
        # Clients live long, and one test's faults must not use up another test's retries.
        patch.object(RetryQuota, "acquire", lambda _self, _amount: True),
    ):
        yield calls


def plan_fault_at(number: int, mode: FaultMode) -> FaultPlan:
    """Plan one fault at one call."""
    return lambda n, _operation: mode if n == number else None


def plan_faults_by_number(faults: Mapping[int, FaultMode]) -> FaultPlan:
    """Plan faults at several calls."""
    return lambda n, _operation: faults.get(n)


def plan_nth_fault(operation: str, number: int, mode: FaultMode) -> FaultPlan:
    """Plan one fault at the n-th call of an operation."""
    seen: list[str] = []

    def plan(_n: int, name: str) -> FaultMode | None:
        seen.append(name)
        return mode if name == operation and seen.count(operation) == number else None

    return plan


def plan_interruption(operation: str, act: Callable[[], object], *, number: int = 1) -> FaultPlan:
    """Plan no fault, but another actor's action right before the n-th call of an operation."""
    seen: list[str] = []

    def plan(_n: int, name: str) -> None:
        if name == operation:
            seen.append(name)
            if len(seen) == number:
                act()

    return plan


def plan_always(operation: str, mode: FaultMode) -> FaultPlan:
    """Plan a fault at every call of an operation, with retries."""
    return lambda _n, name: mode if name == operation else None


def plan_outage(numbers: Collection[int], mode: FaultMode) -> FaultPlan:
    """Plan the same fault at each of these calls, with retries: an outage that ends."""
    return lambda n, _operation: mode if n in numbers else None


def plan_never(_n: int, _operation: str) -> None:
    """Plan no fault, to count the calls of a flow."""


_REFUSALS: Mapping[FaultMode, tuple[int, str]] = {
    FaultMode.THROTTLE: (400, "ThrottlingException"),
    FaultMode.SERVER_ERROR: (500, "InternalServerError"),
    FaultMode.CONFLICT: (400, "TransactionCanceledException"),
    FaultMode.EXPIRED_TOKEN: (400, "ExpiredTokenException"),
    FaultMode.ACCESS_DENIED: (400, "AccessDeniedException"),
}


def _refusal(mode: FaultMode, request: Any) -> tuple[AWSResponse, dict[str, Any]]:
    """Build the service's parsed response."""
    status, code = _REFUSALS[mode]
    parsed: dict[str, Any] = {
        "Error": {"Code": code, "Message": "injected"},
        "ResponseMetadata": {"HTTPStatusCode": status, "HTTPHeaders": {}},
    }
    transacted = json.loads(request.body).get("TransactItems") if mode is FaultMode.CONFLICT else None
    if mode is FaultMode.CONFLICT and transacted is None:
        parsed["Error"]["Code"] = "TransactionConflictException"
    elif transacted:
        others = len(transacted) - 1
        parsed["CancellationReasons"] = [{"Code": "TransactionConflict"}, *[{"Code": "None"}] * others]
    return AWSResponse(request.url, status, HTTPHeaders(), None), parsed
