"""A cold start's CPU, until it is ready and with its first request, compared with creating a plain boto3 client.

The same requests are measured in the two usual ways to build such an API (`tests/bench/peers`), which do less.

Each case is its own process, pinned to one core and charged by the kernel (user and system time),
less what the bare interpreter costs. It ends without tearing anything down, like a function that
goes on to serve.
"""

import base64
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from unittest.mock import patch
from urllib.request import urlopen

from tests.bench import bundle
from tests.bench.paired import MeasurePlan, PairedRounds, measure_in_turns
from tests.bench.recording import RecordedRequests
from tests.bench.stub import run_stub
from tests.bench.table import MetricRow, build_ratio_row, check_limit

_IMPORT = "import app"
_READY = "import app; from chalicelib import wiring; wiring.warm_up(); wiring.load_ahead()"
_REQUEST = (
    _READY
    + """
import json
with open({path!r}) as event:
    answer = app.app(json.load(event), None)
if answer["statusCode"] >= 300:
    raise ValueError(answer)"""
)
_PEERS = {"usual_chalice": "Chalice", "usual_fastapi": "FastAPI"}
"""The modules of the peers, and their names in the table."""

_PEER_READY = "from tests.bench.peers import {peer} as peer"
_PEER_REQUEST = (
    _PEER_READY
    + """
import json
from types import SimpleNamespace
with open({path!r}) as event:
    names = ("function_name", "memory_limit_in_mb", "invoked_function_arn", "aws_request_id")
    answer = peer.handle(json.load(event), SimpleNamespace(**dict.fromkeys(names, "peer")))
if answer["statusCode"] >= 300:
    raise ValueError(answer)"""
)

_ANCHOR = 'import boto3; boto3.client("dynamodb")'
_END = "\nimport os; os._exit(0)"

_FIRST_REQUESTS = {"page": ("list", 1.2), "submit": ("submit", 1.3), "webhook": ("webhook", 1.3)}
"""The requests whose first one is measured: their names in the table, and their targets."""

_UNLESS_BUNDLED = " of the source tree (no bundle here)"


@dataclass(frozen=True, slots=True)
class Interpreter:
    """A Python that finds its modules in one place."""

    flags: tuple[str, ...]
    environment: Mapping[str, str]

    def cpu_s(self, statement: str, *, writes_bytecode: bool = False) -> float:
        """Return what a new process pays to run a statement."""
        flags = self.flags if writes_bytecode else ("-B", *self.flags)
        program = [sys.executable, *flags, "-P", "-c", statement + _END]
        process = os.posix_spawn(sys.executable, program, dict(self.environment))
        _, status, used = os.wait4(process, 0)
        if status:
            raise RuntimeError(f"failed: {statement}")
        return used.ru_utime + used.ru_stime


def measure(plan: MeasurePlan, scratch: Path, recorded: RecordedRequests) -> list[MetricRow]:
    """Measure cold starts, and the size of what starts."""
    with urlopen(recorded.environment["IDENTITY_JWKS_URL"]) as document:
        jwks = document.read()
    with run_stub(recorded.answers, recorded.plaintexts, jwks) as port:
        stub = f"http://127.0.0.1:{port}"
        with patch.dict(os.environ, AWS_ENDPOINT_URL=stub, IDENTITY_JWKS_URL=f"{stub}/jwks.json", CALL_THREADS=""):
            return _measure_with_stub(plan, scratch, recorded)


def _measure_with_stub(plan: MeasurePlan, scratch: Path, recorded: RecordedRequests) -> list[MetricRow]:
    found = bundle.find_or_build_bundle(may_build=not plan.quick)
    # Our own bytecode folder, so that the reference has its bytecode on any machine.
    compiled = str(scratch / "pyc")
    tree = Interpreter((), _environment(bundle.ROOT, PYTHONPYCACHEPREFIX=compiled))
    ours = Interpreter(("-S",), _environment(found.unpack(scratch / "task"))) if found else tree
    for statement in (_ANCHOR, _READY):
        tree.cpu_s(statement, writes_bytecode=True)
    peers = _build_peer_cases(scratch, recorded)
    cases: dict[str, Callable[[], float]] = {
        "bare": partial(tree.cpu_s, "pass"),
        "our bare": partial(ours.cpu_s, "pass"),
        "anchor": partial(tree.cpu_s, _ANCHOR),
        "import": partial(ours.cpu_s, _IMPORT),
        "ready": partial(ours.cpu_s, _READY),
        **{
            name: partial(_start_and_answer, ours, name, recorded, scratch / f"{name}.json") for name in _FIRST_REQUESTS
        },
        **{f"{peer} {name}": run for (peer, name), run in peers.items()},
    }
    with _on_one_core():
        used = measure_in_turns(cases, rounds=plan.rounds)
    anchor = _less(used["anchor"], used["bare"])
    ready = PairedRounds.ratios(_less(used["ready"], used["our bare"]), anchor)
    with_first = {name: PairedRounds.ratios(_less(used[name], used["our bare"]), anchor) for name in _FIRST_REQUESTS}
    others = {key: PairedRounds.ratios(_less(used[" ".join(key)], used["our bare"]), anchor) for key in peers}
    imported = PairedRounds.ratios(_less(used["import"], used["our bare"]), anchor)
    what = "" if found else _UNLESS_BUNDLED
    return [
        _build_row(f"cold import, ready to serve{what}", ready, 0.95, others, "ready"),
        *(
            _build_row(f"cold import, with the first {name}{what}", with_first[key], limit, others, key)
            for key, (name, limit) in _FIRST_REQUESTS.items()
        ),
        build_ratio_row(
            f"cold import, no AWS client{what} / boto3 client",
            imported,
            limit=0.6,
            digits=2,
            peers="chalice alone 0.11",
        ),
        _size(found),
    ]


