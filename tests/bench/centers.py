"""The center search in a warm function, and the cost of the file of ZIP codes.

The directories are made up: a number of centers at ZIP codes drawn from all of them. The search is
measured alone next to a brute force of numpy over unit vectors, with its filter kept as a mask;
and as a request next to a handler that only encodes the same response.
"""

import copy
import json
import random
import subprocess
import sys
import time
import zlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import partial
from importlib.resources import files
from itertools import cycle
from math import cos, inf, radians, sin
from statistics import median
from typing import Any
from unittest.mock import patch

import numpy as np

from app import app
from chalicelib import wiring, zip_codes
from chalicelib.domain.centers.geo import EARTH_RADIUS_MILES, Point
from chalicelib.domain.identity.members import Tenant, TenantKind
from chalicelib.services.centers.search import CenterCriteria, CenterSearch
from chalicelib.store.identity.tenants import Center, Tenants
from tests.bench.paired import MeasurePlan, PairedRounds, measure_in_turns
from tests.bench.recording import Event, RecordedRequests, ReplayClient, replay_requests
from tests.bench.table import MetricRow, build_ratio_row, check_limit
from tests.bench.warm import require_success
from tests.support import factories
from tests.support.api_client import FakeLambdaContext
from tests.support.log_capture import discard_logs

SIZES = {250: 1.0, 10_000: 1.5}
"""How many centers, and how many times the brute force's time a search may take."""

NEAREST = 5
WANTED = CenterCriteria(product="breyanzi", age_group="adult")

_LOADING = """
import app, json, time, tracemalloc
clock = time.thread_time_ns
started = clock()
from chalicelib.routes.centers import search
imported = clock()
from chalicelib import zip_codes
tracemalloc.start()
zip_codes.find_zip_point("77030")
held, _ = tracemalloc.get_traced_memory()
tracemalloc.stop()
zip_codes.clear_cache()
loading = clock()
zip_codes.find_zip_point("77030")
print(json.dumps([(imported - started) / 1e6, (clock() - loading) / 1e6, held / 2**20]))
"""


def measure(plan: MeasurePlan, recorded: RecordedRequests) -> list[MetricRow]:
    """Return the rows of the center search."""
    discard_logs()
    rows = [row for count in SIZES for row in _found(count, plan, recorded)]
    return [*rows, *_zip_codes(plan)]


def build_directory(count: int) -> Mapping[str, Center]:
    """Build a directory of a number of centers; two in three give what is wanted."""
    draw = random.Random(count)  # noqa: S311 no secret hangs on it
    zips = [code for code in (f"{n:05d}" for n in range(100_000)) if zip_codes.find_zip_point(code)]
    centers = {}
    for number in range(count):
        [offer] = factories.CENTER_FACTS["products"]
        other = {**offer, "product_id": "abecma", "diseases": ["MM"]}
        facts = factories.CENTER_FACTS | {
            "zip": draw.choice(zips),
            "products": [other] if number % 3 == 0 else [offer, other],
        }
        tenant = Tenant(
            tenant_id=f"ctr_{number:05d}",
            kind=TenantKind.CENTER,
            name=f"Center {number:05d}",
            time_zone="America/Chicago",
        )
        centers[tenant.tenant_id] = Center(tenant=tenant, listing=facts)
    return centers


class BruteForce:
    """Compute all distances at once, then the smallest of them."""

    def __init__(self, centers: Mapping[str, Center]) -> None:
        self.ids = np.array(list(centers))
        points = [zip_codes.find_zip_point(each.listing["zip"]) for each in centers.values()]
        self.vectors = np.array([_vector(point) for point in points if point])
        self.fitting = np.array(
            [
                any(offer["product_id"] == WANTED.product for offer in each.listing["products"])
                for each in centers.values()
            ]
        )

    def nearest(self, origin: Point) -> list[tuple[str, float]]:
        """Return the nearest, by name and miles."""
        closeness = np.where(self.fitting, self.vectors @ np.array(_vector(origin)), -2.0)
        best = np.argpartition(closeness, -NEAREST)[-NEAREST:]
        best = best[np.argsort(-closeness[best])]
        miles = np.arccos(np.minimum(1.0, closeness[best])) * EARTH_RADIUS_MILES
        return list(zip(self.ids[best].tolist(), miles.tolist(), strict=True))


def _vector(point: Point) -> tuple[float, float, float]:
    north, east = radians(point.latitude), radians(point.longitude)
    return cos(north) * cos(east), cos(north) * sin(east), sin(north)


