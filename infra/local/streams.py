"""Passes new rows of a table's stream to the product's functions, as Lambda would.

The rows arrive in order, new rows only, one batch at a time. A failed batch is retried at once and then
dropped, whereas Lambda would split it first. The product's relay job finds the rows of a dropped batch.
It also finds the rows that are lost in a restart, because the local cloud keeps its streams in memory.
"""

import logging
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from botocore.session import get_session
from chalice import Chalice
from chalice.app import DynamoDBEventConfig

from infra.local.functions import LambdaContext, get_time_limit_s

log = logging.getLogger(__name__)

POLL_S = 0.25
MAX_ATTEMPTS = 3

EVENT_NAME = "INSERT"
"""The filter of the function's event source in `infra/resources.json` has the same value."""


@dataclass(slots=True)
class StreamRunner:
    """Follows the streams of an application. A source names its table without the prefix."""

    app: Chalice
    endpoint: str
    table_prefix: str
    stopping: threading.Event = field(default_factory=threading.Event)
    _followers: list[tuple[str, threading.Thread]] = field(default_factory=list)

    def start(self) -> None:
        """Follow each stream from its oldest record. The functions ignore tasks that are already done."""
        for source in list_stream_sources(self.app):
            follower = threading.Thread(target=self._follow, args=(source,), daemon=True)
            self._followers.append((source.name, follower))
            follower.start()

    def stop(self) -> None:
        """Pass on no more rows, and wait for the current runs."""
        self.stopping.set()
        for name, follower in self._followers:
            follower.join(get_time_limit_s(name))

    def _create_client(self, service: str) -> Any:
        return get_session().create_client(service, endpoint_url=self.endpoint)

    def _follow(self, source: DynamoDBEventConfig) -> None:
        while not self.stopping.is_set():
            try:
                for records in self._iterate_batches(source):
                    self._deliver(source.name, records)
            except (BotoCoreError, ClientError):
                # The cloud is stopping, or the laptop slept for longer than an iterator is valid.
                self.stopping.wait(1)

    def _iterate_batches(self, source: DynamoDBEventConfig) -> Iterator[list[dict[str, Any]]]:
        """Yield batches of new rows until the runner stops."""
        streams = self._create_client("dynamodbstreams")
        arn = self._find_stream(self.table_prefix + source.stream_arn)
        # The local cloud does not split streams. There is one shard, and it never ends.
        [shard] = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
        iterator = streams.get_shard_iterator(
            StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType=source.starting_position
        )["ShardIterator"]
        while not self.stopping.is_set():
            response = streams.get_records(ShardIterator=iterator, Limit=source.batch_size)
            iterator = response["NextShardIterator"]
            records = [_to_lambda_record(r, arn) for r in response["Records"] if r["eventName"] == EVENT_NAME]
            if records:
                yield records
            if not response["Records"]:
                self.stopping.wait(POLL_S)

    def _find_stream(self, table: str) -> str:
        return str(self._create_client("dynamodb").describe_table(TableName=table)["Table"]["LatestStreamArn"])

    def _deliver(self, name: str, records: list[dict[str, Any]]) -> None:
        for _ in range(MAX_ATTEMPTS):
            if self.stopping.is_set() or self._run_successfully(name, records):
                return

    def _run_successfully(self, name: str, records: list[dict[str, Any]]) -> bool:
        started = time.monotonic()
        try:
            self.app.handler_map[name]({"Records": records}, LambdaContext(function_name=name))
        except Exception:
            log.exception("The function %s failed on %d records", name, len(records))
            return False
        log.info("The function %s took %.2f s", name, time.monotonic() - started)
        return True


def list_stream_sources(app: Chalice) -> Iterator[DynamoDBEventConfig]:
    """List the streams for which the application declares functions."""
    return (source for source in app.event_sources if isinstance(source, DynamoDBEventConfig))


def _to_lambda_record(record: dict[str, Any], arn: str) -> dict[str, Any]:
    change = dict(record["dynamodb"])
    created = change.get("ApproximateCreationDateTime")
    if isinstance(created, datetime):
        change["ApproximateCreationDateTime"] = created.timestamp()
    return {**record, "dynamodb": change, "eventSourceARN": arn}
