"""Messages between the two teams of a referral."""

from chalicelib.domain.referrals.messages import Message
from chalicelib.routes.platform import cursors
from chalicelib.routes.platform.endpoint import ApiResponse, declare_endpoint, from_stored_response
from chalicelib.routes.platform.operations import EarlyRead
from chalicelib.routes.platform.query_params import PageQuery
from chalicelib.routes.platform.request import ApiRequest
from chalicelib.routes.referrals.conversation_bodies import MessageBody, MessagesReadBody
from chalicelib.routes.referrals.conversation_responses import (
    MessagePageResponse,
    MessageResponse,
    MessagesUnreadResponse,
    to_message_page_response,
    to_message_response,
)
from chalicelib.services.referrals import messages
from chalicelib.store.platform.idempotency import StoredResponse


@declare_endpoint("GET", "/v1/referrals/{referral_id}/messages", early_read=EarlyRead.REFERRAL)
def list_messages(request: ApiRequest, referral_id: str, query: PageQuery) -> ApiResponse[MessagePageResponse]:
    """List the messages between the two teams, newest first, with who read them."""
    page = messages.list_messages(
        referral_id,
        limit=query.limit,
        start=cursors.decode_cursor(query.cursor, request, query),
        member=request.member,
        context=request.context,
    )
    cursor = cursors.encode_cursor(page.position, request, query)
    return ApiResponse(body=to_message_page_response(page, cursor), headers=cursors.build_link_header(cursor, query))


@declare_endpoint("POST", "/v1/referrals/{referral_id}/messages", status=201, needs_idempotency_key=True)
def send_message(request: ApiRequest, referral_id: str, body: MessageBody) -> ApiResponse[MessageResponse]:
    """Send a message to the other organization; its people are notified without the text."""

    def build_response(message: Message) -> StoredResponse:
        return StoredResponse(status=201, headers={}, body=to_message_response(message))

    stored = messages.send_message(
        referral_id,
        body.text,
        member=request.member,
        request=request.idempotent_request,
        build_response=build_response,
        context=request.context,
    )
    return from_stored_response(stored)


@declare_endpoint("POST", "/v1/referrals/{referral_id}/messages/read", needs_idempotency_key=True)
def mark_messages_read(
    request: ApiRequest, referral_id: str, body: MessagesReadBody
) -> ApiResponse[MessagesUnreadResponse]:
    """Confirm that you opened the messages up to a number; safe to repeat."""
    unread = messages.mark_messages_read(referral_id, up_to=body.up_to, member=request.member, context=request.context)
    return ApiResponse(body={"unread": unread})