def _found(count: int, plan: MeasurePlan, recorded: RecordedRequests) -> list[MetricRow]:
    centers = build_directory(count)
    with _warm(centers), replay_requests(recorded, ReplayClient(recorded.answers)):
        finder, brute = CenterSearch(wiring.get_stores().tenants), BruteForce(centers)
        origins = [each for code in range(601, 99_999, 977) if (each := _point(code))]
        ours = partial(finder.list_by_distance, WANTED, limit=NEAREST)
        _require_same(ours, brute, origins)
        asked, answered = _request(recorded.events["page"])
        turns = {
            "ours": _turns([partial(ours, origin=each) for each in origins]),
            "numpy": _turns([partial(brute.nearest, each) for each in origins]),
            "request": _turns([partial(app, asked, FakeLambdaContext())]),
            "bare": _turns([partial(_bare, answered)]),
        }
        cases = {name: partial(_middle_us, each, plan.calls) for name, each in turns.items()}
        found = measure_in_turns(cases, rounds=plan.rounds)
    return [
        build_ratio_row(
            f"find {NEAREST} of {count:,} centers / numpy brute force",
            PairedRounds.ratios(found["ours"], found["numpy"]),
            limit=SIZES[count],
            digits=2,
            detail=f" ({median(found['ours']):.0f} us)",
            peers="a loop over dicts " + ("4.6x" if count == 250 else "45x"),
        ),
        build_ratio_row(
            f"warm GET a page of {count:,} centers / bare",
            PairedRounds.ratios(found["request"], found["bare"]),
            detail=f" ({median(found['request']):.0f} us)",
        ),
    ]


def _warm(centers: Mapping[str, Center]) -> AbstractContextManager[object]:
    """Return the directory as a warm function has it."""
    return patch.object(Tenants, "list_centers", lambda _tenants: centers)


def _point(code: int) -> Point | None:
    return zip_codes.find_zip_point(f"{code:05d}")


def _require_same(ours: Callable[..., Sequence[Any]], brute: BruteForce, origins: Sequence[Point]) -> None:
    """A fast wrong result should not be measured. Equal distances may be in either order."""
    for origin in origins:
        found = [each.miles for each in ours(origin=origin, within_miles=inf)]
        wanted = [miles for _, miles in brute.nearest(origin)]
        if any(abs(a - b) > 0.06 for a, b in zip(found, wanted, strict=True)):
            raise ValueError(f"not the nearest from {origin}: {found} {wanted}")


def _request(page: Event) -> tuple[Event, Any]:
    """Build a request for centers near a ZIP code from a recorded list request; and its response."""
    event = copy.deepcopy(dict(page))
    event |= {"resource": "/v1/centers", "path": "/v1/centers"}
    event["requestContext"] |= {"resourcePath": "/v1/centers", "path": "/v1/centers"}
    event["multiValueQueryStringParameters"] = {"near": ["79106"], "product": ["breyanzi"]}
    answer = app(event, FakeLambdaContext())
    require_success(answer)
    return event, json.loads(answer["body"])


def _bare(body: Any) -> Mapping[str, Any]:
    headers = {"Content-Type": "application/json"}
    return {"statusCode": 200, "headers": headers, "body": json.dumps(body)}


def _turns(calls: Sequence[Callable[[], object]]) -> Callable[[], object]:
    """Repeat the items in turn, without an end."""
    upcoming = cycle(calls)

    def turn() -> object:
        return next(upcoming)()

    return turn


def _middle_us(call: Callable[[], object], calls: int) -> float:
    """Return the microseconds that half of the calls stay below."""
    clock, taken = time.thread_time_ns, []
    for _ in range(calls):
        started = clock()
        call()
        taken.append((clock() - started) / 1000)
    return median(taken)


def _zip_codes(plan: MeasurePlan) -> list[MetricRow]:
    result = [
        json.loads(subprocess.check_output([sys.executable, "-c", _LOADING], text=True)) for _ in range(plan.rounds)
    ]
    imported, loaded, held = (PairedRounds(each) for each in zip(*result, strict=True))
    packed = len(zlib.compress((files(zip_codes) / "zips.bin").read_bytes(), 9)) / 1024
    target, missed = check_limit(loaded.median, 1, " ms")
    small, large = check_limit(packed, 150, " KiB")
    return [
        MetricRow(
            metric="first search of a function, import",
            found=f"{imported.median:.1f} ms",
            spread=imported.spread(1),
            peers="nothing of it in a cold start",
        ),
        MetricRow(
            metric=f"load {zip_codes.count_zip_codes():,} ZIP codes",
            found=f"{loaded.median:.2f} ms",
            spread=loaded.spread(),
            target=target,
            peers="zip2info 45 ms, zipcodes 477 ms",
            missed=missed,
        ),
        MetricRow(
            metric="memory of the ZIP codes",
            found=f"{held.median:.2f} MiB",
            spread=held.spread(),
            peers="zip2info 193 MB unless compiled, zipcodes 42 MB",
        ),
        MetricRow(metric="file of ZIP codes, deflated", found=f"{packed:.0f} KiB", target=small, missed=large),
    ]
