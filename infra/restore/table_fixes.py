"""Repairs between tables: deliveries, idempotency records, seats, the roster and digests."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial

from chalicelib.services.notices.weekly_digest import prepare_digest_writes
from chalicelib.services.platform.run_context import RunContext
from chalicelib.services.referrals.report_results import name_reported
from chalicelib.store.platform.dynamo import Item, TransactionWrite
from chalicelib.store.platform.transactions import ConditionFailedError
from chalicelib.store.webhooks.delivery_log import DeliveryResult, DeliveryStatus
from infra.restore.findings import Finding, FindingKind
from infra.restore.load import CheckScope
from infra.restore.mail_checks import find_sent_digest_week


def remove_delivery(delivery: Mapping[str, str], context: RunContext) -> None:
    """Remove the entry of a delivery whose event does not exist, so that the center can send it again."""
    _commit(
        context,
        context.stores.delivery_log.table.prepare_delete(
            "delivery",
            {name: delivery[name] for name in ("center_id", "webhook_id")},
            when="received_at = :read",
            values={"read": delivery["received_at"]},
        ),
    )


def remove_record(scope_key: str, context: RunContext) -> None:
    """Remove the record of a request whose result does not exist, so that a repeat is processed."""
    table = context.stores.idempotency_records.table
    _commit(context, table.prepare_delete("idempotency record", {"scope_key": scope_key}))


def _commit(context: RunContext, write: TransactionWrite) -> None:
    with suppress(ConditionFailedError):
        context.stores.transactions.commit(write)


def log_parked(row: Item, context: RunContext) -> None:
    """Write the entry of a parked delivery again."""
    parked = context.stores.referrals.items.item_to_parked(row)
    result = DeliveryResult(status=DeliveryStatus.PARKED, **name_reported(parked.event))
    _commit(context, context.stores.delivery_log.prepare_log(parked.delivery, result))


def settle_delivery(delivery: Mapping[str, str], status: str, context: RunContext) -> None:
    """Store the final result of a delivery that is logged as parked and was applied."""
    log = context.stores.delivery_log
    entry = log.get_entry(delivery["center_id"], delivery["webhook_id"])
    if entry:
        result = replace(entry.result, status=DeliveryStatus(status), waiting_for=())
        _commit(context, log.prepare_log(entry.delivery, result, was_parked=True))


def take_seat(center_id: str, slot_id: str, referral_id: str, context: RunContext) -> None:
    """Book the seat of a consultation again, if the slot has room."""
    slots = context.stores.slots
    slot = slots.get(center_id, slot_id)
    if slot and slot.has_room(referral_id, now=context.now):
        _commit(context, slots.prepare_save(slot.with_booking(referral_id, now=context.now)))


def free_seat(center_id: str, slot_id: str, referral_id: str, context: RunContext) -> None:
    """Give back a seat that belongs to no consultation."""
    slot = context.stores.slots.get(center_id, slot_id)
    if slot and slot.find_seat(referral_id):
        _commit(context, context.stores.slots.prepare_save(slot.without(referral_id)))


def add_to_roster(subject: str, context: RunContext) -> None:
    """Write a member's row of the roster again, unless it names a member who exists."""
    members = context.stores.members
    member = members.get_by_subject(subject)
    if member and members.get_by_member_id(member.tenant_id, member.member_id) is None:
        _commit(context, members.prepare_put_on_roster(member))


def list_membership(key: str, context: RunContext) -> None:
    """Add a second or later membership to the list of the person, if it is missing there."""
    members = context.stores.members
    member = members.get_by_subject(key)
    if member and key not in {each.subject for each in members.list_for_person(member.person)}:
        _commit(context, members.prepare_list(member))


def unlist_membership(key: str, context: RunContext) -> None:
    """Remove a membership that does not exist from the list of its person."""
    write = context.stores.members.prepare_unlist(key)
    if write:
        _commit(context, write)


def check_digest(subject: str, scope: CheckScope) -> Iterator[Finding]:
    """Find a member whose weekly digest is not scheduled, or would be sent a second time."""
    stores = scope.run.stores
    member = stores.members.get_by_subject(subject)
    if member is None or not (member.active and member.has_clinical_access):
        return
    last_done_week = stores.digests.get_last_done_week(member.member_id)
    sent_week = find_sent_digest_week(member.member_id, scope)
    if last_done_week is None:
        yield Finding(
            kind=FindingKind.DIGEST_OUTDATED,
            subject=member.member_id,
            detail="not scheduled",
            tenant_id=member.tenant_id,
            fix=partial(_schedule_digest, subject),
        )
    elif sent_week and sent_week > last_done_week:
        yield Finding(
            kind=FindingKind.DIGEST_OUTDATED,
            subject=member.member_id,
            detail=f"the digest of {sent_week} was sent",
            tenant_id=member.tenant_id,
            fix=lambda context: context.stores.digests.set_done_week(member.member_id, sent_week),
        )


def _schedule_digest(subject: str, context: RunContext) -> None:
    member = context.stores.members.get_by_subject(subject)
    writes = prepare_digest_writes(None, member, context=context) if member else ()
    if writes:
        context.stores.transactions.commit(*writes)
