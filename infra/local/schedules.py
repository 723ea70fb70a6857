"""Runs the product's schedules and event functions with EventBridge rules of the local cloud.

Each `@app.schedule` and `@app.on_cw_event` gets a rule whose target is a queue. This module passes each
message of the queue to the handler. The local cloud evaluates the schedule expression or the pattern, as
EventBridge does in production. The functions without Chalice, such as the check of files, are passed to it.

As in Lambda with a reserved concurrency of one, two runs of a schedule never overlap, because the next
run waits. Also as in Lambda, a failed run is retried twice, a minute apart, and then given up.
"""

import json
import logging
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.session import get_session
from chalice import Chalice
from chalice.app import CloudWatchEventConfig, ScheduledEventConfig

from infra.local.functions import LambdaContext, get_time_limit_s

log = logging.getLogger(__name__)

PREFIX = "cart-local-"
MAX_ATTEMPTS = 3
RETRY_AFTER_S = 60
POLL_S = 10

_EVENT = {
    "version": "0",
    "id": "00000000-0000-0000-0000-000000000000",
    "detail-type": "Scheduled Event",
    "source": "aws.events",
    "account": "000000000000",
    "region": "us-east-1",
    "resources": [],
    "detail": {},
}

Handler = Callable[[dict[str, Any], Any], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFunction:
    """A function that an event starts, and that Chalice does not know.

    Attributes:
        pattern: Which events start it.
        time_limit_s: How long a run may take.
    """

    name: str
    pattern: dict[str, Any]
    handler: Handler
    time_limit_s: float


@dataclass(slots=True)
class ScheduleRunner:
    """Runs the schedules and event functions of an application, and other functions."""

    app: Chalice
    endpoint: str
    others: tuple[EventFunction, ...] = ()
    stopping: threading.Event = field(default_factory=threading.Event)
    _queues: dict[str, str] = field(default_factory=dict)
    _busy: set[str] = field(default_factory=set)
    _idle: threading.Condition = field(default_factory=threading.Condition)

    def start(self) -> None:
        """Create the rules, delete the rules of removed schedules, and start to listen."""
        declared = {name: {"ScheduleExpression": expression} for name, expression in list_schedules(self.app)}
        patterns = [*list_event_functions(self.app), *((other.name, other.pattern) for other in self.others)]
        declared |= {name: {"EventPattern": json.dumps(pattern)} for name, pattern in patterns}
        self._delete_other_rules(set(declared))
        for name, trigger in declared.items():
            self._queues[name] = queue = self._create_rule(name, trigger)
            threading.Thread(target=self._listen, args=(name, queue), daemon=True).start()

    def fire(self, name: str) -> None:
        """Run a schedule now, as its rule would."""
        event = _EVENT | {"time": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")}
        self._create_client("sqs").send_message(QueueUrl=self._queues[name], MessageBody=json.dumps(event))

    def stop(self) -> None:
        """Start no more runs, and wait for the current runs."""
        self.stopping.set()
        with self._idle:
            self._idle.wait_for(lambda: not self._busy, max(map(self._get_time_limit_s, self._busy), default=0))

    def _find_other(self, name: str) -> EventFunction | None:
        return next((other for other in self.others if other.name == name), None)

    def _get_time_limit_s(self, name: str) -> float:
        other = self._find_other(name)
        return other.time_limit_s if other else get_time_limit_s(name)

    def _create_client(self, service: str) -> Any:
        # Receiving from a queue waits for POLL_S, so the read timeout must be longer.
        config = Config(read_timeout=POLL_S + 10, retries={"mode": "standard"})
        return get_session().create_client(service, endpoint_url=self.endpoint, config=config)

    def _delete_other_rules(self, declared: set[str]) -> None:
        events = self._create_client("events")
        for rule in events.list_rules(NamePrefix=PREFIX)["Rules"]:
            if rule["Name"].removeprefix(PREFIX) not in declared:
                events.remove_targets(Rule=rule["Name"], Ids=["queue"])
                events.delete_rule(Name=rule["Name"])

    def _create_rule(self, name: str, trigger: dict[str, str]) -> str:
        """Create the rule and its queue, and return the queue's URL."""
        queues, events = self._create_client("sqs"), self._create_client("events")
        url = str(queues.create_queue(QueueName=PREFIX + name)["QueueUrl"])
        attributes = queues.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        arn = attributes["Attributes"]["QueueArn"]
        events.put_rule(Name=PREFIX + name, State="ENABLED", **trigger)
        events.put_targets(Rule=PREFIX + name, Targets=[{"Id": "queue", "Arn": arn}])
        return url

    def _listen(self, name: str, queue: str) -> None:
        queues = self._create_client("sqs")
        while not self.stopping.is_set():
            try:
                for message in _receive(queues, queue, hidden_for_s=self._get_time_limit_s(name) + 30):
                    self._run(name, message, _MessageHandle(queues, queue, message["ReceiptHandle"]))
            except (BotoCoreError, ClientError):
                # The cloud is stopping, or the laptop has just woken up.
                self.stopping.wait(1)

    def _run(self, name: str, message: dict[str, Any], handle: "_MessageHandle") -> None:
        with self._idle:
            if self.stopping.is_set():
                return
            self._busy.add(name)
        try:
            if self._run_successfully(name, json.loads(message["Body"])) or _was_last_attempt(message):
                handle.delete()
            else:
                handle.retry_later()
        finally:
            with self._idle:
                self._busy.discard(name)
                self._idle.notify_all()

    def _run_successfully(self, name: str, event: dict[str, Any]) -> bool:
        other = self._find_other(name)
        handler: Handler = other.handler if other else self.app.handler_map[name]
        started = time.monotonic()
        try:
            handler(event, LambdaContext(function_name=name))
        except Exception:
            log.exception("The function %s failed", name)
            return False
        log.info("The function %s took %.2f s", name, time.monotonic() - started)
        return True


def list_schedules(app: Chalice) -> Iterator[tuple[str, str]]:
    """List the name and the expression of each schedule that the application declares."""
    for source in app.event_sources:
        if isinstance(source, ScheduledEventConfig):
            expression = source.schedule_expression
            yield source.name, expression if isinstance(expression, str) else expression.to_string()


def list_event_functions(app: Chalice) -> Iterator[tuple[str, dict[str, Any]]]:
    """List the name and the event pattern of each event function that the application declares."""
    for source in app.event_sources:
        if isinstance(source, CloudWatchEventConfig):
            yield source.name, source.event_pattern


@dataclass(frozen=True, slots=True)
class _MessageHandle:
    """A received message, which can be deleted or returned to its queue."""

    queues: Any
    queue: str
    handle: str

    def delete(self) -> None:
        self.queues.delete_message(QueueUrl=self.queue, ReceiptHandle=self.handle)

    def retry_later(self) -> None:
        self.queues.change_message_visibility(
            QueueUrl=self.queue, ReceiptHandle=self.handle, VisibilityTimeout=RETRY_AFTER_S
        )


def _receive(queues: Any, queue: str, *, hidden_for_s: float) -> list[dict[str, Any]]:
    response = queues.receive_message(
        QueueUrl=queue,
        MaxNumberOfMessages=1,
        VisibilityTimeout=int(hidden_for_s),
        WaitTimeSeconds=POLL_S,
        MessageSystemAttributeNames=["ApproximateReceiveCount"],
    )
    messages: list[dict[str, Any]] = response.get("Messages", [])
    return messages


def _was_last_attempt(message: dict[str, Any]) -> bool:
    return int(message.get("Attributes", {}).get("ApproximateReceiveCount", 1)) >= MAX_ATTEMPTS
