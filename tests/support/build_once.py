"""What is built for tests from the whole product, once for all workers of a run."""

import fcntl
from collections.abc import Callable
from pathlib import Path

import pytest

from infra import bundle


def build_once(
    tmp_path_factory: pytest.TempPathFactory, worker_id: str, name: str, build: Callable[[Path], None]
) -> Path:
    """Return a folder that `build` has written. Other workers wait for the first one."""
    base = tmp_path_factory.getbasetemp()
    out = (base if worker_id == "master" else base.parent) / name
    with out.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (out / bundle.TEMPLATE).exists():
            out.mkdir(exist_ok=True)
            build(out)
    return out
