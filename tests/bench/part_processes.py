"""Runs each part in its own process, so that none carries what another one imported."""

import importlib
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any


def measure_in_process(part: str, *arguments: object) -> Any:
    """Return what `measure` of a module of this package returns, in a new process."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        return process.submit(_measure, part, arguments).result()


def _measure(part: str, arguments: tuple[object, ...]) -> Any:
    return importlib.import_module(f"tests.bench.{part}").measure(*arguments)
