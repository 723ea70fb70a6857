"""What is written when a side corrects its own facts, in the transaction of the referral."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from chalicelib.domain.identity.members import Member
from chalicelib.domain.notices.tasks import OutboxTask, TaskQueue
from chalicelib.domain.platform.ids import derive_id
from chalicelib.domain.referrals.consent import is_sharing_stopped
from chalicelib.domain.referrals.events import EventSource, EventStatus, FactsChanged
from chalicelib.domain.referrals.facts import FactChange, FactRevision, find_changed_group, list_fact_changes
from chalicelib.domain.referrals.referral import Referral
from chalicelib.services.platform.run_context import RunContext
from chalicelib.store.all_stores import Stores
from chalicelib.store.platform.dynamo import TransactionWrite


def prepare_fact_change_writes(
    referral: Referral, before: Referral, member: Member, *, context: RunContext
) -> Iterator[TransactionWrite]:
    """Build the writes of a change: its row in the history, its timeline entry, and the notice that follows.

    A draft has no history, because no other organization has seen it.
    """
    changes = list_fact_changes(before, referral)
    if before.submitted_at is None or not changes:
        return
    withdrew = is_sharing_stopped(referral) and not is_sharing_stopped(before)
    change_id = derive_id("chg", referral.referral_id, str(referral.version))
    revision = FactRevision(
        change_id=change_id, changed_at=context.now, side=member.actor, actor_name=member.name, changes=changes
    )
    scope, stores = referral.practice_id, context.stores
    yield stores.fact_changes.prepare_add(referral.referral_id, revision, scope=scope)
    event = _build_event(referral, member, changes, withdrew=withdrew, context=context)
    yield stores.referrals.prepare_log_event(event, EventStatus.APPLIED, practice_id=scope)
    yield from _prepare_notice(referral, changes, event.event_id, withdrew=withdrew, stores=stores)


def _build_event(
    referral: Referral, member: Member, changes: Sequence[FactChange], *, withdrew: bool, context: RunContext
) -> FactsChanged:
    return FactsChanged(
        event_id=derive_id("evt", referral.referral_id, "facts", str(referral.version)),
        referral_id=referral.referral_id,
        occurred_at=context.now,
        recorded_at=context.now,
        actor=member.actor,
        source=EventSource(member.actor.value),
        actor_id=member.member_id,
        actor_name=member.name,
        facts=tuple(change.pointer for change in changes),
        withdrew_consent=withdrew,
    )


def _prepare_notice(
    referral: Referral, changes: Sequence[FactChange], event_id: str, *, withdrew: bool, stores: Stores
) -> Iterator[TransactionWrite]:
    task = build_fact_task(referral.referral_id, changes, event_id, withdrew=withdrew, now=referral.updated_at)
    if task:
        yield stores.outbox.prepare_plan(task)


def build_fact_task(
    referral_id: str, changes: Sequence[FactChange], event_id: str, *, withdrew: bool, now: datetime
) -> OutboxTask | None:
    """Build the task that notifies the other side of changed facts; None if they do not matter to it."""
    group = find_changed_group(changes, withdrawn=withdrew)
    if group is None:
        return None
    return OutboxTask(
        outbox_id=derive_id("out", "facts_changed", referral_id, event_id),
        referral_id=referral_id,
        rule=group,
        queue=TaskQueue.EVENT,
        due_at=now,
        event_id=event_id,
    )
