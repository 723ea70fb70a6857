"""Documents as the API returns them."""

from collections.abc import Mapping, Sequence
from typing import Any

# pydantic needs this one on Python 3.11.
from typing_extensions import TypedDict

from chalicelib.domain.coverage.letter import LetterVersion
from chalicelib.domain.documents import document as documents
from chalicelib.domain.documents.document import CHANNEL_LABELS, OPEN_STATES, STATE_LABELS, Document, DocumentState
from chalicelib.domain.documents.kinds import KIND_LABELS
from chalicelib.domain.documents.limits import LINK_LIFETIME, MAX_FILE_BYTES
from chalicelib.domain.documents.packet_documents import PacketDocumentState, list_packet_documents
from chalicelib.domain.documents.reasons import (
    ALWAYS_ALLOWED,
    DELETION_LABELS,
    PERSON_REASONS,
    REJECTION_SENTENCES,
    DeletionReason,
)
from chalicelib.domain.identity.members import Member, TenantKind
from chalicelib.domain.referrals.consent import has_basis
from chalicelib.domain.referrals.referral import Referral
from chalicelib.domain.referrals.stages import TERMINAL_STAGES
from chalicelib.routes.platform.timestamps import format_timestamp
from chalicelib.store.documents.signing import UploadForm


class ReasonResponse(TypedDict):
    """A reason: its code, and a sentence or label for people."""

    code: str
    text: str


class FileResponse(TypedDict):
    """The file of a document. `size` is in bytes; `pages` is known after its check.

    `removed` names what the checked copy no longer has, such as `script` or `metadata`.
    """

    name: str
    type: str
    size: int
    pages: int | None
    removed: list[str]


class SentOutsideResponse(TypedDict):
    """What was sent another way. `arrival` is what the other side says about it."""

    channel: str
    channel_label: str
    sent_on: str
    to: str | None
    pages: int | None
    confirmation: str | None
    arrival: str | None
    arrival_at: str | None
    arrival_by: str | None


class AnswersResponse(TypedDict):
    """The item of an information request that a document answers."""

    request_id: str
    item_id: str


class RemovalResponse(TypedDict):
    """Who removed a document, when and why."""

    reason: ReasonResponse
    at: str
    by: str


class DocumentResponse(TypedDict):
    """A document, and what the caller can do with it. It has a `file` or was `sent` another way."""

    document_id: str
    kind: str
    kind_label: str
    side: str
    added_by: str
    added_at: str
    state: str
    state_label: str
    file: FileResponse | None
    sent: SentOutsideResponse | None
    answers: AnswersResponse | None
    note: str | None
    rejected_because: ReasonResponse | None
    removed: RemovalResponse | None
    version: int
    may_open: bool
    may_view: bool
    may_remove: list[ReasonResponse]
    may_report_arrival: bool


class UploadFormResponse(TypedDict):
    """How to upload the file: a POST of `multipart/form-data` with these fields, and then the field `file`."""

    url: str
    fields: dict[str, str]
    expires_at: str


class AddedDocumentResponse(TypedDict):
    """A new document. `upload` is how to send its file."""

    document: DocumentResponse
    upload: UploadFormResponse | None


class PacketDocumentResponse(TypedDict):
    """A document of the referral packet, and whether the center has it."""

    kind: str
    label: str
    state: str


class SavedLetterResponse(TypedDict):
    """The newest saved version of the letter of medical necessity; `/coverage/letter` has its text."""

    version: int
    final: bool
    saved_at: str
    saved_by: str


class DocumentsResponse(TypedDict):
    """The documents of a referral, newest first; what is missing of the packet; and what the caller can add.

    `letter` is the letter of medical necessity; null until a version is saved.
    """

    items: list[DocumentResponse]
    letter: SavedLetterResponse | None
    packet: list[PacketDocumentResponse]
    may_add: bool
    why_not: str | None
    kinds: list[ReasonResponse]
    channels: list[ReasonResponse]
    max_bytes: int


class DocumentLinkResponse(TypedDict):
    """A link that opens the file once the caller follows it, until `expires_in_s` is over."""

    url: str
    expires_in_s: int


def to_documents_response(
    referral: Referral, listed: Sequence[Document], letter: LetterVersion | None, member: Member
) -> DocumentsResponse:
    """The documents that a member can see, and the letter."""
    why_not = _find_reason_not_to_add(referral, member)
    packet = list_packet_documents(listed)
    return {
        "items": [to_document_response(document, referral, member) for document in listed],
        "letter": _to_letter_response(letter),
        "packet": [
            {"kind": entry.kind, "label": KIND_LABELS[entry.kind], "state": PacketDocumentState(entry.state).value}
            for entry in packet
        ],
        "may_add": why_not is None,
        "why_not": why_not,
        "kinds": _to_choices(KIND_LABELS),
        "channels": _to_choices(CHANNEL_LABELS),
        "max_bytes": MAX_FILE_BYTES,
    }


