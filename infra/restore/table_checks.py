"""Compares tables with each other: what is read once from each, and what is left when all referrals were seen.

Before the referrals are checked, `collect_keys` reads the deliveries, the idempotency records, the slots and the
outbox. Each referral then marks what belongs to it (`mark_referral`). `check_leftovers` reports what no referral has.
"""

import json
from collections.abc import Iterator
from functools import partial
from typing import Any

from chalicelib.domain.consultation.slots import SeatState, Slot
from chalicelib.domain.identity.members import Member
from chalicelib.domain.platform.ids import derive_id
from chalicelib.domain.referrals.events import EventSource
from chalicelib.errors import ReferralErasedError, UnavailableError
from chalicelib.store.identity.members import to_member
from chalicelib.store.platform import codec
from chalicelib.store.platform.dynamo import Item
from chalicelib.store.webhooks.delivery_log import DeliveryStatus
from infra.restore import table_fixes as fixes
from infra.restore.findings import Finding, FindingKind
from infra.restore.load import CheckScope, LoadedReferral
from infra.restore.mail_checks import collect_mails
from infra.restore.pages import scan_table

_MADE_BY_ROUTE = {
    "/events": "evt",
    "/messages": "evt",
    "/information-requests": "evt",
    "/answer": "evt",
    "/close": "evt",
    "/documents": "doc",
}
"""What the requests of a route make, by the prefix of its id, which is derived from the request."""

_IN_HISTORY = frozenset({DeliveryStatus.APPLIED, DeliveryStatus.RECORDED})
_STILL_PARKED = frozenset({DeliveryStatus.PARKED, DeliveryStatus.FAILED})


def collect_keys(scope: CheckScope) -> Iterator[Finding]:
    """Read the tables whose rows must belong to a referral. Yields what is wrong with an email by itself."""
    stores, joins = scope.run.stores, scope.joins
    for row in scan_table(stores.delivery_log.table):
        joins.add("delivery", row["event_id"], json.dumps({name: row[name] for name in _DELIVERY_ATTRIBUTES}))
    for row in scan_table(stores.idempotency_records.table):
        if str(row.get("route", "")).endswith("/v1/referrals"):
            yield from _collect_new_referral(row, scope)
        made = next((kind for end, kind in _MADE_BY_ROUTE.items() if str(row.get("route", "")).endswith(end)), None)
        if made:
            joins.add("record", derive_id(made, row["scope_key"]), json.dumps([row["scope_key"], row["route"]]))
    for row in scan_table(stores.slots.table):
        if "slot" in row:
            slot = codec.from_json(Slot, row["slot"])
            for seat in slot.seats:
                if seat.state is SeatState.BOOKED and slot.starts_at > scope.run.now:
                    joins.add("seat", f"{seat.referral_id}/{slot.slot_id}", slot.center_id)
    yield from collect_mails(scope)


_DELIVERY_ATTRIBUTES = ("center_id", "webhook_id", "referral_id", "status", "received_at")


def _collect_new_referral(row: Item, scope: CheckScope) -> Iterator[Finding]:
    """Add the referral that a request made. Its id is random, so it is in the response."""
    records = scope.run.stores.idempotency_records
    try:
        referral_id = str(records.read_body(row)["referral_id"])
    except UnavailableError:
        raise
    except ReferralErasedError:
        yield Finding(
            kind=FindingKind.ERASED_RETURNED,
            subject=row["scope_key"],
            detail="stored response",
            fix=partial(fixes.remove_record, row["scope_key"]),
        )
        return
    except Exception as error:  # noqa: BLE001 as in `load`
        detail = f"idempotency record: {type(error).__name__}"
        yield Finding(kind=FindingKind.UNREADABLE, subject=row["scope_key"], detail=detail)
        return
    scope.joins.add("record", referral_id, json.dumps([row["scope_key"], row["route"]]))


def mark_referral(loaded: LoadedReferral, scope: CheckScope) -> Iterator[Finding]:
    """Mark what belongs to a referral, and find deliveries that the log lacks."""
    if loaded.state_row:
        scope.joins.see("record", loaded.referral_id)
    if loaded.was_erased:
        _mark_erased(loaded, scope)
        return
    for row in loaded.list_rows("event#"):
        scope.joins.see("record", row["event_id"])
        delivery = _parse(scope.joins.see("delivery", row["event_id"]))
        if delivery and delivery["status"] in _STILL_PARKED:
            yield _build_outdated_delivery(loaded, row["status"], delivery)
    for row in loaded.list_rows("document#"):
        scope.joins.see("record", str(row["item"]).removeprefix("document#"))
    for row in loaded.list_rows("parked#", "stranger#"):
        if scope.joins.see("delivery", row["event_id"]) is None:
            yield Finding(
                kind=FindingKind.DELIVERY_MISSING,
                subject=loaded.referral_id,
                detail=f"{row['webhook_id']} is parked",
                fix=partial(fixes.log_parked, row),
            )
    for logged in loaded.history.events if loaded.history else ():
        event = logged.event
        is_recent = event.recorded_at >= scope.since
        if event.source is EventSource.CENTER_FEED and is_recent and not scope.joins.find("delivery", event.event_id):
            yield Finding(
                kind=FindingKind.DELIVERY_MISSING,
                subject=loaded.referral_id,
                detail=event.event_id,
                heals_itself=True,
                advice="Nothing to do: if the center sends it again, it is answered as a duplicate.",
            )
    yield from _check_seat(loaded, scope)


