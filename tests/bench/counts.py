"""The counts of a long list: without a snapshot, and with one after which some referrals changed.

The rows of the list are answered from memory, because a local imitation of DynamoDB reads every row for each query.
They are encrypted like stored ones. The processor time is that of the request without its calls.
"""

import json
import random
import time
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

from chalicelib import wiring
from chalicelib.domain.platform.copying import replace
from chalicelib.domain.referrals.referral import Referral
from chalicelib.domain.referrals.stages import Stage
from chalicelib.services.referrals import count
from chalicelib.store.platform.dynamo import marshal
from chalicelib.store.referrals.items import ReferralItems
from tests.bench.counting_client import CountingClient, OperationTally
from tests.bench.in_memory import list_schemas
from tests.bench.paired import MeasurePlan, PairedRounds
from tests.bench.table import MetricRow
from tests.support.api_driver import ApiDriver
from tests.support.log_capture import discard_logs
from tests.support.shared_clinic import open_shared_clinic

CHANGED_PER_DAY = 100
"""How many of 10,000 referrals changed since the snapshot."""

_DAYS = 700
"""The referrals changed last within so many days: one in eight of them within 90, whose changes can be unread."""

_CPU_LIMIT_MS, _READ_LIMIT = 50, 5


@dataclass(slots=True)
class LongList:
    """Passes calls to `client`, except those that read the list of a practice: the latest change comes first in it."""

    client: Any
    rows: Sequence[tuple[str, str]] = field(default_factory=list)
    """The time and the JSON of each row, the earliest change first."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self.client, name)

    def query(self, **request: Any) -> Mapping[str, Any]:
        """Answer a page of the list."""
        if request.get("IndexName") != "by_practice":
            found: Mapping[str, Any] = self.client.query(**request)
            return found
        since = request["ExpressionAttributeValues"].get(":since", {"S": ""})["S"]
        rows = [row for row in self.rows if row[0] >= since]
        if not request["ScanIndexForward"]:
            rows.reverse()
        first = int(request.get("ExclusiveStartKey", {"position": {"N": "0"}})["position"]["N"])
        end = first + request["Limit"]
        page: dict[str, Any] = {"Items": [json.loads(text) for _, text in rows[first:end]]}
        return page | ({"LastEvaluatedKey": {"position": {"N": str(end)}}} if end < len(rows) else {})


@dataclass(frozen=True, slots=True)
class CountedRequest:
    """What a request cost: its calls, and the milliseconds of its processor time without them."""

    tally: OperationTally
    own_ms: float


def measure(plan: MeasurePlan, scratch: Path) -> list[MetricRow]:
    """Measure counts of the whole list, and with a snapshot."""
    discard_logs()
    # The issuer's keys of other parts are in the folder itself.
    folder = scratch / "counts"
    folder.mkdir()
    with open_shared_clinic(folder) as clinic:
        referral = wiring.get_stores().referrals.get(clinic.refer()["referral_id"])
        if referral is None:
            raise LookupError("the referral that was just made")
        long_list = LongList(wiring.get_dynamodb_client())
        counting = CountingClient(long_list, list_schemas())
        with (
            patch.object(wiring, "get_dynamodb_client", cache(lambda: counting)),
            patch.object(count, "MIN_ROWS_OF_SNAPSHOT", plan.counted - 1),
        ):
            wiring.get_stores.cache_clear()
            now = wiring.read_clock()
            long_list.rows = sorted(_list_rows(referral, plan.counted, now))
            # A function that has never read these referrals, and has derived none of their keys.
            wiring.get_stores.cache_clear()
            whole = _count(clinic, counting)
            changed = _list_changes(long_list.rows, referral, plan.counted * CHANGED_PER_DAY // 10_000, now)
            long_list.rows = sorted(changed)
            since = [_count(clinic, counting) for _ in range(plan.rounds)]
    return _build_rows(plan, whole, since)


def _build_rows(plan: MeasurePlan, whole: CountedRequest, since: Sequence[CountedRequest]) -> list[MetricRow]:
    times, tally = PairedRounds([each.own_ms for each in since]), since[0].tally
    return [
        MetricRow(
            metric=f"counts of {plan.counted:,} referrals, the first of a day",
            found=f"{whole.own_ms:.0f} ms, {whole.tally.read_units:g} RRU + {whole.tally.write_units} WRU",
        ),
        MetricRow(
            metric=f"counts of {plan.counted:,} referrals, 1 in 100 changed since",
            found=f"{times.median:.1f} ms, {tally.read_units:g} RRU + {tally.write_units} WRU",
            spread=f"{times.spread(1)} ms",
            target=f"< {_CPU_LIMIT_MS} ms, <= {_READ_LIMIT} RRU",
            missed=times.median >= _CPU_LIMIT_MS or tally.read_units > _READ_LIMIT,
        ),
    ]


def _count(clinic: ApiDriver, counting: CountingClient) -> CountedRequest:
    counting.seconds = 0
    began = time.thread_time()
    answers: list[Any] = []
    tally = counting.counted(lambda: answers.append(clinic.practice.get("/v1/referrals/counts")))
    own = time.thread_time() - began - counting.seconds
    if answers[0].status != 200 or not answers[0].json["total"]:
        raise ValueError(f"not what is measured: {answers[0].status} {answers[0].text[:200]}")
    return CountedRequest(tally, own * 1000)


def _list_rows(referral: Referral, number: int, now: datetime) -> Iterator[tuple[str, str]]:
    drawn, stages = random.Random(1), list(Stage)  # noqa: S311 every run has the same list
    items = wiring.get_stores().referrals.items
    for n in range(number):
        at = now - timedelta(days=1) - timedelta(days=_DAYS) * drawn.random()
        changed = replace(
            referral,
            referral_id=f"ref_bench{n:017}",
            stage=drawn.choice(stages),
            stage_since=at,
            updated_at=at,
            version=drawn.randrange(2, 40),
        )
        yield _to_row(changed, items)


def _list_changes(
    rows: Sequence[tuple[str, str]], referral: Referral, number: int, now: datetime
) -> list[tuple[str, str]]:
    """The list after the last `number` referrals of it changed again, after the snapshot."""
    items, kept = wiring.get_stores().referrals.items, list(rows[:-number])
    for _, text in rows[-number:]:
        referral_id = json.loads(text)["referral_id"]["S"]
        kept.append(_to_row(replace(referral, referral_id=referral_id, updated_at=now + timedelta(minutes=1)), items))
    return kept


def _to_row(referral: Referral, items: ReferralItems) -> tuple[str, str]:
    item = items.referral_to_item(referral)
    projected = {name: item[name] for name in _PROJECTED if item.get(name) is not None}
    return item["listed_at"], json.dumps(marshal(projected), default=lambda value: b64encode(value).decode())


def _load_projected() -> frozenset[str]:
    """The attributes of the index that has the list of a practice."""
    schema = next(schema for name, schema in list_schemas().items() if name.endswith("referrals"))
    index = next(index for index in schema.indexes if index.name == "by_practice")
    return frozenset((*schema.keys, *index.keys, *(index.projected or ())))


_PROJECTED = _load_projected()