def to_document_response(document: Document, referral: Referral, member: Member) -> DocumentResponse:
    """A document as one member sees it."""
    return {
        "document_id": document.document_id,
        "kind": document.kind,
        "kind_label": KIND_LABELS.get(document.kind, document.kind),
        "side": document.side,
        "added_by": document.added_by,
        "added_at": format_timestamp(document.added_at),
        "state": document.state,
        "state_label": STATE_LABELS[document.state],
        "file": _to_file_response(document),
        "sent": _to_sent_response(document),
        "answers": (
            {"request_id": document.answers.request_id, "item_id": document.answers.item_id}
            if document.answers
            else None
        ),
        "note": document.note,
        "rejected_because": (
            {"code": document.rejected_because, "text": REJECTION_SENTENCES[document.rejected_because]}
            if document.rejected_because
            else None
        ),
        "removed": _to_removal_response(document),
        "version": document.version,
        "may_open": document.state is DocumentState.AVAILABLE,
        "may_view": document.is_viewable,
        "may_remove": _list_removal_reasons(document, referral, member),
        "may_report_arrival": documents.can_report_arrival(document, member.actor),
    }


def to_upload_form_response(form: UploadForm | None) -> UploadFormResponse | None:
    """How to upload the file of a new document."""
    if form is None:
        return None
    return {"url": form.url, "fields": dict(form.fields), "expires_at": format_timestamp(form.expires_at)}


def to_link_response(url: str) -> DocumentLinkResponse:
    """A link to a file."""
    return {"url": url, "expires_in_s": int(LINK_LIFETIME.total_seconds())}


def build_document_etag(document: Document) -> dict[str, str]:
    """The ETag of a document."""
    return {"ETag": f'"{document.version}"'}


def _to_letter_response(letter: LetterVersion | None) -> SavedLetterResponse | None:
    if letter is None:
        return None
    return {
        "version": letter.version,
        "final": letter.is_final,
        "saved_at": format_timestamp(letter.saved_at),
        "saved_by": letter.saved_by,
    }


def _find_reason_not_to_add(referral: Referral, member: Member) -> str | None:
    if not referral.is_with_center:
        return "Submit the referral first. Then you can add documents."
    if referral.stage in TERMINAL_STAGES:
        return "This referral is closed."
    if member.kind is TenantKind.PRACTICE and not has_basis(referral.details.get("consent_to_share")):
        return "The patient's consent to share is missing or was withdrawn."
    return None


def _list_removal_reasons(document: Document, referral: Referral, member: Member) -> list[ReasonResponse]:
    """The reasons for which a member can remove a document now. Empty if there is none."""
    is_on_the_way = document.state in OPEN_STATES
    fitting = [
        reason
        for reason in DeletionReason
        if reason in PERSON_REASONS and (reason is DeletionReason.CANCELED) is is_on_the_way
    ]
    possible = [reason for reason in fitting if documents.can_delete(document, referral, member.actor, reason)]
    # Another patient's record comes first: it is urgent.
    possible.sort(key=lambda reason: reason not in ALWAYS_ALLOWED)
    return [{"code": reason, "text": DELETION_LABELS[reason]} for reason in possible]


def _to_file_response(document: Document) -> FileResponse | None:
    announced = document.announced
    if announced is None:
        return None
    cleaned = document.stored or (document.check.cleaned if document.check else None)
    return {
        "name": announced.name,
        "type": announced.type,
        "size": announced.size,
        "pages": cleaned.pages if cleaned else None,
        "removed": list(cleaned.removed) if cleaned else [],
    }


def _to_sent_response(document: Document) -> SentOutsideResponse | None:
    sent, arrival = document.sent, document.arrival
    if sent is None:
        return None
    return {
        "channel": sent.channel,
        "channel_label": CHANNEL_LABELS[sent.channel],
        "sent_on": sent.sent_on.isoformat(),
        "to": sent.to,
        "pages": sent.pages,
        "confirmation": sent.confirmation,
        "arrival": arrival.arrival if arrival else None,
        "arrival_at": format_timestamp(arrival.at) if arrival else None,
        "arrival_by": arrival.by if arrival else None,
    }


def _to_removal_response(document: Document) -> RemovalResponse | None:
    deletion = document.deletion
    if deletion is None:
        return None
    reason: ReasonResponse = {"code": deletion.reason, "text": DELETION_LABELS[deletion.reason]}
    return {"reason": reason, "at": format_timestamp(deletion.at), "by": deletion.by}


def _to_choices(labels: Mapping[Any, str]) -> list[ReasonResponse]:
    return [{"code": str(code), "text": label} for code, label in labels.items()]
