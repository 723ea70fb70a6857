"""Keeps the record of the consultation, its seat and its invitation in step with the referral.

The writes join the transaction of every event that changes when the consultation is, from either side. A
booking passes its own writes instead (`services.consultation.book`).
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from chalicelib.domain.consultation.follow_fact import ConsultationChange, concerns_consultation, follow_fact
from chalicelib.domain.consultation.invitations import CalendarInvitation
from chalicelib.domain.platform.ids import encode_id
from chalicelib.domain.referrals.events import ReferralEvent
from chalicelib.domain.referrals.referral import Referral
from chalicelib.store.all_stores import Stores
from chalicelib.store.platform.dynamo import TransactionWrite


@dataclass(frozen=True, slots=True)
class ConsultationWrites:
    """The writes about the consultation, and the invitation that they send, if any."""

    writes: Sequence[TransactionWrite] = ()
    invitation: CalendarInvitation | None = None


NO_CONSULTATION_WRITES = ConsultationWrites()


def prepare_consultation_writes(
    before: Referral, after: Referral, event: ReferralEvent, *, stores: Stores
) -> ConsultationWrites:
    """Build the writes that follow from an event; none if it does not concern the consultation."""
    if not concerns_consultation(before, after, event):
        return NO_CONSULTATION_WRITES
    known = stores.consultations.get(after.referral_id, scope=after.practice_id)
    change = follow_fact(known, after, event, new_uid=create_uid())
    if change is None:
        return NO_CONSULTATION_WRITES
    return _build_writes(after, change, stores=stores)


def _build_writes(referral: Referral, change: ConsultationChange, *, stores: Stores) -> ConsultationWrites:
    """Build the writes of a changed consultation, its invitation, and the seats that are free again."""
    referral_id = referral.referral_id
    writes = [stores.consultations.prepare_save(referral_id, change.consultation, scope=referral.practice_id)]
    if change.invitation:
        writes.append(stores.consultations.prepare_invitation(referral_id, change.invitation))
    for slot_id in change.released_slot_ids:
        writes += prepare_release(referral, slot_id, referral.updated_at, stores=stores)
    return ConsultationWrites(writes, change.invitation)


def prepare_release(
    referral: Referral, slot_id: str | None, now: datetime, *, stores: Stores
) -> Sequence[TransactionWrite]:
    """Build the write that frees the seat of a referral; none if there is no such seat any more.

    A seat in a time that has begun stays used: no one else can come.
    """
    slot = stores.slots.get(referral.center_id, slot_id) if slot_id and referral.center_id else None
    if slot is None or slot.find_seat(referral.referral_id) is None or slot.starts_at <= now:
        return ()
    return [stores.slots.prepare_save(slot.without(referral.referral_id))]


def create_uid() -> str:
    """Create the UID of a calendar entry: random, so that it says nothing about the patient."""
    return encode_id(secrets.token_bytes(16))
