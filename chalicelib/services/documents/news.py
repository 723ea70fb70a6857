"""Record what becomes known about an uploaded file: it arrived, its check, its scan. Share it when both are good.

News comes at least once, in any order, and about any version of the upload. What changes nothing is not written.
Whatever no longer counts is removed from quarantine.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from chalicelib.domain.documents import document as documents
from chalicelib.domain.documents.check_events import (
    CheckOutcome,
    CheckRequest,
    EventContent,
    ScanResult,
    UploadedObject,
    parse_event,
    parse_upload_key,
)
from chalicelib.domain.documents.document import (
    OPEN_STATES,
    CleanedFile,
    Document,
    DocumentState,
    FileCheck,
    ScanStatus,
    ScanVerdict,
)
from chalicelib.domain.documents.reasons import DeletionReason, RejectionReason
from chalicelib.domain.referrals.events import DocumentDeleted
from chalicelib.domain.referrals.referral import Referral
from chalicelib.domain.referrals.stage_changes import Applied, with_next_version
from chalicelib.observe import log
from chalicelib.services.documents.answered_items import build_item_fields, list_item_writes, reopen_item
from chalicelib.services.documents.entry import (
    build_event_fields,
    build_system_audit_entry,
    get_tenant_id,
    list_change_writes,
)
from chalicelib.services.documents.sharing import find_reason_not_to_share, prepare_share_writes
from chalicelib.services.platform.optimistic import commit_with_retry
from chalicelib.services.platform.run_context import RunContext
from chalicelib.services.referrals.decision_context import load_decision_context
from chalicelib.services.referrals.event_writes import prepare_event_writes

_SCAN_STATUSES: Mapping[str, ScanStatus] = {
    "NO_THREATS_FOUND": ScanStatus.CLEAN,
    "THREATS_FOUND": ScanStatus.INFECTED,
    "UNSUPPORTED": ScanStatus.UNSUPPORTED,
}
"""The results of GuardDuty. Any other, such as `ACCESS_DENIED` or `FAILED`, says nothing about the file.

