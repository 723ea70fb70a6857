"""The CPU of our code in a request that waits for nothing: its store answers from memory.

Charged by this thread's own CPU clock, so that another program that takes the core does not
count. Garbage collection does.
"""

import gc
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any
from unittest.mock import patch

from app import app
from chalicelib.services.referrals import create as intake
from chalicelib.store.platform.idempotency import StoredResponse
from tests.bench.baseline_handlers import BaselineHandlers
from tests.bench.paired import MeasurePlan, PairedRounds, measure_in_turns
from tests.bench.recording import RecordedRequests, ReplayClient, replay_requests
from tests.bench.table import MetricRow, build_ratio_row, check_limit
from tests.support.api_client import FakeLambdaContext
from tests.support.log_capture import discard_logs

NAMES = {
    "front": "POST, its service left out",
    "submit": "POST a referral",
    "webhook": "POST a webhook",
    "read": "GET a referral",
    "page": "GET a list page",
    "screen": "POST a screen",
}
_LIMITS = {"front": (10, 400), "submit": (10, 400)}
"""How many times the bare handler, and how many microseconds."""

_PEERS = {"front": "chalice alone 3.4x, powertools 10x, fastapi 15x"}

Blocks = Sequence[list[float]]


def measure(plan: MeasurePlan, recorded: RecordedRequests) -> list[MetricRow]:
    """Measure our handler against bare ones, request by request."""
    context = FakeLambdaContext()
    with replay_requests(recorded, ReplayClient(recorded.answers)):
        discard_logs()
        events, bare = recorded.fresh_events(), BaselineHandlers(recorded)
        cases = {"front": partial(_front, partial(app, events["submit"], context), plan.calls)}
        for name, event in events.items():
            ours, floor = partial(app, event, context), partial(getattr(bare, name), event)
            require_success(ours(), floor())
            cases[name] = partial(_block, ours, plan.calls)
            cases[f"bare {name}"] = partial(_block, floor, plan.calls)
        gc.collect()
        blocks = dict(measure_in_turns(cases, rounds=plan.rounds))
    blocks["bare front"] = blocks["bare submit"]
    return [row for name in NAMES for row in _rows(name, blocks[name], blocks[f"bare {name}"])]


def _front(request: Callable[[], Mapping[str, Any]], calls: int) -> list[float]:
    """Token, member, body and log line of a request whose work is done already."""
    done = StoredResponse(status=201, headers={}, body={"referral_id": "ref_bench"})
    with patch.object(intake, "create_referral", lambda *_, **__: done):
        require_success(request())
        return _block(request, calls)


def require_success(*answers: Mapping[str, Any]) -> None:
    """A fast refusal should not be measured."""
    for answer in answers:
        if answer["statusCode"] >= 300:
            raise ValueError(f"not what is measured: {answer}")


def _block(call: Callable[[], object], calls: int) -> list[float]:
    """Return the microseconds of each call."""
    clock = time.thread_time_ns
    taken = []
    for _ in range(calls):
        started = clock()
        call()
        taken.append((clock() - started) / 1000)
    return taken


def _rows(name: str, ours: Blocks, floor: Blocks) -> list[MetricRow]:
    middles = [statistics.median(block) for block in ours]
    ratio = PairedRounds.ratios(middles, (statistics.median(block) for block in floor))
    slow = PairedRounds([_p99(block) for block in ours])
    times, micros = _LIMITS.get(name, (None, None))
    target, missed = check_limit(slow.median, micros, " us")
    return [
        build_ratio_row(
            f"warm {NAMES[name]} / bare, p50",
            ratio,
            limit=times,
            detail=f" ({statistics.median(middles):.0f} us)",
            peers=_PEERS.get(name, ""),
        ),
        MetricRow(
            metric=f"warm {NAMES[name]}, p99",
            found=f"{slow.median:.0f} us",
            spread=slow.spread(0),
            target=target,
            missed=missed,
        ),
    ]


def _p99(block: list[float]) -> float:
    return statistics.quantiles(block, n=100, method="inclusive")[98]
