"""What happened to a referral: append-only, with when it was true and when we learned it."""

import hashlib
from base64 import b32encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from chalicelib.domain.referrals.stages import Actor, Stage

FUTURE_TOLERANCE = timedelta(minutes=10)
"""How far ahead of our clock `occurred_at` may lie before it is refused.

Source: the product's API contract, section 3. Without a bound, one event dated 2099 would be
"the latest" for ever and freeze the referral.
"""


PARKED_FOR = timedelta(hours=24)
"""How long a delivery that came too early waits. Source: the API contract, section 4."""


class EventSource(StrEnum):
    """The way an event reached us."""

    PRACTICE = "practice"
    CENTER = "center"
    CENTER_FEED = "center_feed"
    SYSTEM = "system"


class EventStatus(StrEnum):
    """Whether an event moved the referral, or is history only."""

    APPLIED = "applied"
    RECORDED = "recorded"


class EventOrder(NamedTuple):
    """The place of an event in the referral's own time.

    Ordered by when it was true, then by the sender's sequence, then by id, so that every order
    of arrival ends in the same state. Never by our clock: deliveries overtake each other.
    """

    occurred_at: datetime
    sequence: int
    event_id: str


class EventType(StrEnum):
    """What can happen to a referral, as the API names it."""

    STAGE_CHANGED = "stage.changed"
    HOLD_STARTED = "hold.started"
    HOLD_ENDED = "hold.ended"
    TOXICITY_NOTICED = "toxicity.noticed"
    WINDOW_EXTENDED = "window.extended"
    WITHDRAWAL_REQUESTED = "withdrawal.requested"
    REOPENED = "referral.reopened"
    CORRECTED = "event.corrected"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferralEvent:
    """Something that happened to one referral, whoever reports it.

    Attributes:
        event_id: `evt_…`, made from the sender's own id so that a repeat has the same one.
        reason_code: A code of `domain.reasons`, or the sender's own word for a hold.
    """

    event_id: str
    referral_id: str
    occurred_at: datetime
    recorded_at: datetime
    actor: Actor
    source: EventSource
    actor_id: str
    actor_name: str
    sequence: int | None = None
    reason_code: str | None = None
    note: str | None = None

    @property
    def order(self) -> EventOrder:
        """Where this stands among the referral's events."""
        return EventOrder(self.occurred_at.astimezone(UTC), self.sequence or 0, self.event_id)

    @property
    def is_in_the_future(self) -> bool:
        """Whether it claims to be true later than a wrong clock can explain."""
        return self.occurred_at - self.recorded_at > FUTURE_TOLERANCE

    @property
    def type(self) -> EventType:
        """What kind of event it is."""
        return EVENT_TYPE_BY_CLASS[type(self)]


@dataclass(frozen=True, slots=True, kw_only=True)
class StageChange(ReferralEvent):
    """A move to a stage.

    Attributes:
        part: Which infusion of a split dose this is, from 1. Only `infused` has parts.
        of: How many infusions the dose is split into.
        local_date: The center's calendar day, where it matters that it is not the UTC day.
        revisit_on: When a deferred patient is looked at again.
        suggested_center_id: Where a redirecting center would send the patient.
        first_visit_on: When the practice that takes the patient back sees them first.
    """

    stage: Stage
    part: int = 1
    of: int = 1
    local_date: date | None = None
    revisit_on: date | None = None
    suggested_center_id: str | None = None
    first_visit_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldStarted(ReferralEvent):
    """Nothing goes on for a while; `until` is when it is expected to."""

    until: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldEnded(ReferralEvent):
    """It goes on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToxicityNoticed(ReferralEvent):
    """The center noticed a toxicity; the referring team hears of it the same day.

    Attributes:
        kind: `crs`, `neurotoxicity`, `infection`, `cytopenia`, `readmission` or `other`.
        grade: 1 to 5 as the center grades it, if it says.
    """

    kind: str = "other"
    grade: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowExtended(ReferralEvent):
    """The center monitors longer; `ends_on` is the new day of hand-back."""

    ends_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawalRequested(ReferralEvent):
    """The practice asks the center to stop, where it can no longer withdraw by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reopened(ReferralEvent):
    """An ended referral goes on where it stood before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Corrected(ReferralEvent):
    """An earlier event was wrong. It stays in the history and counts no more.

    Attributes:
        supersedes: The id of the event that was wrong.
        replacement: What really happened; None if nothing did. Carries this event's own id.
    """

    supersedes: str
    replacement: StageChange | None = None


EVENT_TYPE_BY_CLASS: Mapping[type[ReferralEvent], EventType] = {
    StageChange: EventType.STAGE_CHANGED,
    HoldStarted: EventType.HOLD_STARTED,
    HoldEnded: EventType.HOLD_ENDED,
    ToxicityNoticed: EventType.TOXICITY_NOTICED,
    WindowExtended: EventType.WINDOW_EXTENDED,
    WithdrawalRequested: EventType.WITHDRAWAL_REQUESTED,
    Reopened: EventType.REOPENED,
    Corrected: EventType.CORRECTED,
}


def derive_id(prefix: str, *parts: str) -> str:
    """An id of 128 bits that is the same whenever the same parts are given.

    A repeated delivery therefore names the same event, and two events with the same
    `occurred_at` sort alike whichever arrived first.
    """
    digest = hashlib.sha256("\x00".join(parts).encode()).digest()[:16]
    return f"{prefix}_{encode_id(digest)}"


def encode_id(data: bytes) -> str:
    """Bytes as lower-case base32 without padding: safe in a URL and when read aloud."""
    return b32encode(data).decode().rstrip("=").lower()
