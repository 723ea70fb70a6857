"""What every change of a document needs: reading it, and the writes that go with it."""

from collections.abc import Iterator
from typing import Any

from chalicelib.domain.documents.document import Document, DocumentState
from chalicelib.domain.documents.limits import CHECK_GIVES_UP_AFTER, RECHECK_AFTER
from chalicelib.domain.documents.reasons import RejectionReason
from chalicelib.domain.identity.members import Member, TenantKind
from chalicelib.domain.notices.document_notices import (
    DOCUMENT_MALWARE_RULE,
    DOCUMENT_REJECTED_RULE,
    EXPIRE_CHECK_RULE,
    RECHECK_FILE_RULE,
    REMOVE_FILES_RULE,
)
from chalicelib.domain.notices.tasks import OutboxTask, TaskQueue
from chalicelib.domain.platform.ids import derive_id
from chalicelib.domain.referrals.events import EventSource
from chalicelib.domain.referrals.referral import Referral
from chalicelib.domain.referrals.stages import Actor
from chalicelib.errors import NotFoundError
from chalicelib.services.platform.run_context import RunContext
from chalicelib.store.audit.rows import AuditEntry
from chalicelib.store.platform.dynamo import TransactionWrite

SYSTEM_ID = "system"


def get_document_or_404(referral: Referral, document_id: str, member: Member, *, context: RunContext) -> Document:
    """Get a document that this member can see.

    Raises:
        NotFoundError: no such document, or the other side's that was not shared.
    """
    document = context.stores.documents.get(referral.referral_id, document_id, scope=referral.practice_id)
    if document is None or not document.is_visible_to(member.actor):
        raise NotFoundError
    return document


def get_tenant_id(referral: Referral, side: Actor) -> str:
    """The organization of a side."""
    return referral.practice_id if side is Actor.PRACTICE else str(referral.center_id)


def build_system_audit_entry(referral: Referral, document: Document, action: str, context: RunContext) -> AuditEntry:
    """The audit row of what the product did with a document of a side."""
    return AuditEntry(
        referral_id=referral.referral_id,
        at=context.now,
        actor_id=SYSTEM_ID,
        tenant_id=get_tenant_id(referral, document.side),
        action=action,
        outcome=document.rejected_because or "allowed",
    )


def build_event_fields(document: Document, referral: Referral, *parts: str, context: RunContext) -> dict[str, Any]:
    """The fields of an event that a document causes for the side that added it. `parts` make its id."""
    return {
        "event_id": derive_id("evt", referral.referral_id, document.document_id, *parts),
        "referral_id": referral.referral_id,
        "occurred_at": context.now,
        "recorded_at": context.now,
        "actor": document.side,
        "source": EventSource(document.side.value),
        "actor_id": document.added_by_id,
        "actor_name": document.added_by,
        "document_id": document.document_id,
        "kind": document.kind,
    }


def build_member_event_fields(
    document: Document, referral: Referral, member: Member, *parts: str, context: RunContext
) -> dict[str, Any]:
    """The fields of an event about a document that a member causes."""
    return build_event_fields(document, referral, *parts, context=context) | {
        "actor": member.actor,
        "source": EventSource(member.actor.value),
        "actor_id": member.member_id,
        "actor_name": member.name,
    }


def build_file_task(referral_id: str, document: Document, rule: str, *, due_in: Any, context: RunContext) -> OutboxTask:
    """Build the task that does something with the file of a document."""
    return OutboxTask(
        # One for each state: a file that was shared and then removed is cleaned up twice.
        outbox_id=derive_id("out", rule, document.document_id, document.state),
        referral_id=referral_id,
        rule=rule,
        queue=TaskQueue.EVENT,
        due_at=context.now + due_in if due_in else context.now,
        event_id=document.document_id,
    )


def list_change_writes(
    before: Document, after: Document, referral: Referral, *, context: RunContext
) -> Iterator[TransactionWrite]:
    """The document, its space, and the tasks that follow from its new state, as writes of one transaction."""
    stores, referral_id = context.stores, referral.referral_id
    yield stores.documents.prepare_save(referral_id, after, read=before, scope=referral.practice_id)
    if before.state is after.state:
        return
    if after.state is DocumentState.CHECKING:
        for rule, due_in in ((RECHECK_FILE_RULE, RECHECK_AFTER), (EXPIRE_CHECK_RULE, CHECK_GIVES_UP_AFTER)):
            task = build_file_task(referral_id, after, rule, due_in=due_in, context=context)
            yield stores.outbox.prepare_plan(task)
        return
    if after.announced:
        yield stores.outbox.prepare_plan(
            build_file_task(referral_id, after, REMOVE_FILES_RULE, due_in=None, context=context)
        )
    if after.announced and after.state in {DocumentState.REJECTED, DocumentState.DELETED}:
        yield stores.documents.prepare_release(referral_id, after.counted_bytes)
    if after.state is DocumentState.REJECTED:
        yield stores.outbox.prepare_plan(build_rejected_notice(referral_id, after, context=context))


def build_rejected_notice(referral_id: str, document: Document, *, context: RunContext) -> OutboxTask:
    """Build the task that notifies the side that added a file of its rejection."""
    is_malware = document.rejected_because is RejectionReason.MALWARE
    rule = DOCUMENT_MALWARE_RULE if is_malware else DOCUMENT_REJECTED_RULE
    return OutboxTask(
        outbox_id=derive_id("out", rule, document.document_id),
        referral_id=referral_id,
        rule=rule,
        queue=TaskQueue.EVENT,
        due_at=context.now,
        side=TenantKind(document.side.value),
    )
