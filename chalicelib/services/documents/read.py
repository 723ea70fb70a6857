"""Read documents: the list, one of them, and a link to its file."""

from collections.abc import Sequence

from chalicelib.domain.coverage.letter import LetterVersion
from chalicelib.domain.documents.document import Document, DocumentState
from chalicelib.domain.documents.file_types import LinkDisplay
from chalicelib.domain.identity.members import Member
from chalicelib.domain.referrals.referral import Referral
from chalicelib.errors import ConflictError
from chalicelib.services.documents.entry import get_document_or_404
from chalicelib.services.platform.run_context import RunContext
from chalicelib.services.referrals.access import build_member_audit_entry, get_visible_or_404
from chalicelib.services.referrals.write_once import audit_refusals


def list_documents(
    referral_id: str, *, member: Member, context: RunContext
) -> tuple[Referral, Sequence[Document], LetterVersion | None]:
    """List the documents that a member can see, newest first, and the saved letter of medical necessity."""
    referral = get_visible_or_404(referral_id, member, "document.list", context=context)
    context.stores.audit_log.append(build_member_audit_entry(referral, member, "document.list", context.now))
    listed = context.stores.documents.list_for_referral(referral_id, scope=referral.practice_id)
    letter = context.stores.coverage_letters.get_latest(referral_id, scope=referral.practice_id)
    return referral, [document for document in listed if document.is_visible_to(member.actor)], letter


def get_document(
    referral_id: str, document_id: str, *, member: Member, context: RunContext
) -> tuple[Referral, Document]:
    """Get one document.

    Raises:
        NotFoundError: no such referral or document, or another tenant's.
    """
    referral = get_visible_or_404(referral_id, member, "document.read", context=context)
    document = get_document_or_404(referral, document_id, member, context=context)
    context.stores.audit_log.append(build_member_audit_entry(referral, member, "document.read", context.now))
    return referral, document


def create_link(
    referral_id: str, document_id: str, display: LinkDisplay, *, member: Member, context: RunContext
) -> str:
    """Create a link to the file of a document. The audit row is written first: anyone with the link can read.

    Raises:
        NotFoundError: no such referral or document, or another tenant's.
        ConflictError: the document has no file that can be read, or none that a browser can show.
    """
    action = "document.opened"
    referral = get_visible_or_404(referral_id, member, action, context=context)
    document = get_document_or_404(referral, document_id, member, context=context)
    entry = build_member_audit_entry(referral, member, action, context.now)
    with audit_refusals(entry, context=context):
        if document.state is not DocumentState.AVAILABLE or document.stored is None:
            raise ConflictError("no_file", "This document has no file that can be opened now. Reload to see why.")
        if display is LinkDisplay.INLINE and not document.is_viewable:
            raise ConflictError("not_viewable", "Browsers cannot show this type of file. Download it instead.")
    context.stores.audit_log.append(entry)
    return context.stores.files.build_link(referral_id, document, document.stored, display, now=context.now)
