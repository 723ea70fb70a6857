"""Weak reads that return an older state, as DynamoDB may: injected below the SDK.

A read of one item or a query that does not ask for consistency sometimes returns what it returned
before to the very same request. A query of an index that was never read returns nothing, like an
index that has not caught up.
"""

import copy
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Any

from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders

from tests.support.call_attempts import Answer, intercept_attempts

MAX_STALENESS = 20
"""How many writes a stale answer may lag behind. Its age is counted in writes, without a clock."""

_READS = frozenset({"GetItem", "Query"})
_WRITES = frozenset({"PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems", "BatchWriteItem"})


@dataclass
class WeakReadLog:
    """What weak reads returned, and how often that was out of date.

    Attributes:
        share: The part of the weak reads that may be stale.
        caught_up: The indexes that never lag.
        even_strong: Whether reads that ask for consistency are weak too, as in a product
            that forgot to ask.
        weak: How many weak reads there were.
        stale: How many of them returned something else than the truth.
    """

    share: float
    drawn: Random
    caught_up: frozenset[str] = frozenset()
    even_strong: bool = False
    weak: int = 0
    stale: int = 0
    _writes: int = 0
    _known: dict[tuple[str, str], list[tuple[int, Any]]] = field(default_factory=dict)

    def answer(self, operation: str, request: Any, truth: Any) -> Any:
        """Return the answer to a request whose true answer is known."""
        if operation in _WRITES:
            self._writes += 1
        if operation not in _READS or not _came(truth):
            return truth
        parameters = json.loads(request.body)
        if self._is_strong(parameters):
            return truth
        self.weak += 1
        result = self._drawn_from(self._earlier(operation, parameters, request), truth)
        self.stale += _rows(result) != _rows(truth)
        return result

    def _is_strong(self, parameters: Any) -> bool:
        if parameters.get("ConsistentRead"):
            return not self.even_strong
        return parameters.get("IndexName") in self.caught_up

    def _earlier(self, operation: str, parameters: Any, request: Any) -> list[tuple[int, Any]]:
        """Return the earlier answers to the same request with their times; the caller adds to this list."""
        key = operation, json.dumps(parameters, sort_keys=True)
        if key not in self._known:
            never = [(self._writes, _nothing(request))] if "IndexName" in parameters else []
            self._known[key] = never
        return self._known[key]

    def _drawn_from(self, earlier: list[tuple[int, Any]], truth: Any) -> Any:
        young = [answer for at, answer in earlier if self._writes - at <= MAX_STALENESS]
        earlier.append((self._writes, copy.deepcopy(truth)))
        if not young or self.drawn.random() >= self.share:
            return truth
        return copy.deepcopy(self.drawn.choice(young))


@contextmanager
def make_reads_stale(
    share: float, *, seed: int | str = 1, caught_up: frozenset[str] = frozenset(), even_strong: bool = False
) -> Iterator[WeakReadLog]:
    """Make a share of the weak reads stale. The same seed makes the same ones stale again."""
    drawn = Random(seed)  # noqa: S311 it is to be repeated
    reads = WeakReadLog(share, drawn, caught_up, even_strong)

    def answer(request: Any, operation: str, send: Callable[[], Answer]) -> Answer:
        truth = send()
        return reads.answer(operation, request, truth)

    with intercept_attempts(answer):
        yield reads


def _came(answer: Any) -> bool:
    """Whether it is an answer and not an error."""
    success, _error = answer
    return success is not None and success[0].status_code < 300


def _rows(answer: Any) -> Any:
    _response, parsed = answer[0]
    return parsed.get("Items", parsed.get("Item"))


def _nothing(request: Any) -> Any:
    parsed = {"Items": [], "Count": 0, "ScannedCount": 0}
    parsed["ResponseMetadata"] = {"HTTPStatusCode": 200, "HTTPHeaders": {}}
    return (AWSResponse(request.url, 200, HTTPHeaders(), None), parsed), None
