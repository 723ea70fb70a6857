"""A million rows of the outbox without the memory that an imitation of DynamoDB takes for them.

The imitations look at every row for each query of an index, and copy all of them for each
transaction. So rows that wait for years are kept next to them, in the form of an index: sorted keys.
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from chalicelib.domain.notices.tasks import TaskQueue
from chalicelib.domain.platform.ids import derive_id
from chalicelib.store.notices.outbox import compute_queue_shard
from chalicelib.store.platform.timestamps import to_timestamp

_INDEX = "due"
_KNOWN = "lane = :lane AND due_at <= :by"


@dataclass(slots=True)
class SyntheticOutbox:
    """Passes every call to `client`; a query of what is due also finds the synthetic rows.

    Attributes:
        table: The outbox.
        kept: The synthetic rows by partition of the index: when each is due, and its id.
    """

    client: Any
    table: str
    kept: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    count: int = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.client, name)

    def fill(self, count: int, *, due_at: datetime) -> None:
        """Plan a number of notices for a time."""
        at = to_timestamp(due_at)
        for number in range(self.count, self.count + count):
            outbox_id = derive_id("out", "shelf", str(number))
            self.kept.setdefault(compute_queue_shard(TaskQueue.PLAN, outbox_id), []).append((at, outbox_id))
        self.count += count
        for rows in self.kept.values():
            rows.sort()

    def query(self, **request: Any) -> Any:
        """Query; for the outbox only the query of what is due is supported."""
        answer = self.client.query(**request)
        if request["TableName"] != self.table:
            return answer
        if request.get("IndexName") != _INDEX or request["KeyConditionExpression"] != _KNOWN:
            raise ValueError("the shelf cannot answer this query")
        found = sorted(
            [*answer["Items"], *self._due(request["ExpressionAttributeValues"], request["Limit"])],
            key=lambda item: item["due_at"]["S"],
        )
        return answer | {"Items": found[: request["Limit"]]}

    def scan(self, **_request: Any) -> Any:
        """Refuse what no job may do."""
        raise ValueError("a job reads a whole table")

    def _due(self, values: Mapping[str, Any], limit: int) -> Sequence[Mapping[str, Any]]:
        """Return the first rows of a partition that are due by a time."""
        lane, by = values[":lane"]["S"], values[":by"]["S"]
        rows = self.kept.get(lane, [])
        return [
            {"outbox_id": {"S": outbox_id}, "lane": {"S": lane}, "due_at": {"S": due}}
            for due, outbox_id in rows[: min(limit, bisect_right(rows, (by, "~")))]
        ]
