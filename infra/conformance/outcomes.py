"""What became of a delivery in the conformance check, and the plain words that say what was wrong."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from chalicelib.domain.referrals.events import ReferralEvent, StageChange
from chalicelib.domain.referrals.missing_steps import list_missing_steps
from chalicelib.domain.referrals.referral import Referral
from chalicelib.domain.referrals.stages import STAGE_FACTS, Stage
from chalicelib.errors import ApiError, WebhookIdReusedError
from chalicelib.routes.webhooks.delivery_reports import DeliveredReport
from chalicelib.services.referrals.report_results import ReportResult
from infra.conformance.event_inbox import EventInbox
from infra.conformance.signature_faults import SignatureFault

NOTABLE_CLOCK_OFFSET_S = 5
"""From here on, a difference between the sender's clock and ours is mentioned."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IncomingDelivery:
    """A delivery as it arrived: its headers in order, the exact bytes of its body, and when."""

    headers: tuple[tuple[str, str], ...]
    body: bytes
    received_at: datetime

    @property
    def by_name(self) -> Mapping[str, str]:
        """The headers, with names in lowercase."""
        return {name.lower(): value for name, value in self.headers}


class Verdict(StrEnum):
    """What became of a delivery."""

    APPLIED = "applied"
    RECORDED = "recorded"
    PARKED = "parked"
    DUPLICATE = "duplicate"
    REFUSED = "refused"
    UNAVAILABLE = "unavailable"
    TESTED = "tested"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a delivery, and what was wrong with it.

    Attributes:
        status: The HTTP status.
        body: The body of the response, as production sends it.
        webhook_id: The id of the delivery; empty if it has another form.
        event: The event that it reported; None if it was not read.
        stage: The stage after it; None if it is not known.
        clock_offset_s: How many seconds the sender's timestamp was behind; None if it was not read.
        fault: Why the signature was refused; None if it was not.
        problems: What is wrong, in plain words.
        notes: What is worth knowing, in plain words.
        released: The ids of parked deliveries that it made possible.
    """

    status: int
    body: str
    verdict: Verdict
    webhook_id: str
    body_hash: str
    referral_id: str = ""
    event: ReferralEvent | None = None
    stage: Stage | None = None
    clock_offset_s: int | None = None
    fault: SignatureFault | None = None
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    released: tuple[str, ...] = ()


def describe_error(error: ApiError) -> Sequence[str]:
    """Say what is wrong with a delivery; the names of fields come from the product, never from the sender."""
    if isinstance(error, WebhookIdReusedError):
        return ["This webhook-id was already used with another body. Each event needs its own ID."]
    return [f"{each.pointer}: {each.message}" for each in error.errors] or [error.detail]


def list_notes(event: ReferralEvent, report: DeliveredReport, base: Outcome) -> Sequence[str]:
    """List what is worth knowing about a reported event."""
    whole_day = ["A date without a time: it counts as the whole day at the center."] if event.is_whole_day else []
    return [*whole_day, *list_delivery_notes(report.ignored, base)]


def list_delivery_notes(ignored: tuple[str, ...], base: Outcome) -> Sequence[str]:
    """List what is worth knowing about any delivery, also a test event: its clock and its ignored fields."""
    notes = []
    if base.clock_offset_s is not None and abs(base.clock_offset_s) >= NOTABLE_CLOCK_OFFSET_S:
        direction = "behind" if base.clock_offset_s > 0 else "ahead of"
        notes.append(f"The sender's clock is {abs(base.clock_offset_s)} seconds {direction} this one.")
    if ignored:
        notes.append(f"Not known and ignored: {', '.join(ignored)}.")
    return notes


def list_awaited(inbox: EventInbox, event: ReferralEvent) -> tuple[str, ...]:
    """List the stages that an event waits for and that have not arrived."""
    arrived = {each.stage for each in inbox.parked if isinstance(each, StageChange)}
    return tuple(stage.value for stage in list_missing_steps(inbox.referral, event) if stage not in arrived)


def describe_waiting(referral: Referral, event: ReferralEvent) -> str:
    """Say which steps a parked event waits for."""
    steps = [STAGE_FACTS[stage].label for stage in list_missing_steps(referral, event)]
    return f"Waits for: {'; '.join(steps)}." if steps else "Waits for an earlier event."


def describe_recorded(event: ReferralEvent, result: ReportResult) -> str:
    """Say why an event is kept in the history and changes no status."""
    if result.contradiction:
        return "Kept in the history: an ending and a later step contradict each other. Both teams are asked."
    is_repeat = isinstance(event, StageChange) and result.stage == event.stage
    reason = "it repeats the current status" if is_repeat else "a later status is already known"
    return f"Kept in the history: {reason}."
