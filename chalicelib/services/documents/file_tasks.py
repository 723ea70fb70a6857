"""The tasks about files that the outbox runs: remove copies, and give up on what never came.

They find what an event was lost for, so that no file waits forever.
"""

from collections.abc import Callable, Mapping
from functools import partial

from chalicelib.domain.documents import document as documents
from chalicelib.domain.documents.check_events import CheckRequest
from chalicelib.domain.documents.document import Document, DocumentState
from chalicelib.domain.documents.reasons import RejectionReason
from chalicelib.domain.notices.document_notices import (
    EXPIRE_CHECK_RULE,
    EXPIRE_UPLOAD_RULE,
    RECHECK_FILE_RULE,
    REMOVE_FILES_RULE,
)
from chalicelib.domain.notices.tasks import OutboxTask
from chalicelib.observe import log
from chalicelib.services.documents.news import change_document, load_document, remove_old_copies
from chalicelib.services.platform.run_context import RunContext

_LOST_TO_AN_OUTAGE = frozenset({RejectionReason.SCAN_UNAVAILABLE, RejectionReason.CHECK_UNAVAILABLE})


def run_file_task(task: OutboxTask, *, context: RunContext) -> bool:
    """Run a task about a file. Return False if there was nothing left to do."""
    document_id = task.event_id or ""
    loaded = load_document(task.referral_id, document_id, context=context)
    if loaded is None:
        return False
    return _TASKS[task.rule](task.referral_id, loaded[1], context=context)


def _expire_upload(referral_id: str, document: Document, *, context: RunContext) -> bool:
    """Reject a file that never arrived. If it did arrive, and only the news of it was lost, check it now."""
    if document.state is not DocumentState.AWAITING_UPLOAD:
        return False
    uploaded = context.stores.files.name_upload(referral_id, document.document_id)
    version_id = context.stores.files.find_upload_version(uploaded)
    if version_id is None:
        change_document(referral_id, document.document_id, partial(_give_up, context=context), context=context)
        return True
    change_document(
        referral_id,
        document.document_id,
        partial(documents.note_upload, version_id=version_id, at=context.now),
        context=context,
    )
    _request_missing(referral_id, document, version_id, context=context)
    return True


def _recheck(referral_id: str, document: Document, *, context: RunContext) -> bool:
    """Ask again for what is missing, or share what is ready."""
    if document.state is not DocumentState.CHECKING or document.upload_version_id is None:
        return False
    if document.is_ready_to_share:
        # Both results were recorded, and then the run that shares it crashed.
        change_document(referral_id, document.document_id, lambda found: found, context=context)
    else:
        _request_missing(referral_id, document, document.upload_version_id, context=context)
    return True


def _expire_check(referral_id: str, document: Document, *, context: RunContext) -> bool:
    """Share what is ready after all, or reject a file whose check or scan never came. Leave no old copy behind."""
    if document.state is not DocumentState.CHECKING:
        return remove_old_copies(referral_id, document, context=context)
    reason = documents.find_expiry_reason(document)
    if reason in _LOST_TO_AN_OUTAGE:
        # An alarm of the operator counts these lines.
        log.error("document check lost", error=reason)
    change_document(referral_id, document.document_id, partial(_give_up, context=context), context=context)
    return True


def _give_up(document: Document, *, context: RunContext) -> Document:
    reason = documents.find_expiry_reason(document)
    return documents.reject(document, reason, at=context.now) if reason else document


def _request_missing(referral_id: str, document: Document, version_id: str, *, context: RunContext) -> None:
    uploaded = context.stores.files.name_upload(referral_id, document.document_id, version_id)
    missing = CheckRequest(check=document.check is None, malware=document.verdict is None)
    context.stores.files.request_check(uploaded, missing)


_TASKS: Mapping[str, Callable[..., bool]] = {
    REMOVE_FILES_RULE: remove_old_copies,
    EXPIRE_UPLOAD_RULE: _expire_upload,
    RECHECK_FILE_RULE: _recheck,
    EXPIRE_CHECK_RULE: _expire_check,
}
