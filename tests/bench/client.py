"""CPU of calling DynamoDB over HTTP, with a stub that has every response ready.

Only this process is charged, not the stub. There is no TLS: it costs every client the same.
"""

import os
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import boto3
import botocore

from app import app
from chalicelib import clients
from tests.bench.baseline_handlers import BaselineHandlers
from tests.bench.paired import MeasurePlan, PairedRounds, measure_in_turns
from tests.bench.raw_dynamodb import RawDynamoDB
from tests.bench.recording import RecordedRequests, replay_requests
from tests.bench.stub import run_stub
from tests.bench.table import MetricRow, build_ratio_row
from tests.bench.warm import NAMES, require_success
from tests.support.api_client import FakeLambdaContext
from tests.support.certificates import TestAuthority
from tests.support.log_capture import discard_logs

_WRITES = 4
_FEWER = 5
"""A call over HTTP takes at least that much longer than one in memory."""

_REQUESTS = {
    "submit": (7, "usual 19x, lean design 5x"),
    "page": (5, "usual 97x, lean design 5x"),
    "webhook": (7, "usual 36x, lean design 7x"),
}
"""Targets and peers."""

Cases = Mapping[str, Callable[[], Any]]


def measure(plan: MeasurePlan, recorded: RecordedRequests) -> list[MetricRow]:
    """Measure our client against the stock one and a raw call, then whole requests against a floor."""
    with run_stub(recorded.answers) as port:
        endpoint = {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}"}
        with patch.dict(os.environ, {**recorded.environment, **endpoint}):
            ours, stock = clients.create_dynamodb_client(), boto3.client("dynamodb")
        raw = RawDynamoDB(port)
        rows = [*_clients(plan, recorded, ours, stock, raw), *_requests(plan, recorded, ours, raw)]
    return [*rows, _measure_tls(plan, recorded)]


def _measure_tls(plan: MeasurePlan, recorded: RecordedRequests) -> MetricRow:
    """Measure a call over a new connection with TLS, with all the authorities that botocore trusts."""
    authority = TestAuthority()
    with tempfile.TemporaryDirectory() as folder:
        trusted, certificate = Path(folder, "trusted.pem"), Path(folder, "stub.pem")
        trusted.write_bytes(Path(botocore.__file__).with_name("cacert.pem").read_bytes() + authority.pem.encode())
        certificate.write_text("".join(authority.issue("stub")))
        with run_stub(recorded.answers, certificate=certificate) as port:
            endpoint = {"AWS_ENDPOINT_URL": f"https://127.0.0.1:{port}", "AWS_CA_BUNDLE": str(trusted)}
            with patch.dict(os.environ, {**recorded.environment, **endpoint}):
                ours: Any = clients.create_dynamodb_client()
                stock = boto3.client("dynamodb")
                used = _in_turns(
                    {
                        "ours": partial(_call_over_new_connection, ours.query, ours.close, recorded),
                        "stock": partial(_call_over_new_connection, stock.query, stock.close, recorded),
                    },
                    plan,
                )
    return _row("client CPU, a call over a new TLS connection / boto3 client", used["ours"], used["stock"])


def _call_over_new_connection(
    query: Callable[..., Any], close: Callable[[], object], recorded: RecordedRequests
) -> None:
    query(**recorded.page_query)
    close()


def _clients(plan: MeasurePlan, recorded: RecordedRequests, ours: Any, stock: Any, raw: RawDynamoDB) -> list[MetricRow]:
    page, writes = recorded.page_query, {"TransactItems": recorded.transaction[:_WRITES]}
    used = _in_turns(
        {
            "page": partial(ours.query, **page),
            "stock page": partial(stock.query, **page),
            "raw page": partial(raw.call, "Query", page),
            "writes": partial(ours.transact_write_items, **writes),
            "stock writes": partial(stock.transact_write_items, **writes),
            "raw writes": partial(raw.call, "TransactWriteItems", writes),
        },
        plan,
    )
    pages, transactions = f"Query of {plan.listed} rows", f"transaction of {_WRITES}"
    return [
        _row(f"client CPU, {pages} / boto3 client", used["page"], used["stock page"]),
        _row(f"client CPU, {pages} / raw call", used["page"], used["raw page"], limit=5, peers="boto3 15x"),
        _row(f"client CPU, {transactions} / boto3 client", used["writes"], used["stock writes"]),
        _row(f"client CPU, {transactions} / raw call", used["writes"], used["raw writes"], 7, "boto3 6x"),
    ]


def _requests(plan: MeasurePlan, recorded: RecordedRequests, ours: Any, raw: RawDynamoDB) -> list[MetricRow]:
    bare = BaselineHandlers(recorded, raw)
    with replay_requests(recorded, ours):
        discard_logs()
        events = recorded.fresh_events()
        cases: dict[str, Callable[[], Any]] = {}
        for name in _REQUESTS:
            cases[name] = partial(app, events[name], FakeLambdaContext())
            cases[f"floor {name}"] = partial(getattr(bare, name), events[name])
            require_success(cases[name](), cases[f"floor {name}"]())
        used = _in_turns(cases, plan)
    return [
        _row(f"request CPU, {NAMES[name]} / floor", used[name], used[f"floor {name}"], *aim)
        for name, aim in _REQUESTS.items()
    ]


def _row(
    metric: str, ours: Sequence[float], theirs: Sequence[float], limit: float | None = None, peers: str = ""
) -> MetricRow:
    detail = f" ({PairedRounds(ours).median:.0f} us)"
    ratio = PairedRounds.ratios(ours, theirs)
    return build_ratio_row(metric, ratio, limit=limit, detail=detail, peers=peers, digits=2)


def _in_turns(cases: Cases, plan: MeasurePlan) -> Mapping[str, Sequence[float]]:
    """Return the microseconds of CPU per call, round by round."""
    calls = max(1, plan.calls // _FEWER)
    return measure_in_turns({name: partial(_micros, case, calls) for name, case in cases.items()}, rounds=plan.rounds)


def _micros(call: Callable[[], object], calls: int) -> float:
    started = time.process_time_ns()
    for _ in range(calls):
        call()
    return (time.process_time_ns() - started) / calls / 1000