def _mark_erased(loaded: LoadedReferral, scope: CheckScope) -> None:
    """Mark what is left of an erased patient: updates of centers that never had the referral."""
    scope.joins.add("erased", loaded.referral_id)
    for row in loaded.list_rows("stranger#"):
        scope.joins.see("delivery", row["event_id"])


def _build_outdated_delivery(loaded: LoadedReferral, status: str, delivery: Any) -> Finding:
    return Finding(
        kind=FindingKind.DELIVERY_OUTDATED,
        subject=loaded.referral_id,
        detail=f"{delivery['webhook_id']} of {delivery['center_id']}",
        fix=partial(fixes.settle_delivery, delivery, status),
    )


def _check_seat(loaded: LoadedReferral, scope: CheckScope) -> Iterator[Finding]:
    history = loaded.history
    if history is None or not loaded.list_rows("consultation"):
        return
    referral, stores = history.referral, scope.run.stores
    consultation = stores.consultations.get(referral.referral_id, scope=referral.practice_id)
    appointment = consultation.appointment
    if appointment is None or not appointment.is_open or appointment.slot_id is None or referral.center_id is None:
        return
    is_ahead = appointment.starts_at is not None and appointment.starts_at > scope.run.now
    has_seat = scope.joins.see("seat", f"{referral.referral_id}/{appointment.slot_id}") is not None
    if is_ahead and not has_seat:
        yield Finding(
            kind=FindingKind.CONSULTATION_DIFFERS,
            subject=referral.referral_id,
            detail="its time slot does not have its seat",
            referral_id=referral.referral_id,
            tenant_id=referral.practice_id,
            fix=partial(fixes.take_seat, referral.center_id, appointment.slot_id, referral.referral_id),
        )


def check_leftovers(scope: CheckScope) -> Iterator[Finding]:
    """Find deliveries, records and seats whose event, document or consultation does not exist."""
    for event_id, text in scope.joins.list_unseen("delivery"):
        delivery = _parse(text)
        if delivery and delivery["status"] in _IN_HISTORY | _STILL_PARKED:
            is_erased = scope.joins.find("erased", delivery["referral_id"]) is not None
            yield Finding(
                kind=FindingKind.DELIVERY_WITHOUT_EVENT,
                subject=delivery["referral_id"],
                detail=f"{delivery['webhook_id']} of {delivery['center_id']} ({delivery['status']}, {event_id})",
                fix=partial(fixes.remove_delivery, delivery),
                advice="" if is_erased else f"Ask {delivery['center_id']} to send it again.",
            )
    for made_id, text in scope.joins.list_unseen("record"):
        scope_key, route = json.loads(text)
        yield Finding(
            kind=FindingKind.RECORD_WITHOUT_EVENT,
            subject=made_id,
            detail=route,
            fix=partial(fixes.remove_record, scope_key),
        )
    for key, center_id in scope.joins.list_unseen("seat"):
        referral_id, _, slot_id = key.partition("/")
        yield Finding(
            kind=FindingKind.CONSULTATION_DIFFERS,
            subject=referral_id,
            detail=f"a seat of {center_id} is booked without a consultation",
            fix=partial(fixes.free_seat, center_id, slot_id, referral_id),
        )


def check_members(scope: CheckScope) -> Iterator[Finding]:
    """Compare the roster and the lists of memberships with the members, and find unscheduled weekly digests."""
    stores, joins = scope.run.stores, scope.joins
    for row in scan_table(stores.members.roster):
        joins.add("roster", f"{row['tenant_id']}/{row['member_id']}", row["subject"])
    for row in scan_table(stores.members.table):
        if "member_id" in row:
            yield from _check_member(to_member(row), scope)
        else:
            for key in row.get("memberships", ()):
                joins.add("listed membership", key)
    yield from _check_later_memberships(scope)
    for key, _subject in joins.list_unseen("roster"):
        tenant_id, _, member_id = key.partition("/")
        yield Finding(
            kind=FindingKind.MEMBER_MISSING,
            subject=member_id,
            tenant_id=tenant_id,
            advice="Invite this person again: only the table `members` has the roles.",
        )


def _check_member(member: Member, scope: CheckScope) -> Iterator[Finding]:
    joins = scope.joins
    on_roster = joins.see("roster", f"{member.tenant_id}/{member.member_id}")
    if on_roster != member.subject:
        yield Finding(
            kind=FindingKind.ROSTER_MISSING,
            subject=member.member_id,
            detail="the roster has an earlier account" if on_roster else "",
            tenant_id=member.tenant_id,
            fix=partial(fixes.add_to_roster, member.subject),
        )
    if member.subject != member.person:
        joins.add("later membership", member.subject, json.dumps([member.tenant_id, member.member_id]))
    yield from fixes.check_digest(member.subject, scope)


def _check_later_memberships(scope: CheckScope) -> Iterator[Finding]:
    """Find second and later memberships that their person's row does not list, and listed ones that do not exist."""
    joins = scope.joins
    for key, _ in list(joins.list_unseen("listed membership")):
        if joins.see("later membership", key) is None:
            yield Finding(
                kind=FindingKind.MEMBERSHIPS_DIFFER,
                subject=key.rpartition("#")[2],
                detail="it is listed and does not exist",
                fix=partial(fixes.unlist_membership, key),
            )
    for key, text in joins.list_unseen("later membership"):
        tenant_id, member_id = json.loads(text)
        yield Finding(
            kind=FindingKind.MEMBERSHIPS_DIFFER,
            subject=member_id,
            detail="it is not listed",
            tenant_id=tenant_id,
            fix=partial(fixes.list_membership, key),
        )


def _parse(text: str | None) -> Any:
    return json.loads(text) if text else None
