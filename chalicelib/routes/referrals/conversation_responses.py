"""Messages and information requests as the API returns them."""

# pydantic needs this one on Python 3.11.
from typing_extensions import TypedDict

from chalicelib.domain.identity.members import Member, TenantKind
from chalicelib.domain.referrals.information_requests import (
    ANSWER_LABEL,
    InformationRequest,
    RequestedItem,
    describe_closing,
)
from chalicelib.domain.referrals.messages import Message, list_readers
from chalicelib.domain.referrals.referral import Referral
from chalicelib.domain.referrals.requestable_items import DOCUMENT_LABELS, ITEM_LABELS, get_item_label
from chalicelib.domain.referrals.stages import TERMINAL_STAGES
from chalicelib.routes.platform.timestamps import format_timestamp
from chalicelib.services.referrals.messages import MessagePage


class MessageReaderResponse(TypedDict):
    """A member of the other side who opened a message, and when for the first time."""

    name: str
    """The name of the member."""
    at: str
    """When they first opened it (RFC 3339, UTC)."""


class MessageResponse(TypedDict):
    """A message. `side` is the side of its sender."""

    message_id: str
    """The ID of the message."""
    number: int
    """The number of the message in its referral, from 1."""
    side: str
    """The side of the sender: `practice` or `center`."""
    sender_name: str
    """The name of the sender."""
    sent_at: str
    """When it was sent (RFC 3339, UTC)."""
    text: str
    """The text of the message."""
    read_by: list[MessageReaderResponse]
    """Members of the other side who opened it."""


class MessagePageResponse(TypedDict):
    """A page of messages. `unread` counts messages of the other side that the caller has not read."""

    items: list[MessageResponse]
    """The messages, newest first."""
    next_cursor: str | None
    """Send it as `cursor` to read the next page; null on the last page."""
    unread: int
    """How many messages of the other side the caller has not read."""
    may_send: bool
    """Whether the caller can send a message."""


class MessagesUnreadResponse(TypedDict):
    """How many messages of the other side the caller has not read."""

    unread: int
    """How many messages of the other side the caller has not read."""


class RequestedItemResponse(TypedDict):
    """An item of an information request. `state` is `open` or the kind of its answer."""

    item_id: str
    """The number of the item within its information request."""
    item: str | None
    """The code of the item, or the center's own words; null if the request names no item."""
    label: str
    """The words for it, for display."""
    state: str
    """`open`, `answered`, `sent_separately`, `none` or `document`."""
    text: str | None
    """The answer in words; null without one."""
    answered_at: str | None
    """When it was answered (RFC 3339, UTC); null while it is open."""
    answered_by: str | None
    """The name of the person who answered; null while it is open."""
    document_id: str | None
    """The document that answers it; null without one."""


class AnswerNoteResponse(TypedDict):
    """A note to the center that came with an answer."""

    text: str
    """The note."""
    written_at: str
    """When it was written (RFC 3339, UTC)."""
    written_by: str
    """The name of the person who wrote it."""


class InformationRequestResponse(TypedDict):
    """An information request with its answers. `state` is `open` or `closed`."""

    request_id: str
    """The ID of the information request."""
    state: str
    """`open` or `closed`."""
    text: str | None
    """What the center asks for, in its own words; null without them."""
    requested_at: str
    """When it was requested (RFC 3339, UTC)."""
    requested_by: str
    """The name of the person who requested it."""
    open_items: int
    """How many items are not answered."""
    items: list[RequestedItemResponse]
    """The items that the center asks for."""
    notes: list[AnswerNoteResponse]
    """Notes to the center that came with answers."""
    closed_at: str | None
    """When it was closed (RFC 3339, UTC); null while it is open."""
    closed_by: str | None
    """The name of the person who closed it; null while it is open."""
    close_reason: str | None
    """Why it was closed, as a code; null while it is open."""


class RequestableItemResponse(TypedDict):
    """An item that a center can ask for by code: a `document`, or a `fact` of the referral itself."""

    code: str
    """The code of the item, for `items` of a request."""
    label: str
    """The words for it, for display."""
    kind: str
    """`document`, or `fact` for a field of the referral."""


class InformationRequestsResponse(TypedDict):
    """The information requests of a referral, newest first, and what the caller can do."""

    items: list[InformationRequestResponse]
    """The information requests, newest first."""
    may_request: bool
    """Whether the caller can ask for information."""
    may_answer: bool
    """Whether the caller can answer."""
    requestable_items: list[RequestableItemResponse]
    """The items that a center can ask for by code."""


def to_message_page_response(page: MessagePage, cursor: str | None) -> MessagePageResponse:
    """A page of messages with their readers."""
    return {
        "items": [to_message_response(message, page) for message in page.messages],
        "next_cursor": cursor,
        "unread": page.unread,
        "may_send": page.referral.is_with_center,
    }


def to_message_response(message: Message, page: MessagePage | None = None) -> MessageResponse:
    """A message; a new one has no readers."""
    readers = list_readers(message, page.receipts) if page else ()
    return {
        "message_id": message.message_id,
        "number": message.number,
        "side": message.side,
        "sender_name": message.sender_name,
        "sent_at": format_timestamp(message.sent_at),
        "text": message.text,
        "read_by": [{"name": reader.reader_name, "at": format_timestamp(reader.read_at)} for reader in readers],
    }


def to_information_requests_response(
    referral: Referral, requests: list[InformationRequest], member: Member
) -> InformationRequestsResponse:
    """All information requests of a referral."""
    is_open = referral.is_with_center and referral.stage not in TERMINAL_STAGES
    return {
        "items": [to_information_request_response(referral, request) for request in requests],
        "may_request": is_open and member.kind is TenantKind.CENTER,
        "may_answer": is_open and member.kind is TenantKind.PRACTICE,
        "requestable_items": [
            {"code": code, "label": label, "kind": "document" if code in DOCUMENT_LABELS else "fact"}
            for code, label in ITEM_LABELS.items()
        ],
    }


def to_information_request_response(referral: Referral, request: InformationRequest) -> InformationRequestResponse:
    """An information request; whether it is open also depends on the referral."""
    closing = describe_closing(request, referral)
    reason, closed_at = closing or (None, None)
    return {
        "request_id": request.request_id,
        "state": "closed" if closing else "open",
        "text": request.text,
        "requested_at": format_timestamp(request.requested_at),
        "requested_by": request.requested_by,
        "open_items": 0 if closing else request.open_items,
        "items": [_to_item_response(item) for item in request.items],
        "notes": [
            {"text": note.text, "written_at": format_timestamp(note.written_at), "written_by": note.written_by}
            for note in request.notes
        ],
        "closed_at": format_timestamp(closed_at) if closed_at else None,
        "closed_by": request.closed_by,
        "close_reason": reason,
    }


def _to_item_response(item: RequestedItem) -> RequestedItemResponse:
    answer = item.answer
    return {
        "item_id": item.item_id,
        "item": item.item,
        "label": get_item_label(item.item) if item.item else ANSWER_LABEL,
        "state": answer.kind if answer else "open",
        "text": answer.text if answer else None,
        "answered_at": format_timestamp(answer.answered_at) if answer else None,
        "answered_by": answer.answered_by if answer else None,
        "document_id": answer.document_id if answer else None,
    }
