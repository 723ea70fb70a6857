"""The notices of documents: who is notified of one that was shared, removed, refused, received or not found.

No title names a document, a file or a patient: titles are stored in clear text.
"""

from chalicelib.domain.identity.members import TenantKind
from chalicelib.domain.referrals.events import (
    DocumentArrivalReported,
    DocumentDeleted,
    DocumentShared,
    ReferralEvent,
)
from chalicelib.domain.referrals.stages import Actor

DOCUMENT_NOT_FOUND_RULE = "document.not_found"
"""The other side did not find what was sent by fax or another way, so it must be sent again."""

DOCUMENT_REJECTED_RULE = "document.rejected"
"""A file was not accepted. Its own side is notified. No event follows: the other side never saw the file."""

DOCUMENT_MALWARE_RULE = "document.malware"
"""A file contained malware. Its own side is notified."""

REMOVE_FILES_RULE = "document.remove_files"
"""Remove every copy of a file that was refused or removed. It notifies no one."""

EXPIRE_UPLOAD_RULE = "document.expire_upload"
"""Reject a file that never arrived."""

RECHECK_FILE_RULE = "document.recheck"
"""Ask again for the check and the scan of a file, if one of them is missing."""

EXPIRE_CHECK_RULE = "document.expire_check"
"""Reject a file whose check or scan never came."""

DOCUMENT_WORK_RULES = frozenset({REMOVE_FILES_RULE, EXPIRE_UPLOAD_RULE, RECHECK_FILE_RULE, EXPIRE_CHECK_RULE})
"""The tasks that do something with a file instead of notifying people."""

_OTHER_SIDE = {Actor.CENTER: TenantKind.PRACTICE, Actor.PRACTICE: TenantKind.CENTER}


def find_side_to_notify_of_document(event: ReferralEvent) -> TenantKind | None:
    """The side that did not cause it; None if the event is not about a document."""
    is_document = isinstance(event, DocumentShared | DocumentDeleted | DocumentArrivalReported)
    return _OTHER_SIDE.get(event.actor) if is_document else None


def find_document_rule(event: ReferralEvent) -> str | None:
    """The rule of a document that was not found; None for the rule of the event's type."""
    is_missing = isinstance(event, DocumentArrivalReported) and event.arrival == "not_found"
    return DOCUMENT_NOT_FOUND_RULE if is_missing else None
