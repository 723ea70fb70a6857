"""The tables in this process, for what has to be counted or recorded."""

from functools import cache
from pathlib import Path
from unittest.mock import patch

from chalicelib import wiring
from tests.bench.capacity import Schema
from tests.bench.counting_client import CountingClient
from tests.bench.operations import Operations
from tests.bench.paired import MeasurePlan
from tests.bench.recording import RecordedRequests, record
from tests.bench.sweep import NoticeSweep
from tests.bench.table import MetricRow
from tests.support import aws_fakes as cloud
from tests.support.log_capture import discard_logs
from tests.support.shared_clinic import open_shared_clinic


def measure(plan: MeasurePlan, scratch: Path) -> tuple[list[MetricRow], RecordedRequests]:
    """Return rows of counts, and a recording for the parts that measure time."""
    discard_logs()
    with open_shared_clinic(scratch) as clinic:
        for number in range(plan.listed):
            # Other patients: the same one again and again would make the search for duplicates most of a submission.
            clinic.refer(patient__family_name=f"Patient{number}", patient__mrn=f"B-{number:04}")
        client = wiring.get_dynamodb_client()
        counting = CountingClient(client, list_schemas())
        with patch.object(wiring, "get_dynamodb_client", cache(lambda: counting)):
            wiring.get_stores.cache_clear()
            rows = Operations(clinic, counting, plan.listed).measure()
            recorded = record(clinic, client, plan.listed)
            rows += NoticeSweep(clinic, counting, plan.due).measure(plan.stored)
    return rows, recorded


def list_schemas() -> dict[str, Schema]:
    """List the keys and indexes of each table."""
    tables = cloud.load_table_properties().items()
    return {f"{cloud.PREFIX}{name}": Schema.of(properties) for name, properties in tables}
