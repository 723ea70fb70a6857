"""Calls and capacity units of what people and centers do.

Counted on tables made from the template, in this process, with the caches of a warm function:
the center directory and the data keys are loaded. Signing in is not counted; the strong read of
the member is.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from chalicelib import wiring
from tests.bench.capacity import compute_item_bytes
from tests.bench.counting_client import CountingClient, OperationTally
from tests.bench.table import MetricRow
from tests.support import aws_fakes as cloud
from tests.support import factories
from tests.support.api_client import ApiAnswer
from tests.support.api_driver import ApiDriver

_CALLS = {
    "batch_get_item": "BatchGetItem",
    "get_item": "GetItem",
    "put_item": "PutItem",
    "query": "Query",
    "transact_write_items": "TransactWriteItems",
    "update_item": "UpdateItem",
}


@dataclass(frozen=True, slots=True)
class Operations:
    """The operations, each once, through the API."""

    clinic: ApiDriver
    counting: CountingClient
    listed: int

    def measure(self) -> list[MetricRow]:
        """Return a row for each operation."""
        draft = self.clinic.refer(submit=False)["referral_id"]
        moving = self.clinic.refer()["referral_id"]
        size = self._stored_bytes(moving)
        deliver = partial(self._deliver, moving, wiring.read_clock().isoformat())
        self._warm_up()
        counted = self.counting.counted
        submit = counted(self._submit)
        amend = counted(partial(self._amend, draft))
        webhook, replay = counted(deliver), counted(deliver)
        report = counted(partial(self._report, moving))
        read = counted(partial(self._read, moving))
        page = counted(self._page)
        return [
            _row(
                f"submit, an item of {size:,} bytes",
                submit,
                target="1 read + 1 transaction, <= 16 WRU",
                peers="usual 3 calls, 13 WRU; floor 5 WRU",
                missed=_calls(submit) != {"get_item": 1, "transact_write_items": 1} or submit.write_units > 16,
            ),
            _row("amend a draft", amend),
            _row(
                "webhook, a stage change",
                webhook,
                # The secrets: a revoked one must be refused at once, also by a warm function. Then the log and the
                # referral. All three are read at the same time.
                target="<= 3 reads + 1 transaction",
                peers="usual 4 calls, 12 WRU; floor 10 WRU",
                missed=_calls(webhook) != {"get_item": 1, "query": 2, "transact_write_items": 1},
            ),
            _row(
                "webhook, replayed",
                replay,
                target="0 WRU, <= 2 RRU",
                peers="floor 0 written",
                missed=replay.write_units > 0 or replay.read_units > 2,
            ),
            _row("a person's event", report),
            _row("referral page", read),
            _row(
                f"list page of {self.listed}",
                page,
                target="1 Query, <= 4 RRU",
                peers="usual 12.5 RRU; floor 2.5",
                missed=page.calls["query"] != 1 or page.read_units > 4,
            ),
        ]

    def _warm_up(self) -> None:
        """Load keys, secrets and the directory into the caches."""
        referral_id = self.clinic.refer()["referral_id"]
        _good(self.clinic.deliver(referral_id, "received"))
        self._read(referral_id)
        self._page()

    def _stored_bytes(self, referral_id: str) -> int:
        key = {"referral_id": {"S": referral_id}, "item": {"S": "referral"}}
        found = self.counting.client.get_item(TableName=f"{cloud.PREFIX}referrals", Key=key)
        return compute_item_bytes(found["Item"])

    def _submit(self) -> None:
        _good(self.clinic.practice.post("/v1/referrals", factories.build_referral_body()))

    def _amend(self, referral_id: str) -> None:
        patch = {"urgency": "urgent"}
        _good(self.clinic.practice.patch(f"/v1/referrals/{referral_id}", patch, version=1))

    def _deliver(self, referral_id: str, at: str) -> None:
        _good(self.clinic.deliver(referral_id, "received", at=at, webhook_id="msg_bench"))

    def _report(self, referral_id: str) -> None:
        event = {"type": "stage.changed", "occurred_at": wiring.read_clock().isoformat(), "data": {"stage": "accepted"}}
        answer = self.clinic.center.post(f"/v1/referrals/{referral_id}/events", event)
        _good(answer, status="applied")

    def _read(self, referral_id: str) -> None:
        _good(self.clinic.practice.get(f"/v1/referrals/{referral_id}"))

    def _page(self) -> None:
        answer = self.clinic.practice.get(f"/v1/referrals?limit={self.listed}")
        if len(_good(answer)["items"]) != self.listed:
            raise ValueError("the page is not full")


def _good(answer: ApiAnswer, **text: str) -> Mapping[str, Any]:
    """Return the body of the expected response."""
    if answer.status >= 300 or not text.items() <= answer.json.items():
        raise ValueError(f"not what is measured: {answer.status} {answer.text[:200]}")
    return answer.json


def _calls(tally: OperationTally) -> Mapping[str, int]:
    return dict(tally.calls)


def _row(metric: str, tally: OperationTally, *, target: str = "", peers: str = "", missed: bool = False) -> MetricRow:
    return MetricRow(metric=metric, found=format_tally(tally), target=target, peers=peers, missed=missed)


def format_tally(tally: OperationTally) -> str:
    """Format a tally."""
    calls = ", ".join(_CALLS[name] + (f" x{count}" if count > 1 else "") for name, count in sorted(tally.calls.items()))
    written = f", {tally.written} written" if tally.write_units else ""
    return f"{tally.write_units} WRU + {tally.read_units:g} RRU{written}: {calls}"
