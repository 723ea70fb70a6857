"""Share a document with the other side, in one transaction with its event and the request that it answers."""

from chalicelib.domain.documents import document as documents
from chalicelib.domain.documents.document import CleanedFile, Document
from chalicelib.domain.documents.reasons import RejectionReason
from chalicelib.domain.referrals.consent import is_sharing_stopped
from chalicelib.domain.referrals.events import DocumentShared
from chalicelib.domain.referrals.referral import Referral
from chalicelib.domain.referrals.stage_changes import Applied, with_next_version
from chalicelib.domain.referrals.stages import TERMINAL_STAGES, Actor
from chalicelib.services.documents.answered_items import answer_item, build_item_fields, list_item_writes
from chalicelib.services.documents.entry import build_event_fields, get_tenant_id, list_change_writes
from chalicelib.services.platform.run_context import RunContext
from chalicelib.services.referrals.decision_context import load_decision_context
from chalicelib.services.referrals.event_writes import prepare_event_writes
from chalicelib.store.platform.dynamo import TransactionWrite


def find_reason_not_to_share(document: Document, referral: Referral) -> RejectionReason | None:
    """Why a file that passed its checks must not be shared now; None if it can be."""
    if referral.stage in TERMINAL_STAGES:
        return RejectionReason.REFERRAL_CLOSED
    if document.side is Actor.PRACTICE and is_sharing_stopped(referral):
        return RejectionReason.CONSENT_WITHDRAWN
    return None


def prepare_share_writes(
    before: Document, referral: Referral, stored: CleanedFile | None, *, is_new: bool, context: RunContext
) -> tuple[Document, list[TransactionWrite]]:
    """Build the writes that let the other side see a document.

    Args:
        before: The document as it was read, or a new record of what was sent another way.
        referral: The referral as it was read.
        stored: The copy in the documents bucket; None for what was sent another way.
        is_new: Whether the document is not stored yet.
        context: The tables and the time.
    """
    stores = context.stores
    by = {} if stored else {"by": before.added_by}
    shared = documents.share(before, stored, at=context.now, **by)
    answered = answer_item(shared, referral, context=context)
    event = DocumentShared(
        **build_event_fields(shared, referral, "shared", context=context),
        sent_outside=stored is None,
        **build_item_fields(answered),
    )
    decision = Applied(with_next_version(referral, event, load_decision_context(referral, context=context)))
    tenant_id = get_tenant_id(referral, shared.side)
    writes = prepare_event_writes(decision, event, tenant_id, before=referral, context=context)
    writes += list_item_writes(answered, referral, context=context)
    if is_new:
        writes.append(stores.documents.prepare_add(referral.referral_id, shared, scope=referral.practice_id))
    else:
        writes += list_change_writes(before, shared, referral, context=context)
    return shared, writes
