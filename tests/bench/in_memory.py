"""The tables in this process, for what has to be counted or recorded."""

from functools import cache
from pathlib import Path
from unittest.mock import patch

from chalicelib import wiring
from tests.bench.capacity import Schema
from tests.bench.counting import Counting
from tests.bench.operations import Operations
from tests.bench.paired import Plan
from tests.bench.recording import Recorded, record
from tests.bench.sweep import Sweep
from tests.bench.table import Row
from tests.support import cloud
from tests.support.quiet import silence_log
from tests.support.world import open_world


def measure(plan: Plan, scratch: Path) -> tuple[list[Row], Recorded]:
    """Rows of counts, and a recording for those who measure time."""
    silence_log()
    with open_world(scratch) as clinic:
        for _ in range(plan.listed):
            clinic.refer()
        client = wiring.dynamodb()
        counting = Counting(client, _schemas())
        with patch.object(wiring, "dynamodb", cache(lambda: counting)):
            wiring.stores.cache_clear()
            rows = Operations(clinic, counting, plan.listed).measure()
            recorded = record(clinic, client, plan.listed)
            rows += Sweep(clinic, counting, plan.due).measure(plan.stored)
    return rows, recorded


def _schemas() -> dict[str, Schema]:
    tables = cloud.table_properties().items()
    return {f"{cloud.PREFIX}{name}": Schema.of(properties) for name, properties in tables}
