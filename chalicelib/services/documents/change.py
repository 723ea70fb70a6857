"""Remove a document, and report whether something that was sent another way arrived."""

from collections.abc import Callable

from chalicelib.domain.documents import document as documents
from chalicelib.domain.documents.document import (
    OPEN_STATES,
    Arrival,
    ArrivalReport,
    Deletion,
    Document,
    DocumentState,
)
from chalicelib.domain.documents.reasons import DeletionReason
from chalicelib.domain.identity.members import Member
from chalicelib.domain.platform.rate_limit import DOCUMENTS_PER_MEMBER
from chalicelib.domain.referrals.events import DocumentArrivalReported, DocumentDeleted
from chalicelib.domain.referrals.referral import Referral
from chalicelib.domain.referrals.stage_changes import Applied, with_next_version
from chalicelib.errors import ConflictError, ForbiddenError, PreconditionFailedError
from chalicelib.services.documents.answered_items import (
    answer_item,
    build_item_fields,
    list_item_writes,
    reopen_item,
)
from chalicelib.services.documents.entry import build_member_event_fields, get_document_or_404, list_change_writes
from chalicelib.services.platform.optimistic import commit_with_retry
from chalicelib.services.platform.run_context import RunContext
from chalicelib.services.referrals.access import build_member_audit_entry, get_visible_or_404
from chalicelib.services.referrals.decision_context import load_decision_context
from chalicelib.services.referrals.event_writes import prepare_event_writes
from chalicelib.services.referrals.write_once import audit_refusals, commit_once, write_once
from chalicelib.store.platform.idempotency import IdempotentRequest, StoredResponse


def remove_document(
    referral_id: str,
    document_id: str,
    reason: DeletionReason,
    *,
    version: int,
    member: Member,
    context: RunContext,
) -> tuple[Referral, Document]:
    """Remove a document of one's own side. Its files are deleted; the row and the history stay.

    If it answered an item of an information request, the item is open again.

    Raises:
        NotFoundError: no such referral or document, or another tenant's.
        ForbiddenError: it is the other side's document.
        PreconditionFailedError: it changed after `version`.
        ConflictError: it is removed already, or a decision rests on it.
    """
    action = "document.deleted"
    found = get_visible_or_404(referral_id, member, action, context=context)

    def attempt() -> tuple[Referral, Document]:
        referral = get_visible_or_404(referral_id, member, action, context=context)
        before = get_document_or_404(referral, document_id, member, context=context)
        if before.side is not member.actor:
            raise ForbiddenError("not_your_document", "Only the team that added a document can remove it.")
        if before.version != version:
            raise PreconditionFailedError
        _require_removable(before, referral, member, reason)
        deletion = Deletion(reason=reason, at=context.now, by_id=member.member_id, by=member.name)
        after = documents.delete(before, deletion)
        writes = list(list_change_writes(before, after, referral, context=context))
        if before.shared_at:
            reopened = reopen_item(after, referral, context=context)
            event = DocumentDeleted(
                **build_member_event_fields(after, referral, member, "deleted", context=context),
                **build_item_fields(reopened),
                reason=reason,
            )
            decision = Applied(with_next_version(referral, event, load_decision_context(referral, context=context)))
            writes += prepare_event_writes(decision, event, member.tenant_id, before=referral, context=context)
            writes += list_item_writes(reopened, referral, context=context)
            referral = decision.referral
        else:
            entry = build_member_audit_entry(referral, member, action, context.now)
            writes.append(context.stores.audit_log.prepare_append(entry))
        context.stores.transactions.commit(*writes)
        return referral, after

    with audit_refusals(build_member_audit_entry(found, member, action, context.now), context=context):
        return commit_with_retry(attempt)


def report_arrival(
    referral_id: str,
    document_id: str,
    arrival: Arrival,
    *,
    member: Member,
    request: IdempotentRequest,
    build_response: Callable[[Referral, Document], StoredResponse],
    context: RunContext,
) -> StoredResponse:
    """Report that what the other side sent another way was received, or was not found. It can change.

    The item of an information request that it answers is open again while it is not found.

    Raises:
        NotFoundError: no such referral or document, or another tenant's.
        ForbiddenError: one's own side sent it.
        ConflictError: it was not sent another way, was removed, or has this answer already.
        RateLimitedError: the member sent too many reports.
    """
    action = "document.arrival"
    found = get_visible_or_404(referral_id, member, action, context=context)

    def attempt() -> StoredResponse:
        referral = get_visible_or_404(referral_id, member, action, context=context)
        before = get_document_or_404(referral, document_id, member, context=context)
        if before.side is member.actor:
            raise ForbiddenError("not_your_document", "Only the other team can say whether it arrived.")
        if not documents.can_report_arrival(before, member.actor):
            raise ConflictError("not_sent_outside", "Only a document that was sent another way can be confirmed.")
        if before.arrival and before.arrival.arrival is arrival:
            raise ConflictError("already_reported", "Your team already recorded this. Nothing was sent again.")
        report = ArrivalReport(arrival=arrival, at=context.now, by_id=member.member_id, by=member.name)
        after = documents.with_arrival(before, report)
        change_item = reopen_item if arrival is Arrival.NOT_FOUND else answer_item
        changed = change_item(after, referral, context=context)
        event = DocumentArrivalReported(
            **build_member_event_fields(after, referral, member, "arrival", str(after.version), context=context),
            **build_item_fields(changed),
            arrival=arrival,
        )
        decision = Applied(with_next_version(referral, event, load_decision_context(referral, context=context)))
        return commit_once(
            request,
            build_response(decision.referral, after),
            *prepare_event_writes(decision, event, member.tenant_id, before=referral, context=context),
            *list_change_writes(before, after, referral, context=context),
            *list_item_writes(changed, referral, context=context),
            context=context,
        )

    refused_as = build_member_audit_entry(found, member, action, context.now)
    return write_once(attempt, request=request, limit=DOCUMENTS_PER_MEMBER, refused_as=refused_as, context=context)


def _require_removable(document: Document, referral: Referral, member: Member, reason: DeletionReason) -> None:
    if document.state in {DocumentState.DELETED, DocumentState.REJECTED}:
        raise ConflictError("already_removed", "This document has no file anymore. Nothing is left to remove.")
    if (reason is DeletionReason.CANCELED) is not (document.state in OPEN_STATES):
        raise ConflictError("reason_not_possible", "This reason does not fit the state of the document. Reload it.")
    if not documents.can_delete(document, referral, member.actor, reason):
        raise ConflictError(
            "decision_rests_on_it",
            "The center decided after it received this document, so it stays in the record. "
            "If it belongs to another patient, choose that reason.",
        )
