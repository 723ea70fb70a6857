"""Faults of AWS calls, injected below the SDK's own retries.

One place is replaced, botocore's `Endpoint._get_response`. It sits under the retry loop and over
both the network and the in-process services of the tests, so that a retry after a lost reply is
the SDK's real one, of the very same request.
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


class Crash(BaseException):
    """The function was stopped here. Nothing catches it, as nothing outlives a process."""


class Mode(StrEnum):
    """What goes wrong with a call."""

    CRASH_BEFORE = "crash_before"
    CRASH_AFTER = "crash_after"
    LOST_REPLY = "lost_reply"
    TWICE = "twice"
    """It is sent twice, as by a proxy between, and the second answer is the one that comes."""
    REFUSED = "refused"
    THROTTLE = "throttle"
    SERVER_ERROR = "server_error"
    CONFLICT = "conflict"


Plan = Callable[[int, str], Mode | None]
"""What goes wrong with the n-th call, of this operation. Counted from 1, retries as well."""


@dataclass
class Calls:
    """The operations that were tried, in order, and what went wrong at which, from 1."""

    operations: list[str] = field(default_factory=list)
    met: dict[int, Mode] = field(default_factory=dict)

    @property
    def faults(self) -> int:
        """How often something went wrong."""
        return len(self.met)


@contextmanager
def injected(plan: Plan) -> Iterator[Calls]:
    """Let calls go wrong by a plan. The SDK's pauses between retries are left out."""
    calls = Calls()
    real: Any = getattr(endpoint.Endpoint, "_get_response")  # noqa: B009 the stubs do not know it

    def answered(self: Any, request: Any, operation_model: Any, context: Any) -> Any:
        calls.operations.append(operation_model.name)
        mode = plan(len(calls.operations), operation_model.name)
        if mode is not None:
            calls.met[len(calls.operations)] = mode
        match mode:
            case Mode.CRASH_BEFORE:
                raise Crash
            case Mode.REFUSED:
                return None, EndpointConnectionError(endpoint_url=request.url)
            case Mode.THROTTLE | Mode.SERVER_ERROR | Mode.CONFLICT:
                return _refusal(mode, request), None
        answer = real(self, request, operation_model, context)
        if mode is Mode.TWICE:
            answer = real(self, request, operation_model, context)
        if mode is Mode.CRASH_AFTER:
            raise Crash
        if mode is Mode.LOST_REPLY:
            return None, ReadTimeoutError(endpoint_url=request.url)
        return answer

    quick = SimpleNamespace(sleep=lambda _seconds: None)
    with (
        patch.object(endpoint.Endpoint, "_get_response", answered),
        patch.object(endpoint, "time", quick),
        # The clients live long, and one test's faults must not use up another's retries.
        patch.object(RetryQuota, "acquire", lambda _self, _amount: True),
    ):
        yield calls


def at(number: int, mode: Mode) -> Plan:
    """One fault, at one call."""
    return lambda n, _operation: mode if n == number else None


def by_number(faults: Mapping[int, Mode]) -> Plan:
    """Faults at several calls."""
    return lambda n, _operation: faults.get(n)


def nth(operation: str, number: int, mode: Mode) -> Plan:
    """One fault, at the n-th call of an operation."""
    seen: list[str] = []

    def plan(_n: int, name: str) -> Mode | None:
        seen.append(name)
        return mode if name == operation and seen.count(operation) == number else None

    return plan


def meanwhile(operation: str, act: Callable[[], object], *, number: int = 1) -> Plan:
    """Nothing goes wrong, but somebody else acts right before the n-th call of an operation."""
    seen: list[str] = []

    def plan(_n: int, name: str) -> None:
        if name == operation:
            seen.append(name)
            if len(seen) == number:
                act()

    return plan


def always(operation: str, mode: Mode) -> Plan:
    """Every call of an operation goes wrong, retries too."""
    return lambda _n, name: mode if name == operation else None


def never(_n: int, _operation: str) -> None:
    """Nothing goes wrong: for counting the calls of a flow."""


_REFUSALS: Mapping[Mode, tuple[int, str]] = {
    Mode.THROTTLE: (400, "ThrottlingException"),
    Mode.SERVER_ERROR: (500, "InternalServerError"),
    Mode.CONFLICT: (400, "TransactionCanceledException"),
}


def _refusal(mode: Mode, request: Any) -> tuple[AWSResponse, dict[str, Any]]:
    """An answer as the service words it, parsed."""
    status, code = _REFUSALS[mode]
    parsed: dict[str, Any] = {
        "Error": {"Code": code, "Message": "injected"},
        "ResponseMetadata": {"HTTPStatusCode": status, "HTTPHeaders": {}},
    }
    transacted = json.loads(request.body).get("TransactItems") if mode is Mode.CONFLICT else None
    if mode is Mode.CONFLICT and transacted is None:
        parsed["Error"]["Code"] = "TransactionConflictException"
    elif transacted:
        others = len(transacted) - 1
        parsed["CancellationReasons"] = [
            {"Code": "TransactionConflict"},
            *[{"Code": "None"}] * others,
        ]
    return AWSResponse(request.url, status, HTTPHeaders(), None), parsed
