"""Mistakes about the coverage that the simulated year must find."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from typing import Any
from unittest.mock import patch

from chalicelib.domain.coverage import checks as check_rules
from chalicelib.domain.coverage import display
from chalicelib.services.coverage import checks
from chalicelib.services.notices import outbox_worker
from chalicelib.services.referrals import coverage_writes
from chalicelib.store.coverage.checks import CoverageChecks


@contextmanager
def _counting_past_the_end() -> Iterator[None]:
    with (
        patch.object(display, "with_elapsed_dates", lambda status, **_: status),
        patch.object(outbox_worker, "record_elapsed_dates", lambda *_, **__: False),
    ):
        yield


@contextmanager
def _asking_twice() -> Iterator[None]:
    real = CoverageChecks.prepare_lock

    def prepare_lock(store: CoverageChecks, *ids: str, now: Any, **more: Any) -> Any:
        return real(store, *ids, now=now + timedelta(days=300), **more)

    with (
        patch.object(checks, "_find_running", lambda *_, **__: None),
        patch.object(CoverageChecks, "prepare_lock", prepare_lock),
    ):
        yield


@contextmanager
def _giving_up_early() -> Iterator[None]:
    with patch.object(check_rules, "GIVE_UP_AFTER", timedelta(hours=1)):
        yield


@contextmanager
def _telling_no_one() -> Iterator[None]:
    with patch.object(coverage_writes, "build_coverage_notice_task", lambda *_, **__: None):
        yield


MISTAKES: Mapping[str, Callable[[], AbstractContextManager[None]]] = {
    "asks a payer twice at a time": _asking_twice,
    "counts a clearance past its end": _counting_past_the_end,
    "gives up while a payer is down": _giving_up_early,
    "tells no one of the coverage": _telling_no_one,
}
"""Each mistake, and what makes it."""
