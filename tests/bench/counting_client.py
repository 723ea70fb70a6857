"""A DynamoDB client that counts its calls and capacity units."""

import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from tests.bench.capacity import Attributes, Schema, compute_item_bytes, compute_read_units, compute_write_units

READS = frozenset({"batch_get_item", "get_item", "query"})
WRITES = frozenset({"put_item", "transact_write_items", "update_item"})


@dataclass(slots=True)
class OperationTally:
    """The cost of an operation. `written` counts items that changed."""

    calls: Counter[str] = field(default_factory=Counter)
    read_units: float = 0
    write_units: int = 0
    written: int = 0


@dataclass(slots=True)
class CountingClient:
    """Passes every call to `client`, and counts in `tally`.

    `client` reads the items before and after a write, uncounted.

    Attributes:
        seconds: CPU time of this thread for the calls, and for counting them.
    """

    client: Any
    schemas: Mapping[str, Schema]
    tally: OperationTally = field(default_factory=OperationTally)
    seconds: float = 0

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self.client, name)
        if name in READS:
            return partial(self._timed, self._reading, name, attribute)
        if name in WRITES:
            return partial(self._timed, self._writing, name, attribute)
        return attribute

    def counted(self, operation: Callable[[], object]) -> OperationTally:
        """Return the cost of `operation`, and nothing of what comes after it."""
        self.tally = tally = OperationTally()
        operation()
        self.tally = OperationTally()
        return tally

    def _timed(self, counting: Callable[..., Any], name: str, call: Callable[..., Any], **request: Any) -> Any:
        began = time.thread_time()
        try:
            return counting(name, call, **request)
        finally:
            self.seconds += time.thread_time() - began

    def _reading(self, name: str, call: Callable[..., Any], **request: Any) -> Any:
        answer = call(**request)
        self.tally.calls[name] += 1
        self.tally.read_units += _READERS[name](request, self._without_filter(request) or answer)
        return answer

    def _without_filter(self, request: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """Read again, uncounted, what a filter leaves out: it was read, and has to be paid for."""
        if "FilterExpression" not in request:
            return None
        plain = {name: value for name, value in request.items() if name != "FilterExpression"}
        used = f"{plain['KeyConditionExpression']} {plain.get('ProjectionExpression', '')}"
        for names in ("ExpressionAttributeValues", "ExpressionAttributeNames"):
            plain[names] = {key: value for key, value in plain.get(names, {}).items() if key in used}
        answer: Mapping[str, Any] = self.client.query(**{name: value for name, value in plain.items() if value})
        return answer

    def _writing(self, name: str, call: Callable[..., Any], **request: Any) -> Any:
        transaction = name == "transact_write_items"
        writes = [next(iter(each.values())) for each in request["TransactItems"]] if transaction else [request]
        before = [self._found(write) for write in writes]
        try:
            return call(**request)
        finally:
            self.tally.calls[name] += 1
            for write, old in zip(writes, before, strict=True):
                self._charge(write, old, transaction=transaction)

    def _charge(self, write: Mapping[str, Any], old: Attributes | None, *, transaction: bool) -> None:
        new, schema = self._found(write), self.schemas[write["TableName"]]
        self.tally.write_units += compute_write_units(old, new, schema, transaction=transaction)
        self.tally.written += old != new

    def _found(self, write: Mapping[str, Any]) -> Attributes | None:
        table = write["TableName"]
        key = write.get("Key") or self.schemas[table].key_of(write["Item"])
        found: Attributes | None = self.client.get_item(TableName=table, Key=key, ConsistentRead=True).get("Item")
        return found


def _got(request: Mapping[str, Any], answer: Mapping[str, Any]) -> float:
    return compute_read_units([compute_item_bytes(answer.get("Item"))], strong=request["ConsistentRead"])


def _queried(request: Mapping[str, Any], answer: Mapping[str, Any]) -> float:
    sizes = map(compute_item_bytes, answer["Items"])
    return compute_read_units(sizes, strong=request.get("ConsistentRead", False))


def _got_many(request: Mapping[str, Any], answer: Mapping[str, Any]) -> float:
    """Each item is rounded up by itself."""
    units = 0.0
    for table, asked in request["RequestItems"].items():
        found = answer["Responses"].get(table, ())
        sizes = [compute_item_bytes(item) for item in found] + [0] * (len(asked["Keys"]) - len(found))
        units += sum(compute_read_units([size], strong=asked["ConsistentRead"]) for size in sizes)
    return units


_READERS: Mapping[str, Callable[[Mapping[str, Any], Mapping[str, Any]], float]] = {
    "batch_get_item": _got_many,
    "get_item": _got,
    "query": _queried,
}
