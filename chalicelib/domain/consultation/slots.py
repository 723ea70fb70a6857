"""A slot: one time at which a center sees new patients, and the seats in it.

A slot has as many seats as its capacity. A seat is free, held for some minutes while a person looks at the
time, or booked. A hold that is over counts as free, whether or not anything removed it, so only the
server's clock decides. A hold never keeps its own referral from the seat.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from chalicelib.domain.platform.kept_unknown import KeepsUnknown
from chalicelib.domain.referrals.plan_terms import VisitMode

HOLD_DURATION = timedelta(minutes=10)
"""How long a seat is held while a person decides. This product's own choice: time for one phone call."""

MAX_CAPACITY = 20
"""How many patients one slot can take, as in a group visit. More is a typing error. Our own choice."""

MIN_MINUTES, MAX_MINUTES = 10, 480
"""The shortest and the longest consultation. Our own choice."""


class SeatState(StrEnum):
    """What a seat is used for."""

    HELD = "held"
    BOOKED = "booked"


class SlotClosing(StrEnum):
    """Why a slot takes no more bookings."""

    PATTERN_CHANGED = "pattern_changed"
    """The weekly pattern no longer has this time. The booked patient must be seen or moved by a person."""
    REMOVED = "removed"
    """A person removed this single time of a weekly pattern. Its row stays, so that the daily job does not add the
    time again. No one sees it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """A seat that a referral holds or has booked. `until` is the end of a hold."""

    referral_id: str
    state: SeatState
    until: datetime | None = None

    def is_taken(self, now: datetime) -> bool:
        """Whether the seat is booked, or its hold is not over."""
        return self.state is SeatState.BOOKED or (self.until is not None and self.until > now)


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot(KeepsUnknown):
    """One time that a center publishes.

    Attributes:
        starts_at: In UTC.
        pattern_id: The weekly pattern that made it; None if a person added it alone.
        closed: Why it takes no more bookings; None while it is open.
        version: Increases by one with each write; the ETag.
    """

    slot_id: str
    center_id: str
    starts_at: datetime
    minutes: int
    mode: VisitMode
    capacity: int = 1
    place: str | None = None
    contact: str | None = None
    pattern_id: str | None = None
    seats: tuple[Seat, ...] = ()
    closed: SlotClosing | None = None
    version: int = 1

    @property
    def ends_at(self) -> datetime:
        """When it ends. Minutes are counted in UTC, so a change of the clocks does not stretch it."""
        return self.starts_at.astimezone(UTC) + timedelta(minutes=self.minutes)

    @property
    def is_removed(self) -> bool:
        """Whether the center removed this time."""
        return self.closed is SlotClosing.REMOVED

    def find_seat(self, referral_id: str) -> Seat | None:
        """Find the seat of a referral, also one whose hold is over."""
        return next((seat for seat in self.seats if seat.referral_id == referral_id), None)

    def list_booked(self) -> Sequence[str]:
        """List the referrals that booked it."""
        return [seat.referral_id for seat in self.seats if seat.state is SeatState.BOOKED]

    def has_room(self, referral_id: str | None, *, now: datetime) -> bool:
        """Whether a referral can take a seat: its own, a free one, or one whose hold is over."""
        taken = [seat for seat in self.seats if seat.referral_id != referral_id and seat.is_taken(now)]
        return self.closed is None and self.starts_at > now and len(taken) < self.capacity

    def count_free(self, *, now: datetime) -> int:
        """Count the seats that anyone can take now."""
        if self.closed or self.starts_at <= now:
            return 0
        return max(0, self.capacity - sum(seat.is_taken(now) for seat in self.seats))

    def with_hold(self, referral_id: str, *, now: datetime) -> "Slot":
        """Hold a seat; the hold of the same referral begins again. Call it only if it `has_room`."""
        seat = Seat(referral_id=referral_id, state=SeatState.HELD, until=now + HOLD_DURATION)
        return self._with_seat(seat, now)

    def with_booking(self, referral_id: str, *, now: datetime) -> "Slot":
        """Book a seat for a referral. Call it only if it `has_room`."""
        return self._with_seat(Seat(referral_id=referral_id, state=SeatState.BOOKED), now)

    def without(self, referral_id: str) -> "Slot":
        """Give back the seat of a referral."""
        return self._with_seats(seat for seat in self.seats if seat.referral_id != referral_id)

    def _with_seat(self, seat: Seat, now: datetime) -> "Slot":
        others = [each for each in self.seats if each.referral_id != seat.referral_id and each.is_taken(now)]
        return self._with_seats([*others, seat])

    def _with_seats(self, seats: Iterable[Seat]) -> "Slot":
        return replace(self, seats=tuple(seats), version=self.version + 1)
