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
    """A stable code for programs."""
    text: str
    """The words for it, for display."""


class FileResponse(TypedDict):
    """The file of a document. `size` is in bytes; `pages` is known after its check.

    `removed` names what the checked copy no longer has, such as `script` or `metadata`.
    """

    name: str
    """The name of the file."""
    type: str
    """The media type that the check found, or that was announced before it."""
    size: int
    """The size of the file, in bytes."""
    pages: int | None
    """How many pages it has; null before the check."""
    removed: list[str]
    """What the check removed from the file, such as scripts."""


class SentOutsideResponse(TypedDict):
    """What was sent another way. `arrival` is what the other side says about it."""

    channel: str
    """How it was sent, as a code."""
    channel_label: str
    """How it was sent, for display."""
    sent_on: str
    """The day on which it was sent (YYYY-MM-DD)."""
    to: str | None
    """The number, portal or person it was sent to; null if not entered."""
    pages: int | None
    """How many pages it has; null if not entered."""
    confirmation: str | None
    """The confirmation number; null if not entered."""
    arrival: str | None
    """What the other side says: `received` or `not_found`; null if nothing yet."""
    arrival_at: str | None
    """When the other side said so (RFC 3339, UTC); null if it did not."""
    arrival_by: str | None
    """The name of the person who said so; null if no one did."""


class AnswersResponse(TypedDict):
    """The item of an information request that a document answers."""

    request_id: str
    """The ID of the information request."""
    item_id: str
    """The number of the item within its information request."""


class RemovalResponse(TypedDict):
    """Who removed a document, when and why."""

    reason: ReasonResponse
    """Why it was removed."""
    at: str
    """When it happened (RFC 3339, UTC)."""
    by: str
    """The name of the person who removed it."""


class DocumentResponse(TypedDict):
    """A document, and what the caller can do with it. It has a `file` or was `sent` another way."""

    document_id: str
    """The ID of the document."""
    kind: str
    """What kind of document it is, as a code."""
    kind_label: str
    """What kind of document it is, for display."""
    side: str
    """Which side it comes from: `practice` or `center`."""
    added_by: str
    """The name of the person who added it."""
    added_at: str
    """When it was added (RFC 3339, UTC)."""
    state: str
    """`awaiting_upload`, `checking`, `available`, `rejected`, `deleted` or `sent_outside`."""
    state_label: str
    """The state, for display."""
    file: FileResponse | None
    """The file; null if it was sent another way."""
    sent: SentOutsideResponse | None
    """What was sent another way; null if it has a file."""
    answers: AnswersResponse | None
    """The item of an information request that it answers; null if none."""
    note: str | None
    """A note to the other side; null without one."""
    rejected_because: ReasonResponse | None
    """Why the check rejected the file; null if it did not."""
    removed: RemovalResponse | None
    """Who removed it and why; null if no one did."""
    version: int
    """The version of the object. Send it in `If-Match` with a change."""
    may_open: bool
    """Whether the caller can open the file."""
    may_view: bool
    """Whether a browser can show the file in a tab."""
    may_remove: list[ReasonResponse]
    """The reasons with which the caller can remove it; empty if they cannot."""
    may_report_arrival: bool
    """Whether the caller can say that it was received or not found."""


class UploadFormResponse(TypedDict):
    """How to upload the file: a POST of `multipart/form-data` with these fields, and then the field `file`."""

    url: str
    """Where to send the form."""
    fields: dict[str, str]
    """The fields of the form, by name. Send them before the field `file`."""
    expires_at: str
    """Until when the form can be sent (RFC 3339, UTC)."""


class AddedDocumentResponse(TypedDict):
    """A new document. `upload` is how to send its file."""

    document: DocumentResponse
    """The document."""
    upload: UploadFormResponse | None
    """How to send the file; null if the document has none."""


class PacketDocumentResponse(TypedDict):
    """A document of the referral packet, and whether the center has it."""

    kind: str
    """What kind of document it is, as a code."""
    label: str
    """The words for it, for display."""
    state: str
    """`available`, `sent_outside`, `on_the_way`, `not_found` or `missing`."""


class SavedLetterResponse(TypedDict):
    """The newest saved version of the letter of medical necessity; `/coverage/letter` has its text."""

    version: int
    """The version of the letter."""
    final: bool
    """Whether the letter is marked as final."""
    saved_at: str
    """When it was saved (RFC 3339, UTC)."""
    saved_by: str
    """The name of the person who saved it."""


class DocumentsResponse(TypedDict):
    """The documents of a referral, newest first; what is missing of the packet; and what the caller can add.

    `letter` is the letter of medical necessity; null until a version is saved.
    """

    items: list[DocumentResponse]
    """The documents, newest first."""
    letter: SavedLetterResponse | None
    """The newest saved letter of medical necessity; null without one."""
    packet: list[PacketDocumentResponse]
    """The documents that a packet needs."""
    may_add: bool
    """Whether the caller can add a document."""
    why_not: str | None
    """Why the reader cannot do it now; null if they can."""
    kinds: list[ReasonResponse]
    """The kinds of documents that the caller can add."""
    channels: list[ReasonResponse]
    """The ways in which a document can be sent outside the product."""
    max_bytes: int
    """The largest size, in bytes."""


class DocumentLinkResponse(TypedDict):
    """A link that opens the file once the caller follows it, until `expires_in_s` is over."""

    url: str
    """The address of the file."""
    expires_in_s: int
    """How long the link works, in seconds."""


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
