"""Faults of AWS calls, injected below the SDK's own retries.

One place is replaced, botocore's `botocore.endpoint.Endpoint._get_response`. It is below the retry loop and above
both the network and the in-process services of the tests, so a retry after a lost reply is the
SDK's real one, of the very same request.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from botocore import endpoint
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import EndpointConnectionError, ReadTimeoutError
from botocore.retries.quota import RetryQuota


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


@contextmanager
def inject_faults(plan: FaultPlan) -> Iterator[CallLog]:
    """Inject faults by a plan. The SDK's pauses between retries are left out."""
    calls = CallLog()
    real: Any = getattr(endpoint.Endpoint, "_get_response")  # noqa: B009 the stubs do not know it

    def answered(self: Any, request: Any, operation_model: Any, context: Any) -> Any:
        calls.operations.append(operation_model.name)
        mode = plan(len(calls.operations), operation_model.name)
        if mode is not None:
            calls.met[len(calls.operations)] = mode
        match mode:
            case FaultMode.CRASH_BEFORE:
                raise SimulatedCrash
            case FaultMode.REFUSED:
                return None, EndpointConnectionError(endpoint_url=request.url)
            case FaultMode.THROTTLE | FaultMode.SERVER_ERROR | FaultMode.CONFLICT:
                return _refusal(mode, request), None
        answer = real(self, request, operation_model, context)
        if mode is FaultMode.TWICE:
            answer = real(self, request, operation_model, context)
        if mode is FaultMode.CRASH_AFTER:
            raise SimulatedCrash
        if mode is FaultMode.LOST_REPLY:
            return None, ReadTimeoutError(endpoint_url=request.url)
        return answer

    quick = SimpleNamespace(sleep=lambda _seconds: None)
    with (
        patch.object(endpoint.Endpoint, "_get_response", answered),
        patch.object(endpoint, "time", quick),
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


def plan_never(_n: int, _operation: str) -> None:
    """Plan no fault, to count the calls of a flow."""


_REFUSALS: Mapping[FaultMode, tuple[int, str]] = {
    FaultMode.THROTTLE: (400, "ThrottlingException"),
    FaultMode.SERVER_ERROR: (500, "InternalServerError"),
    FaultMode.CONFLICT: (400, "TransactionCanceledException"),
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