Source: "Monitoring S3 object scans" in the GuardDuty user guide (read 2026-11)."""


def record_event(event: Mapping[str, Any], *, scanners: Collection[str], context: RunContext) -> Mapping[str, int]:
    """Record an event about an upload. A repeat changes nothing.

    Args:
        event: As EventBridge delivers it.
        scanners: The sources whose malware results count. In production only one that no program of the account
            can use, so a function that is taken over cannot say that its own file is clean.
        context: The tables and the time.
    """
    parsed = parse_event(event)
    if parsed is None or parsed[0].bucket != context.stores.files.quarantine.name:
        return {"ignored": 1}
    if isinstance(parsed[1], ScanResult) and parsed[1].engine not in scanners:
        log.error("document verdict refused", counts={"refused": 1})
        return {"refused": 1}
    outcome = _record(*parsed, context=context)
    log.info("document news", counts={outcome: 1})
    return {outcome: 1}


def _record(uploaded: UploadedObject, content: EventContent, *, context: RunContext) -> str:
    ids = parse_upload_key(uploaded.key)
    if ids is None or isinstance(content, CheckRequest):
        return "ignored"
    if not uploaded.version_id:
        version_id = context.stores.files.find_upload_version(uploaded)
        if version_id is None:
            return "gone"
        uploaded = replace(uploaded, version_id=version_id)
    return record_news(*ids, uploaded, content, context=context)


def record_news(
    referral_id: str, document_id: str, uploaded: UploadedObject, content: EventContent, *, context: RunContext
) -> str:
    """Record news about a version of an upload. Return what was done, as a word for the log."""
    read = load_document(referral_id, document_id, context=context)
    if read is None:
        # No one announced it: nothing may keep it.
        context.stores.files.remove_version(uploaded)
        return "unknown"
    change_document(
        referral_id, document_id, lambda document: _follow(document, uploaded, content, context), context=context
    )
    current = load_document(referral_id, document_id, context=context)
    return _remove_what_does_not_count(referral_id, current[1] if current else read[1], uploaded, context=context)


def load_document(referral_id: str, document_id: str, *, context: RunContext) -> tuple[Referral, Document] | None:
    """Read a document with its referral."""
    referral = context.stores.referrals.get(referral_id)
    if referral is None:
        return None
    document = context.stores.documents.get(referral_id, document_id, scope=referral.practice_id)
    return (referral, document) if document else None


def change_document(referral_id: str, document_id: str, change: Any, *, context: RunContext) -> None:
    """Apply a change of the product to a document, and share the file if it is ready then."""
    promoted: dict[str, CleanedFile | None] = {}

    def attempt() -> None:
        read = load_document(referral_id, document_id, context=context)
        if read is None:
            return
        referral, before = read
        after = change(before)
        if after.is_ready_to_share:
            _share_or_reject(before, after, referral, promoted, context=context)
        elif after is not before:
            _commit(before, after, referral, context=context)

    commit_with_retry(attempt)


def remove_old_copies(referral_id: str, document: Document, *, context: RunContext) -> bool:
    """Remove every copy that does not count anymore. Return False while the file is on its way.

    A copy for people can be completed after the file was removed, so this runs again with late news and an hour later.
    A run that copies the file and then dies leaves a version that the record does not name.
    """
    if document.state in OPEN_STATES:
        return False
    context.stores.files.remove_from_quarantine(referral_id, document.document_id)
    kept = document.stored.version_id if document.stored else None
    context.stores.files.remove_document(referral_id, document.document_id, keep=kept)
    return True


def _share_or_reject(
    before: Document,
    ready: Document,
    referral: Referral,
    promoted: dict[str, CleanedFile | None],
    *,
    context: RunContext,
) -> None:
    reason = find_reason_not_to_share(ready, referral)
    if reason:
        _commit(before, documents.reject(ready, reason, at=context.now), referral, context=context)
        return
    cleaned = ready.check.cleaned if ready.check else None
    if cleaned is None:
        raise TypeError("a file that is ready has a cleaned copy")
    if "stored" not in promoted:
        # Only once: another attempt of the commit does not copy the file again.
        version_id = context.stores.files.promote(referral.referral_id, ready, cleaned)
        promoted["stored"] = replace(cleaned, version_id=version_id) if version_id else None
    stored = promoted["stored"]
    if stored is None:
        _commit(
            before,
            documents.reject(ready, RejectionReason.CHECK_UNAVAILABLE, at=context.now),
            referral,
            context=context,
        )
        return
    # `ready` may be newer than what is stored: the condition is on what was read.
    shared, writes = prepare_share_writes(ready, referral, stored, is_new=False, context=context)
    saved = context.stores.documents.prepare_save(referral.referral_id, shared, read=before, scope=referral.practice_id)
    context.stores.transactions.commit(*[saved if write.name == saved.name else write for write in writes])


def _commit(before: Document, after: Document, referral: Referral, *, context: RunContext) -> None:
    stores = context.stores
    writes = list(list_change_writes(before, after, referral, context=context))
    if before.shared_at and before.state is DocumentState.AVAILABLE:
        # The other side could see it, so it must learn that the file was withdrawn.
        reopened = reopen_item(after, referral, context=context)
        event = DocumentDeleted(
            **build_event_fields(after, referral, "withdrawn", context=context),
            **build_item_fields(reopened),
            reason=DeletionReason.MALWARE,
        )
        decision = Applied(with_next_version(referral, event, load_decision_context(referral, context=context)))
        tenant_id = get_tenant_id(referral, after.side)
        writes += prepare_event_writes(decision, event, tenant_id, before=referral, context=context)
        writes += list_item_writes(reopened, referral, context=context)
    else:
        action = "document.rejected" if after.state is DocumentState.REJECTED else "document.checked"
        writes.append(stores.audit_log.prepare_append(build_system_audit_entry(referral, after, action, context)))
    stores.transactions.commit(*writes)


def _follow(document: Document, uploaded: UploadedObject, content: EventContent, context: RunContext) -> Document:
    match content:
        case CheckOutcome():
            return documents.note_check(document, _to_check(document, uploaded, content, context))
        case ScanResult():
            return documents.note_verdict(document, _to_verdict(uploaded, content, context))
    return documents.note_upload(document, uploaded.version_id, at=context.now)


def _to_check(document: Document, uploaded: UploadedObject, result: CheckOutcome, context: RunContext) -> FileCheck:
    announced, reason = document.announced, result.reason
    if reason is None and announced and (result.size, result.sha256) != (announced.size, announced.sha256):
        reason = RejectionReason.CHANGED
    found = result.cleaned
    cleaned = None
    if reason is None and found:
        cleaned = CleanedFile(
            version_id=found["version_id"],
            size=found["size"],
            sha256=found["sha256"],
            pages=found["pages"],
            removed=tuple(found["removed"]),
        )
    return FileCheck(version_id=uploaded.version_id, at=context.now, reason=reason, cleaned=cleaned)


def _to_verdict(uploaded: UploadedObject, result: ScanResult, context: RunContext) -> ScanVerdict:
    return ScanVerdict(
        version_id=uploaded.version_id,
        at=context.now,
        status=_SCAN_STATUSES.get(result.outcome, ScanStatus.FAILED),
        engine=result.engine,
        threat=result.threats[0] if result.threats else None,
    )


def _remove_what_does_not_count(
    referral_id: str, document: Document, uploaded: UploadedObject, *, context: RunContext
) -> str:
    """Remove a version that does not count, and everything in quarantine once the file's state is final."""
    if document.state not in OPEN_STATES:
        # News that comes late can have left a copy behind after the file was removed.
        remove_old_copies(referral_id, document, context=context)
        return "final"
    if document.upload_version_id != uploaded.version_id:
        context.stores.files.remove_version(uploaded)
        return "stale"
    return "recorded"