def _build_row(
    metric: str, ours: PairedRounds, limit: float, others: Mapping[tuple[str, str], PairedRounds], case: str
) -> MetricRow:
    """Build a row that is missed above its limit, and above any peer."""
    found = {_PEERS[peer]: ratios.median for (peer, name), ratios in others.items() if name == case}
    peers = ", ".join(f"{name} {median:.2f}" for name, median in found.items())
    row = build_ratio_row(f"{metric} / boto3 client", ours, limit=limit, digits=2, peers=peers)
    return replace(row, missed=row.missed or any(ours.median >= median for median in found.values()))


def _build_peer_cases(scratch: Path, recorded: RecordedRequests) -> Mapping[tuple[str, str], Callable[[], float]]:
    """Build the runs of the peers, by peer and case."""
    packages = next((bundle.ROOT / ".venv-peers" / "lib").glob("python3.*/site-packages"))
    secret = base64.b64encode(recorded.secret).decode()
    usual = Interpreter(
        ("-S",),
        _environment(
            packages,
            bundle.ROOT,
            WEBHOOK_SECRET=secret,
            PYTHONPYCACHEPREFIX=str(scratch / "pyc"),
        ),
    )
    cases: dict[tuple[str, str], Callable[[], float]] = {}
    for peer in _PEERS:
        ready = _PEER_READY.format(peer=peer)
        usual.cpu_s(ready, writes_bytecode=True)
        cases[peer, "ready"] = partial(usual.cpu_s, ready)
        for name in _FIRST_REQUESTS:
            path = scratch / f"{peer} {name}.json"
            cases[peer, name] = partial(_start_and_answer, usual, name, recorded, path, _PEER_REQUEST, peer)
    return cases


def _start_and_answer(
    python: Interpreter, name: str, recorded: RecordedRequests, path: Path, statement: str = _REQUEST, peer: str = ""
) -> float:
    """Return what a new process pays until it has answered its first request."""
    # Signed now: a signature is valid for five minutes.
    path.write_text(json.dumps(recorded.fresh_events()[name]), encoding="utf-8")
    return python.cpu_s(statement.format(path=str(path), peer=peer))


def _less(used: Sequence[float], bare: Sequence[float]) -> list[float]:
    return [mine - nothing for mine, nothing in zip(used, bare, strict=True)]


def _size(found: bundle.Bundle | None) -> MetricRow:
    shipped = bundle.is_current(bundle.SHIPPED)
    measured = shipped or found
    if measured is None:
        return MetricRow(metric="bundle", found="none here: make package", target="<= 8 MiB")
    # What ships is for another processor; its extensions are about a tenth smaller.
    target, missed = check_limit(measured.mebibytes, 8 if shipped else None, " MiB")
    return MetricRow(
        metric="bundle, zip with bytecode" + ("" if shipped else ", for this processor"),
        found=f"{measured.mebibytes:.2f} MiB",
        target=target,
        peers="usual 24, boto3 alone 18",
        missed=missed,
    )


def _environment(*paths: Path, **more: str) -> dict[str, str]:
    unwanted = ("PYTHONDONTWRITEBYTECODE", "PYTHONPATH", "PYTHONPYCACHEPREFIX")
    kept = {name: value for name, value in os.environ.items() if name not in unwanted}
    return kept | {"PYTHONPATH": os.pathsep.join(map(str, paths))} | more


@contextmanager
def _on_one_core() -> Iterator[None]:
    """Keep child processes on the last of our cores, where the system can do that."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    ours = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(ours)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, ours)
