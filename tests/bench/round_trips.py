"""Sequential round trips of the ten most used requests: calls that wait for the one before them.

Counted below the SDK's client, with every service and with the document of the issuer's keys, on tables made from the
template. Of calls that are made at the same time, the longest chain counts. The rate limits are those of production,
and two seconds pass between requests, so that each one is charged. A cold function has loaded what it loads while it
starts, and nothing else; the handshakes of its connections come on top.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache, partial
from pathlib import Path
from typing import Any, TypeAlias
from unittest.mock import patch

import pytest

from chalicelib import fetching, wiring
from tests.bench.paired import MeasurePlan
from tests.bench.table import MetricRow
from tests.support import factories
from tests.support.api_client import ApiAnswer
from tests.support.api_driver import ApiDriver
from tests.support.call_attempts import Answer, intercept_attempts
from tests.support.log_capture import discard_logs
from tests.support.shared_clinic import open_shared_clinic

SendRequest: TypeAlias = Callable[[], ApiAnswer]

LIMITS = {"MEMBER_LIMIT": "120/10", "FEED_LIMIT": "1000/20"}
"""The defaults of the template. Without limits, a request makes one call less."""

PAUSE = timedelta(seconds=2)
"""Longer than an instance may allow calls without a charge."""

TARGETS: Mapping[str, tuple[int | None, int | None]] = {
    "me": (1, None),
    "list of referrals": (2, 4),
    "referral page": (2, 4),
    "submit": (2, 5),
    "webhook": (2, 5),
}
"""The targets of a warm and of a cold function."""


@dataclass(slots=True)
class RoundTripCounter:
    """Counts the calls that wait for each other."""

    trips: int = 0
    requests: int = 0

    def fork(self, call: Callable[..., object], arguments: Sequence[object]) -> "ForkedCall":
        """Make a call from here on, and come back to here."""
        forked_at, forked = self.trips, ForkedCall(self)
        try:
            forked.set_result(call(*arguments))
        except Exception as e:  # noqa: BLE001 it is raised by `result()`
            forked.set_exception(e)
        forked.ended_at, self.trips = self.trips, forked_at
        return forked

    @contextmanager
    def listen(self) -> Iterator[None]:
        """Count every attempt of a call to AWS, and each read of the issuer's keys, in a block."""
        fetch_keys = fetching.fetch_jwks

        def answer_counted(_request: Any, _operation: str, send: Callable[[], Answer]) -> Answer:
            self.trips += 1
            return send()

        def fetch_counted(address: str) -> Any:
            self.trips += 1
            return fetch_keys(address)

        with (
            intercept_attempts(answer_counted),
            patch.object(fetching, "fetch_jwks", fetch_counted),
            patch.object(wiring, "get_call_threads", cache(lambda: ForkingExecutor(self))),
        ):
            yield

    def count(self, send: SendRequest) -> int:
        """Return the round trips of a request."""
        self.trips, self.requests = 0, self.requests + 1
        answer = send()
        if answer.status >= 300:
            raise ValueError(f"not what is measured: {answer.status} {answer.text[:200]}")
        return self.trips


class ForkedCall(Future[Any]):
    """A call that was made at the same time as others. Who asks for its result has waited for its last round trip.

    No later request waits for it.
    """

    def __init__(self, counter: RoundTripCounter) -> None:
        super().__init__()
        self.counter = counter
        self.request = counter.requests
        self.ended_at = 0

    def result(self, timeout: float | None = None) -> Any:
        if self.request == self.counter.requests:
            self.counter.trips = max(self.counter.trips, self.ended_at)
        return super().result(timeout)


@dataclass(frozen=True, slots=True)
class ForkingExecutor(Executor):
    """Makes calls one after another, and counts them as threads would make them."""

    counter: RoundTripCounter

    def submit(self, call: Callable[..., Any], /, *arguments: Any, **_options: Any) -> Future[Any]:
        return self.counter.fork(call, arguments)


@dataclass(slots=True)
class PausedClock:
    """A clock that goes on by a pause for each request."""

    real: Callable[[], datetime]
    ahead: timedelta = field(default_factory=timedelta)

    def read(self) -> datetime:
        return self.real() + self.ahead

    def wait(self) -> None:
        """Let a pause pass."""
        self.ahead += PAUSE


def measure(_plan: MeasurePlan, scratch: Path) -> list[MetricRow]:
    """Return a row for each request."""
    discard_logs()
    counter, clock = RoundTripCounter(), PausedClock(wiring.read_clock)
    with open_shared_clinic(scratch) as clinic, pytest.MonkeyPatch.context() as environment, counter.listen():
        for name, value in LIMITS.items():
            environment.setenv(name, value)
        with patch.object(wiring, "read_clock", clock.read):
            wiring.reset()
            return [
                _measure_request(name, prepare, counter, clock) for name, prepare in _build_requests(clinic).items()
            ]


def _measure_request(
    name: str, prepare: Callable[[], SendRequest], counter: RoundTripCounter, clock: PausedClock
) -> MetricRow:
    """Send a request as a warm function and as a cold one. What is done only once in a lifetime is done before."""
    found: list[int] = []
    for reset in (_start_function, _keep_caches, _keep_caches, _start_function):
        send = prepare()
        clock.wait()
        reset()
        found.append(counter.count(send))
    warm, cold = found[2:]
    wanted = TARGETS.get(name, (None, None))
    missed = any(target is not None and trips > target for trips, target in zip((warm, cold), wanted, strict=True))
    return MetricRow(
        metric=f"round trips, {name}",
        found=f"{warm} warm, {cold} cold",
        target=_format_target(wanted),
        missed=missed,
    )


def _start_function() -> None:
    """Forget everything, and start as a function does before its first request."""
    wiring.reset()
    wiring.warm_up()
    wiring.load_ahead()


def _keep_caches() -> None:
    """Leave the function warm."""


def _format_target(wanted: Sequence[int | None]) -> str:
    return ", ".join(f"<= {n} {when}" for n, when in zip(wanted, ("warm", "cold"), strict=True) if n is not None)


def _build_requests(clinic: ApiDriver) -> Mapping[str, Callable[[], SendRequest]]:
    """Build what prepares each request, uncounted, and returns how to send it."""
    practice = clinic.practice
    page = f"/v1/referrals/{clinic.refer()['referral_id']}"
    return {
        "me": lambda: partial(practice.get, "/v1/me"),
        "list of referrals": lambda: partial(practice.get, "/v1/referrals?limit=50"),
        "counts": lambda: partial(practice.get, "/v1/referrals/counts"),
        "referral page": lambda: partial(practice.get, page),
        "submit": lambda: partial(practice.post, "/v1/referrals", factories.build_referral_body()),
        "webhook": lambda: partial(clinic.deliver, clinic.refer()["referral_id"], "received"),
        "a person's event": lambda: partial(_report, clinic, clinic.refer()["referral_id"]),
        "notices": lambda: partial(practice.get, "/v1/notices"),
        "messages": lambda: partial(practice.get, f"{page}/messages"),
        "screen": lambda: partial(practice.post, "/v1/screens", factories.build_screen_body()),
    }


def _report(clinic: ApiDriver, referral_id: str) -> ApiAnswer:
    event = {"type": "stage.changed", "occurred_at": wiring.read_clock().isoformat(), "data": {"stage": "accepted"}}
    return clinic.center.post(f"/v1/referrals/{referral_id}/events", event)
