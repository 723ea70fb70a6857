"""Mistakes about consultations that the simulated year must find."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from unittest.mock import patch

from chalicelib.domain.consultation.invitations import CalendarInvitation
from chalicelib.domain.consultation.slots import Seat, Slot
from chalicelib.domain.notices import planning
from chalicelib.services.consultation import book


@contextmanager
def _giving_seats_twice() -> Iterator[None]:
    def has_room(slot: Slot, _referral_id: object, *, now: object) -> bool:
        return slot.closed is None

    with patch.object(Slot, "has_room", has_room):
        yield


@contextmanager
def _holding_forever() -> Iterator[None]:
    with patch.object(Seat, "is_taken", lambda *_: True):
        yield


@contextmanager
def _booking_a_second_appointment() -> Iterator[None]:
    with patch.object(book._Read, "open_appointment", None):
        yield


@contextmanager
def _inviting_late() -> Iterator[None]:
    """An email that was held back is sent although a later one has gone out."""
    with patch.object(CalendarInvitation, "next_key", ""):
        yield


@contextmanager
def _reminding_of_an_old_date() -> Iterator[None]:
    with patch.object(planning, "_is_reminder_current", lambda *_: True):
        yield


MISTAKES: Mapping[str, Callable[[], AbstractContextManager[None]]] = {
    "books a second appointment": _booking_a_second_appointment,
    "gives a seat twice": _giving_seats_twice,
    "holds a seat forever": _holding_forever,
    "reminds of a date that was moved": _reminding_of_an_old_date,
    "sends an invitation after a later one": _inviting_late,
}
"""Each mistake, and what makes it."""
