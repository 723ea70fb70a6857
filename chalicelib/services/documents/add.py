"""Add a document: announce a file and get the form to upload it, or record what was sent another way."""

from collections.abc import Callable
from dataclasses import dataclass

from chalicelib.domain.documents.document import AnnouncedFile, AnsweredItem, Document, DocumentState, SentRecord
from chalicelib.domain.documents.limits import UPLOAD_EXPIRES_AFTER
from chalicelib.domain.identity.members import Member, TenantKind
from chalicelib.domain.notices.document_notices import EXPIRE_UPLOAD_RULE
from chalicelib.domain.platform.ids import derive_id
from chalicelib.domain.platform.rate_limit import DOCUMENTS_PER_MEMBER
from chalicelib.domain.referrals.consent import has_basis
from chalicelib.domain.referrals.information_requests import describe_closing
from chalicelib.domain.referrals.referral import Referral
from chalicelib.domain.referrals.stages import TERMINAL_STAGES
from chalicelib.errors import ConflictError, FieldError, MalformedError
from chalicelib.services.documents.entry import build_file_task
from chalicelib.services.documents.sharing import prepare_share_writes
from chalicelib.services.platform.run_context import RunContext
from chalicelib.services.referrals.access import build_member_audit_entry, get_visible_or_404
from chalicelib.services.referrals.write_once import commit_once, write_once
from chalicelib.store.documents.documents import DOCUMENT_TOTALS_WRITE
from chalicelib.store.documents.signing import UploadForm
from chalicelib.store.platform.idempotency import IdempotentRequest, StoredResponse
from chalicelib.store.platform.transactions import ConditionFailedError

BuildResponse = Callable[[Referral, Document, UploadForm | None], StoredResponse]

_ACTION = "document.added"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDocument:
    """What a person enters: a file, or what was sent another way; exactly one of the two."""

    kind: str
    file: AnnouncedFile | None
    sent: SentRecord | None
    answers: AnsweredItem | None
    note: str | None


def add_document(
    referral_id: str,
    new: NewDocument,
    *,
    member: Member,
    request: IdempotentRequest,
    build_response: BuildResponse,
    context: RunContext,
) -> StoredResponse:
    """Add a document to an open referral.

    Raises:
        NotFoundError: no such referral, or another tenant's.
        ConflictError: the referral is a draft or closed, there is no consent, the referral has no space left, or
            the item is answered already.
        MalformedError: the item that it answers does not exist.
        RateLimitedError: the member added too many documents.
    """
    found = get_visible_or_404(referral_id, member, _ACTION, context=context)

    def attempt() -> StoredResponse:
        referral = get_visible_or_404(referral_id, member, _ACTION, context=context)
        _require_open(referral, member)
        _require_open_item(new.answers, referral, member, context=context)
        document = Document(
            document_id=derive_id("doc", request.scope_key),
            kind=new.kind,
            side=member.actor,
            added_by_id=member.member_id,
            added_by=member.name,
            added_at=context.now,
            state=DocumentState.AWAITING_UPLOAD if new.file else DocumentState.SENT_OUTSIDE,
            announced=new.file,
            sent=new.sent,
            answers=new.answers,
            note=new.note,
        )
        if new.file:
            return _announce_file(new.file, document, referral, member, request, build_response, context=context)
        shared, writes = prepare_share_writes(document, referral, None, is_new=True, context=context)
        return commit_once(request, build_response(referral, shared, None), *writes, context=context)

    refused_as = build_member_audit_entry(found, member, _ACTION, context.now)
    return write_once(attempt, request=request, limit=DOCUMENTS_PER_MEMBER, refused_as=refused_as, context=context)


def _announce_file(
    file: AnnouncedFile,
    document: Document,
    referral: Referral,
    member: Member,
    request: IdempotentRequest,
    build_response: BuildResponse,
    *,
    context: RunContext,
) -> StoredResponse:
    stores, referral_id = context.stores, referral.referral_id
    form = stores.files.build_upload_form(referral_id, document.document_id, file.type, now=context.now)
    task = build_file_task(referral_id, document, EXPIRE_UPLOAD_RULE, due_in=UPLOAD_EXPIRES_AFTER, context=context)
    try:
        return commit_once(
            request,
            build_response(referral, document, form),
            stores.documents.prepare_add(referral_id, document, scope=referral.practice_id),
            stores.documents.prepare_reserve(referral_id, file.size),
            stores.audit_log.prepare_append(build_member_audit_entry(referral, member, _ACTION, context.now)),
            stores.outbox.prepare_plan(task),
            context=context,
        )
    except ConditionFailedError as e:
        if DOCUMENT_TOTALS_WRITE in e.items:
            raise ConflictError(
                "no_space",
                "This referral already has 30 files, or 250 MB. Remove a document that is no longer needed.",
            ) from e
        raise


def _require_open(referral: Referral, member: Member) -> None:
    if not referral.is_with_center:
        raise ConflictError("not_submitted", "Submit the referral first. Then you can add documents.")
    if referral.stage in TERMINAL_STAGES:
        raise ConflictError("referral_closed", "This referral is closed. You can send a message.")
    if member.kind is TenantKind.PRACTICE and not has_basis(referral.details.get("consent_to_share")):
        raise ConflictError(
            "no_consent", "The patient's consent to share is missing or was withdrawn. Record it, then add documents."
        )


def _require_open_item(
    answers: AnsweredItem | None, referral: Referral, member: Member, *, context: RunContext
) -> None:
    if answers is None:
        return
    request = context.stores.information_requests.get(
        referral.referral_id, answers.request_id, scope=referral.practice_id
    )
    if request is None or member.kind is not TenantKind.PRACTICE:
        error = FieldError("/answers/request_id", "unknown", "This referral has no such information request.")
        raise MalformedError("malformed", "Check the marked fields.", errors=[error])
    if answers.item_id not in {item.item_id for item in request.items}:
        error = FieldError("/answers/item_id", "unknown", "This request has no such item.")
        raise MalformedError("malformed", "Check the marked fields.", errors=[error])
    if describe_closing(request, referral):
        raise ConflictError("request_closed", "This information request is closed. Add the document without an answer.")
    if not request.is_item_open(answers.item_id):
        raise ConflictError(
            "item_answered",
            "Someone on your team already answered this item. Reload to see the answer. Nothing was saved.",
            errors=[FieldError("/answers/item_id", "answered", "This item already has an answer.")],
        )
