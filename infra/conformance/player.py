"""Plays a whole journey as signed deliveries, for a receiver or a proxy of a center, or for a site of this product.

Each step has the response that a correct receiver gives. The patient does not exist; the deliveries have ids, steps
and dates, and nothing else.
"""

import json
import secrets as random_source
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from chalicelib.domain.platform.ids import derive_id
from chalicelib.domain.referrals.stages import Stage
from chalicelib.domain.webhooks.signature import TOLERANCE_S, sign_delivery
from infra.conformance.checklist import STEPS_TO_INFUSED

SLOW_CLOCK = timedelta(seconds=60)
_TOO_OLD = timedelta(seconds=2 * TOLERANCE_S)
_BEFORE_NOW = timedelta(minutes=30)
"""How long ago the first step was. There are fewer steps than minutes."""

MAX_WAIT_S = 30
"""The longest pause that a receiver can ask for."""

MAX_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class Reply:
    """The response of a receiver. `answer` is the decoded JSON, or text."""

    status: int
    answer: Any
    retry_after_s: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayedStep:
    """A delivery to send, and what a correct receiver answers.

    Attributes:
        expected: The status in a response of this product; empty for a refusal.
        refusal: The HTTP status of a refusal; 0 if the delivery is right.
        clock_offset: How far behind the sender's clock is.
        is_signed_wrong: Sign with another secret.
    """

    title: str
    webhook_id: str
    body: bytes
    expected: str = ""
    refusal: int = 0
    clock_offset: timedelta = timedelta()
    is_signed_wrong: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayedResult:
    """What the receiver answered to a step, and what is wrong with it; empty if nothing is."""

    step: PlayedStep
    reply: Reply
    problem: str


@dataclass
class JourneyPlayer:
    """Sends the steps one after the other.

    Attributes:
        post: Sends a body with headers, and returns the response.
        pause: Waits for some seconds.
    """

    referral_id: str
    secret: bytes
    time_zone: str
    post: Callable[[bytes, dict[str, str]], Reply]
    read_clock: Callable[[], datetime]
    pause: Callable[[float], None]

    def play(self) -> Iterator[PlayedResult]:
        """Play the journey, and yield each step with its response."""
        self._at = self.read_clock() - _BEFORE_NOW
        event_id = ""
        for step in self._list_steps():
            reply = self._send(step)
            yield PlayedResult(step=step, reply=reply, problem=_find_problem(step, reply))
            if isinstance(reply.answer, dict):
                event_id = str(reply.answer.get("event_id") or event_id)
        yield from self._play_ending(event_id)

    def _play_ending(self, adverse_event_id: str) -> Iterator[PlayedResult]:
        """Take the adverse event back, and report a death."""
        wrong_id = adverse_event_id or derive_id("evt", "conformance")
        for step in (
            self._build(
                "correction: the adverse event was reported by mistake", "event.corrected", supersedes=wrong_id
            ),
            self._build("death", "stage.changed", stage=Stage.DECEASED.value),
        ):
            reply = self._send(step)
            yield PlayedResult(step=step, reply=reply, problem=_find_problem(step, reply))

    def _list_steps(self) -> Iterator[PlayedStep]:
        accepted, scheduled, completed, proceed, *treatment = STEPS_TO_INFUSED
        day = self._at.astimezone(ZoneInfo(self.time_zone)).date().isoformat()
        yield self._build("received, a date without a time", stage=Stage.RECEIVED.value, occurred_at=day)
        yield self._build(f"{accepted}, from a slow clock", stage=accepted.value, clock_offset=SLOW_CLOCK)
        first = self._build(scheduled.value, stage=scheduled.value)
        yield _refused(first, "a wrong signature", is_signed_wrong=True)
        yield _refused(first, "an old timestamp", clock_offset=_TOO_OLD)
        yield first
        yield PlayedStep(
            title="the same delivery twice", webhook_id=first.webhook_id, body=first.body, expected="duplicate"
        )
        other = self._build("the same ID with another body", stage=scheduled.value)
        yield PlayedStep(title=other.title, webhook_id=first.webhook_id, body=other.body, refusal=409)
        step = self._build(completed.value, stage=completed.value)
        yield self._build(f"{proceed}, which comes too early", stage=proceed.value, expected="parked")
        yield step
        for stage in treatment:
            extra: dict[str, Any] = {"local_date": self._find_day()} if stage is Stage.INFUSED else {}
            yield self._build(stage.value, stage=stage.value, **extra)
        yield self._build("an adverse event", "adverse_event.reported", kind="crs", grade=1)

    def _find_day(self) -> str:
        return self._at.astimezone(ZoneInfo(self.time_zone)).date().isoformat()

    def _build(
        self,
        title: str,
        event_type: str = "stage.changed",
        *,
        expected: str = "applied",
        clock_offset: timedelta = timedelta(),
        occurred_at: str = "",
        **data: Any,
    ) -> PlayedStep:
        """Build a delivery of an event that was true a minute after the one before."""
        self._at += timedelta(minutes=1)
        body = {
            "type": event_type,
            "referral_id": self.referral_id,
            "occurred_at": occurred_at or self._at.isoformat(timespec="seconds"),
            "data": data,
        }
        return PlayedStep(
            title=title,
            webhook_id=f"msg_{random_source.token_hex(12)}",
            body=json.dumps(body).encode(),
            expected=expected,
            clock_offset=clock_offset,
        )

    def _send(self, step: PlayedStep) -> Reply:
        """Send a delivery. Send it again, with a new timestamp and signature, if the receiver asks for it."""
        for _ in range(MAX_ATTEMPTS):
            timestamp = str(int((self.read_clock() - step.clock_offset).timestamp()))
            secret = random_source.token_bytes(32) if step.is_signed_wrong else self.secret
            signature = sign_delivery(secret, webhook_id=step.webhook_id, timestamp=timestamp, body=step.body)
            reply = self.post(
                step.body,
                {"webhook-id": step.webhook_id, "webhook-timestamp": timestamp, "webhook-signature": signature},
            )
            if reply.status not in {429, 503}:
                break
            self.pause(min(reply.retry_after_s, MAX_WAIT_S))
        return reply


def _refused(step: PlayedStep, title: str, **how: Any) -> PlayedStep:
    """Build a delivery that must be refused. Its ID stays free for the right one."""
    return PlayedStep(title=title, webhook_id=step.webhook_id, body=step.body, refusal=401, **how)


def _find_problem(step: PlayedStep, reply: Reply) -> str:
    """Say what is wrong with a response. A receiver of another make needs no body, and any 4xx is a refusal."""
    accepted = 200 <= reply.status < 300
    if step.refusal:
        if accepted:
            return f"It was accepted. A correct receiver answers {step.refusal}."
        return (
            "" if 400 <= reply.status < 500 else f"Answered {reply.status}. A correct receiver answers {step.refusal}."
        )
    if reply.status == 401:
        return "A correct signature was refused. Check the secret, and that nothing on the way changes the request."
    if not accepted:
        return f"Answered {reply.status}. A correct receiver answers 200 or 202."
    status = reply.answer.get("status") if isinstance(reply.answer, dict) else None
    known = status in {"applied", "recorded", "parked", "duplicate"}
    return f"Answered {status}. Expected is {step.expected}." if known and status != step.expected else ""
