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
    at: str


class MessageResponse(TypedDict):
    """A message. `side` is the side of its sender."""

    message_id: str
    number: int
    side: str
    sender_name: str
    sent_at: str
    text: str
    read_by: list[MessageReaderResponse]


class MessagePageResponse(TypedDict):
    """A page of messages. `unread` counts messages of the other side that the caller has not read."""

    items: list[MessageResponse]
    next_cursor: str | None
    unread: int
    may_send: bool


class MessagesUnreadResponse(TypedDict):
    """How many messages of the other side the caller has not read."""

    unread: int


class RequestedItemResponse(TypedDict):
    """An item of an information request. `state` is `open` or the kind of its answer."""

    item_id: str
    item: str | None
    label: str
    state: str
    text: str | None
    answered_at: str | None
    answered_by: str | None
    document_id: str | None


class AnswerNoteResponse(TypedDict):
    """A note to the center that came with an answer."""

    text: str
    written_at: str
    written_by: str


class InformationRequestResponse(TypedDict):
    """An information request with its answers. `state` is `open` or `closed`."""

    request_id: str
    state: str
    text: str | None
    requested_at: str
    requested_by: str
    open_items: int
    items: list[RequestedItemResponse]
    notes: list[AnswerNoteResponse]
    closed_at: str | None
    closed_by: str | None
    close_reason: str | None


class RequestableItemResponse(TypedDict):
    """An item that a center can ask for by code: a `document`, or a `fact` of the referral itself."""

    code: str
    label: str
    kind: str


class InformationRequestsResponse(TypedDict):
    """The information requests of a referral, newest first, and what the caller can do."""

    items: list[InformationRequestResponse]
    may_request: bool
    may_answer: bool
    requestable_items: list[RequestableItemResponse]


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
