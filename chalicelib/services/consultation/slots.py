"""Publish single consultation times, list them, and remove one."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from chalicelib.domain.consultation.slots import Slot, SlotClosing
from chalicelib.domain.identity.members import Member, TenantKind
from chalicelib.domain.referrals.plan_terms import VisitMode
from chalicelib.errors import ConflictError, FieldError, MalformedError, NotFoundError, PreconditionFailedError
from chalicelib.services.consultation.access import (
    build_slots_audit_entry,
    get_center_or_404,
    get_own_center_or_404,
)
from chalicelib.services.platform.optimistic import commit_with_retry
from chalicelib.services.platform.run_context import RunContext
from chalicelib.services.referrals.write_once import commit_once
from chalicelib.store.consultation.slots import SLOT_WRITE
from chalicelib.store.platform.dynamo import TransactionWrite
from chalicelib.store.platform.idempotency import IdempotentRequest, StoredResponse
from chalicelib.store.platform.transactions import ConditionFailedError

MAX_AHEAD = timedelta(days=366)
"""How far ahead a single time can be published. A later one is a typing error. Our own choice."""

MAX_NEW_SLOTS = 80
"""How many times one request can publish. A transaction has 100 items at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSlot:
    """What a person enters for one time."""

    starts_at: datetime
    minutes: int
    mode: VisitMode
    capacity: int
    place: str | None
    contact: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotPage:
    """The times of a center in a range.

    Attributes:
        time_zone: The center's.
        aliases: For the center's team, the patients who booked, by referral.
        is_own: Whether the reader publishes these times.
    """

    center_id: str
    time_zone: str
    slots: Sequence[Slot]
    aliases: Mapping[str, str] = field(default_factory=dict)
    is_own: bool = False


def list_slots(
    center_id: str,
    first: datetime,
    last: datetime,
    *,
    referral_id: str | None,
    mode: VisitMode | None,
    member: Member,
    context: RunContext,
) -> SlotPage:
    """List a center's times that start in a range, earliest first.

    A practice sees the times that it can book now; a seat that `referral_id` holds counts as free for it, and the
    time that it has booked is left out. The center's team sees all of its times, with who booked them.

    Raises:
        NotFoundError: no such center, or another one than the member's own.
        ForbiddenError: the role has no access to patients.
    """
    center = get_center_or_404(center_id, member, context=context)
    stored = context.stores.slots.list_between(center_id, first, last)
    found = [slot for slot in stored if mode in {None, slot.mode} and not slot.is_removed]
    zone = center.tenant.time_zone
    if member.kind is TenantKind.PRACTICE:
        own_id = _find_own_referral(referral_id, member, context=context)
        free = [slot for slot in found if slot.has_room(own_id, now=context.now) and own_id not in slot.list_booked()]
        return SlotPage(center_id=center_id, time_zone=zone, slots=free)
    context.stores.audit_log.append(build_slots_audit_entry(center_id, member, "slot.list", context.now))
    aliases = _list_aliases(found, member, context=context)
    return SlotPage(center_id=center_id, time_zone=zone, slots=found, aliases=aliases, is_own=True)


def publish_slots(
    center_id: str,
    new_slots: Sequence[NewSlot],
    *,
    pointer: str,
    member: Member,
    request: IdempotentRequest,
    build_response: Callable[[SlotPage], StoredResponse],
    context: RunContext,
) -> StoredResponse:
    """Publish times, all or none.

    Args:
        center_id: The center.
        new_slots: The times.
        pointer: Where a time is in the request, with `{}` for its place in a list.
        member: Who publishes them.
        request: The request, as idempotency records identify it.
        build_response: Builds the response.
        context: The tables and the time.

    Raises:
        NotFoundError: no such center, or another one than the member's own.
        ForbiddenError: the member's side or role cannot publish times.
        MalformedError: a time is past, too far ahead, or named twice.
        ConflictError: one of them is published already.
    """
    center = get_own_center_or_404(center_id, member, context=context)
    first_response = context.stores.idempotency_records.find_response(request, now=context.now)
    if first_response:
        return first_response
    slots = [_build_slot(center_id, new, context=context) for new in new_slots]
    _check_new_slots(slots, pointer, context=context)
    page = SlotPage(center_id=center_id, time_zone=center.tenant.time_zone, slots=slots, is_own=True)
    audit_entry = build_slots_audit_entry(center_id, member, "slot.publish", context.now)

    def attempt() -> StoredResponse:
        try:
            return commit_once(
                request,
                build_response(page),
                *(context.stores.slots.prepare_add(slot) for slot in slots),
                context.stores.audit_log.prepare_append(audit_entry),
                context=context,
            )
        except ConditionFailedError as e:
            errors = [
                FieldError(f"{pointer.format(n)}/starts_at", "slot_exists", "This time is published already.")
                for n, slot in enumerate(slots)
                if f"{SLOT_WRITE} {slot.slot_id}" in e.items
            ]
            if not errors:
                raise
            message = "A time is published already. Nothing was added."
            raise ConflictError("slot_exists", message, errors=errors) from e

    return commit_with_retry(attempt)


