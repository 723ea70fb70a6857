"""What happened to a referral: append-only, with when it was true and when we learned it."""

import hashlib
from base64 import b32encode
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from chalicelib.domain.stages import Actor, Stage

FUTURE_TOLERANCE = timedelta(minutes=10)
"""How far ahead of our clock `occurred_at` may lie before it is refused.

Source: the product's API contract, section 3. Without a bound, one event dated 2099 would be
"the latest" for ever and freeze the referral.
"""


class Source(StrEnum):
    """The way an event reached us."""

    PRACTICE = "practice"
    CENTER = "center"
    CENTER_FEED = "center_feed"
    SYSTEM = "system"


class EventStatus(StrEnum):
    """Whether an event moved the referral, or is history only."""

    APPLIED = "applied"
    RECORDED = "recorded"


class Order(NamedTuple):
    """The place of an event in the referral's own time.

    Ordered by when it was true, then by the sender's sequence, then by id, so that every order
    of arrival ends in the same state. Never by our clock: deliveries overtake each other.
    """

    occurred_at: datetime
    sequence: int
    event_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StageChange:
    """A reported move of one referral to a stage.

    Attributes:
        event_id: `evt_…`, made from the sender's own id so that a repeat has the same one.
        part: Which infusion of a split dose this is, from 1. Only `infused` has parts.
        of: How many infusions the dose is split into.
        local_date: The center's calendar day, where it matters that it is not the UTC day.
    """

    event_id: str
    referral_id: str
    stage: Stage
    occurred_at: datetime
    recorded_at: datetime
    actor: Actor
    source: Source
    actor_id: str
    actor_name: str
    sequence: int | None = None
    part: int = 1
    of: int = 1
    local_date: date | None = None
    reason_code: str | None = None
    note: str | None = None

    @property
    def order(self) -> Order:
        """Where this stands among the referral's events."""
        return Order(self.occurred_at.astimezone(UTC), self.sequence or 0, self.event_id)

    @property
    def is_in_the_future(self) -> bool:
        """Whether it claims to be true later than a wrong clock can explain."""
        return self.occurred_at - self.recorded_at > FUTURE_TOLERANCE


def derived_id(prefix: str, *parts: str) -> str:
    """An id of 128 bits that is the same whenever the same parts are given.

    A repeated delivery therefore names the same event, and two events with the same
    `occurred_at` sort alike whichever arrived first.
    """
    digest = hashlib.sha256("\x00".join(parts).encode()).digest()[:16]
    return f"{prefix}_{spelled(digest)}"


def spelled(raw: bytes) -> str:
    """Bytes as lower-case base32 without padding: safe in a URL and when read aloud."""
    return b32encode(raw).decode().rstrip("=").lower()
