"""Checks a file of recorded deliveries, line by line. docs/conformance.md describes the format."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pydantic import TypeAdapter, ValidationError

from chalicelib.domain.referrals.event_path import CLOCK_DIFFERENCE
from chalicelib.errors import ApiError
from chalicelib.routes.platform.fields import Timestamp
from chalicelib.routes.webhooks.delivery_reports import parse_report, read_signature_header
from infra.conformance.outcomes import IncomingDelivery, Outcome
from infra.conformance.receiver import ConformanceReceiver

_TIMESTAMP: TypeAdapter[datetime] = TypeAdapter(Timestamp)

CENTER_ID = "ctr_conformance"
"""The center of a file. Nothing that is checked depends on it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedLine:
    """A line of the file, and what is wrong with it.

    Attributes:
        number: The line number, from 1.
        result: What becomes of the delivery; `unreadable` if the line has another format.
        webhook_id: Empty if it was not read.
    """

    number: int
    result: str
    webhook_id: str = ""
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedReport:
    """What is wrong in a file.

    Attributes:
        missing_updates: For each referral, the sequence numbers that are missing.
    """

    lines: Sequence[FeedLine]
    missing_updates: Mapping[str, Sequence[int]]

    @property
    def counts(self) -> Mapping[str, int]:
        """How many deliveries have each result."""
        return Counter(line.result for line in self.lines)

    @property
    def has_problems(self) -> bool:
        """Whether something is wrong."""
        return bool(self.missing_updates) or any(line.problems for line in self.lines)


class _UnreadableLineError(Exception):
    """The line has another format. The message says which."""


def check_feed(lines: Iterable[bytes], *, secrets: Sequence[bytes], time_zone: str, now: datetime) -> FeedReport:
    """Check the deliveries of a file in its order.

    A referral counts as submitted a day before the first event about it in the file.

    Args:
        lines: The lines of the file.
        secrets: The secrets that the sender signs with; without them, signatures are not checked.
        time_zone: The center's time zone.
        now: The time of arrival of a delivery that has none.
    """
    read = [(number, _read_line(line, now=now)) for number, line in enumerate(lines, 1) if line.strip()]
    incoming = [each for _, each in read if isinstance(each, IncomingDelivery)]
    submissions = _find_submissions(incoming, time_zone=time_zone)
    receiver = ConformanceReceiver(
        center_id=CENTER_ID, secrets=secrets, time_zone=time_zone, find_submission=submissions.get
    )
    results = [(n, receiver.receive(each) if isinstance(each, IncomingDelivery) else each) for n, each in read]
    waiting = receiver.describe_parked()
    return FeedReport(
        lines=[_build_line(number, result, waiting) for number, result in results],
        missing_updates={
            referral_id: inbox.referral.status.feed.missing
            for referral_id, inbox in receiver.inboxes.items()
            if inbox.referral.status.feed.missing
        },
    )


def _build_line(number: int, result: Outcome | str, waiting: Mapping[str, str]) -> FeedLine:
    if isinstance(result, str):
        return FeedLine(number=number, result="unreadable", problems=(result,))
    problems = result.problems
    if result.verdict == "parked" and result.webhook_id in waiting:
        problems = (*problems, f"The event never applied. {waiting[result.webhook_id]}")
    notes = tuple(note for note in result.notes if not note.startswith("Waits for"))
    return FeedLine(
        number=number, result=result.verdict.value, webhook_id=result.webhook_id, problems=problems, notes=notes
    )


def _read_line(line: bytes, *, now: datetime) -> IncomingDelivery | str:
    """Read a line, or say what is wrong with its format."""
    try:
        return _read_delivery(json.loads(line), now=now)
    except _UnreadableLineError as error:
        return str(error)
    except (ValueError, RecursionError):
        return "The line is not JSON in UTF-8."


def _read_delivery(value: Any, *, now: datetime) -> IncomingDelivery:
    if not isinstance(value, dict):
        raise _UnreadableLineError("The line must be a JSON object with headers and body.")
    headers = tuple(_read_headers(value.get("headers")))
    body = value.get("body")
    if not isinstance(body, str):
        raise _UnreadableLineError("body must be text: the exact body that was sent, not a JSON object.")
    received_at = _read_arrival(value, dict(headers), now=now)
    return IncomingDelivery(headers=headers, body=body.encode(), received_at=received_at)


def _read_headers(value: Any) -> Iterator[tuple[str, str]]:
    """Read the headers: an object, or a list of names and values, which can have a name twice."""
    pairs = value.items() if isinstance(value, dict) else value
    is_list = isinstance(value, dict | list)
    if not is_list or not all(isinstance(pair, list | tuple) and len(pair) == 2 for pair in pairs):
        raise _UnreadableLineError("headers must be an object with the names and the values of the headers.")
    for name, text in pairs:
        if not (isinstance(name, str) and isinstance(text, str)):
            raise _UnreadableLineError("The value of a header must be text.")
        yield name.lower(), text


def _read_arrival(value: Mapping[str, Any], headers: Mapping[str, str], *, now: datetime) -> datetime:
    """Read when the delivery arrived. Without it, the sender's own timestamp counts, and its age is not checked."""
    if value.get("received_at") is None:
        timestamp = read_signature_header(headers, "timestamp")
        is_seconds = timestamp.isascii() and timestamp.isdigit() and len(timestamp) == 10
        return datetime.fromtimestamp(int(timestamp), UTC) if is_seconds else now
    try:
        return _TIMESTAMP.validate_json(json.dumps(str(value["received_at"])))
    except ValidationError:
        raise _UnreadableLineError("received_at must be a time with an offset, such as 2026-10-10T15:00:00Z.") from None


def _find_submissions(deliveries: Sequence[IncomingDelivery], *, time_zone: str) -> Mapping[str, datetime]:
    """Find when each referral was submitted at the latest: a day before the first event about it."""
    found: dict[str, datetime] = {}
    for delivery in deliveries:
        try:
            report = parse_report(delivery.body, get_time_zone=lambda: time_zone)
        except ApiError:
            continue
        replacement = getattr(report.request.data, "replacement", None)
        times = [report.request.occurred_at, *([replacement.occurred_at] if replacement else [])]
        earliest = min(times) - CLOCK_DIFFERENCE
        found[report.referral_id] = min(found.get(report.referral_id, earliest), earliest)
    return found