def remove_slot(center_id: str, slot_id: str, *, version: int, member: Member, context: RunContext) -> None:
    """Remove a time that no one has booked. A hold does not keep it, and its weekly pattern does not bring it back.

    Raises:
        NotFoundError: no such center or time, or another center's.
        ForbiddenError: the member's side or role cannot publish times.
        ConflictError: it is booked; the consultation must be moved or canceled first.
        PreconditionFailedError: another change came after `version`.
    """
    get_own_center_or_404(center_id, member, context=context)
    slot = context.stores.slots.get(center_id, slot_id)
    if slot is None or slot.is_removed:
        raise NotFoundError
    if slot.list_booked():
        raise ConflictError(
            "slot_booked", "A patient is booked at this time. Move or cancel that consultation first, then remove it."
        )
    if slot.version != version:
        raise PreconditionFailedError
    entry = build_slots_audit_entry(center_id, member, "slot.remove", context.now)

    def attempt() -> None:
        try:
            context.stores.transactions.commit(
                _prepare_remove(slot, context=context), context.stores.audit_log.prepare_append(entry)
            )
        except ConditionFailedError as e:
            if any(name.startswith(SLOT_WRITE) for name in e.items):
                raise PreconditionFailedError from e
            raise

    commit_with_retry(attempt)


def _prepare_remove(slot: Slot, *, context: RunContext) -> TransactionWrite:
    if slot.pattern_id is None:
        return context.stores.slots.prepare_remove(slot)
    removed = replace(slot, closed=SlotClosing.REMOVED, seats=(), version=slot.version + 1)
    return context.stores.slots.prepare_save(removed)


def _build_slot(center_id: str, new: NewSlot, *, context: RunContext) -> Slot:
    slot_id = context.stores.slots.ids.build(center_id, new.starts_at, f"single/{new.mode}")
    return Slot(
        slot_id=slot_id,
        center_id=center_id,
        starts_at=new.starts_at,
        minutes=new.minutes,
        mode=new.mode,
        capacity=new.capacity,
        place=new.place,
        contact=new.contact,
    )


def _check_new_slots(slots: Sequence[Slot], pointer: str, *, context: RunContext) -> None:
    errors = []
    for n, slot in enumerate(slots):
        place = f"{pointer.format(n)}/starts_at"
        if slot.starts_at.second or slot.starts_at.microsecond:
            errors.append(FieldError(place, "not_a_minute", "Enter a time in whole minutes."))
        if slot.starts_at <= context.now:
            errors.append(FieldError(place, "past", "This time is past. Enter a time that is ahead."))
        if slot.starts_at > context.now + MAX_AHEAD:
            errors.append(FieldError(place, "too_far_ahead", "This time is more than a year ahead. Check the year."))
        if slot.slot_id in {other.slot_id for other in slots[:n]}:
            errors.append(FieldError(place, "repeated", "Enter each time once."))
    if errors:
        raise MalformedError("malformed", "Check the marked fields.", errors=errors)


def _find_own_referral(referral_id: str | None, member: Member, *, context: RunContext) -> str | None:
    """The referral whose hold counts as free, if the member can see it."""
    referral = context.stores.referrals.get(referral_id) if referral_id else None
    return referral.referral_id if referral and member.can_see(referral) else None


def _list_aliases(slots: Sequence[Slot], member: Member, *, context: RunContext) -> Mapping[str, str]:
    ids = dict.fromkeys(referral_id for slot in slots for referral_id in slot.list_booked())
    referrals = (context.stores.referrals.get(referral_id) for referral_id in ids)
    return {each.referral_id: each.alias for each in referrals if each and member.can_see(each)}
