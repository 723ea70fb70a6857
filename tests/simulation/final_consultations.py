"""Compares seats, appointments and invitations in the end with what they must be."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from chalicelib.domain.consultation.invitations import CalendarInvitation
from chalicelib.store.all_stores import Stores
from chalicelib.store.platform import codec
from tests.simulation.consultation_oracle import ConsultationOracle, ExpectedSlot
from tests.simulation.known_events import CENTERS, DAY, YEAR_END, YEAR_START
from tests.simulation.plan_oracle import Day
from tests.support.aws_fakes import PREFIX

_AHEAD = 60 * DAY


@dataclass(frozen=True, slots=True)
class SentInvitation:
    """What the mail service accepted for a calendar."""

    reader: str
    uid: str
    sequence: int
    method: str


def read_invitation(reader: str, calendar: str) -> SentInvitation:
    """Read an accepted calendar part.

    Raises:
        ValueError: it lacks a property.
    """
    found = {name: re.search(rf"^{name}:(.+?)\r?$", calendar, re.MULTILINE) for name in ("UID", "SEQUENCE", "METHOD")}
    values = {name: match[1] for name, match in found.items() if match}
    if len(values) < len(found):
        raise ValueError(f"the calendar part has only {sorted(values)}")
    return SentInvitation(reader, values["UID"], int(values["SEQUENCE"]), values["METHOD"])


def find_wrong_seats(stores: Stores, expected: Mapping[str, ExpectedSlot]) -> Iterator[str]:
    """Yield each time whose seats are other ones than those that were booked."""
    stored = {
        slot.slot_id: slot
        for center in CENTERS
        for slot in stores.slots.list_between(center.tenant_id, YEAR_START, YEAR_END + _AHEAD)
    }
    for slot_id, slot in stored.items():
        booked = slot.list_booked()
        if len(booked) > slot.capacity:
            yield f"{slot_id} has {len(booked)} patients and {slot.capacity} seats"
        if slot_id not in expected or expected[slot_id].is_removed:
            yield f"{slot_id} is offered and was {'removed' if slot_id in expected else 'not published'}"
        elif set(booked) != expected[slot_id].booked:
            yield f"{slot_id} is booked by {sorted(booked)}, and must be by {sorted(expected[slot_id].booked)}"
    for slot_id, each in expected.items():
        if slot_id not in stored and not each.is_removed:
            yield f"{slot_id} is lost"


def find_wrong_appointment(stores: Stores, oracle: ConsultationOracle) -> Iterator[str]:
    """Yield what is wrong with the consultation of a referral, and with the invitations to it."""
    referral_id, scope = oracle.referral_id, oracle.course.practice.tenant_id
    stored = stores.consultations.get(referral_id, scope=scope).appointment
    last = oracle.appointments[-1] if oracle.appointments else None
    seen = (_write(stored.starts_at or stored.on), stored.sequence, stored.state.value) if stored else None
    must = (_write(last.day), last.sequence, last.state) if last else None
    if seen != must:
        yield f"the consultation is {seen}, and must be {must}"
    slot_id = last.slot.slot_id if last and last.slot else None
    if stored and last and last.state == "booked" and stored.slot_id != slot_id:
        yield f"the consultation is at {stored.slot_id}, and must be at {slot_id}"
    yield from _find_wrong_invitations(_read_invitations(stores, referral_id), oracle)


def _find_wrong_invitations(invitations: Sequence[CalendarInvitation], oracle: ConsultationOracle) -> Iterator[str]:
    sent: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for each in invitations:
        sent[each.uid].append((each.sequence, each.method.value))
    must: dict[int, list[tuple[int, str]]] = defaultdict(list)
    for expected in oracle.invitations:
        must[expected.number].append((expected.sequence, expected.method))
    if sorted(map(sorted, sent.values())) != sorted(map(sorted, must.values())):
        yield f"the invitations are {sorted(sent.values())}, and must be {sorted(must.values())}"


def find_old_invitations(sent: Iterable[SentInvitation]) -> Iterator[str]:
    """Yield each message to a calendar that came after a later one of the same entry."""
    newest: dict[tuple[str, str], int] = {}
    for each in sent:
        entry = each.reader, each.uid
        if each.sequence < newest.get(entry, 0):
            yield f"{each.reader} was sent number {each.sequence} of {each.uid} after number {newest[entry]}"
        newest[entry] = max(each.sequence, newest.get(entry, 0))


def _read_invitations(stores: Stores, referral_id: str) -> Sequence[CalendarInvitation]:
    rows = stores.referrals.table.client().query(
        TableName=f"{PREFIX}referrals",
        KeyConditionExpression="referral_id = :id AND begins_with(#item, :item)",
        ExpressionAttributeNames={"#item": "item"},
        ExpressionAttributeValues={":id": {"S": referral_id}, ":item": {"S": "invitation#"}},
        ConsistentRead=True,
    )["Items"]
    return [codec.from_json(CalendarInvitation, row["invitation"]["S"]) for row in rows]


def _write(day: Day | date | None) -> str | None:
    return day.astimezone(UTC).isoformat() if isinstance(day, datetime) else day.isoformat() if day else None
