"""Messages between the two teams of a referral: write, list, and confirm that they were read.

A message is an event of the referral, so both sides see it in the timeline and as an unread change. Its
text is in a row of its own, and never in an email, a log or an audit row.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from chalicelib.domain.identity.members import Member
from chalicelib.domain.platform.ids import derive_id
from chalicelib.domain.platform.rate_limit import MESSAGES_PER_MEMBER
from chalicelib.domain.referrals.events import EventSource, MessageSent
from chalicelib.domain.referrals.messages import Message, ReadReceipt
from chalicelib.domain.referrals.referral import Referral
from chalicelib.domain.referrals.stage_changes import Applied, with_next_version
from chalicelib.errors import ConflictError, FieldError, MalformedError, NotFoundError
from chalicelib.services.platform.optimistic import commit_with_retry
from chalicelib.services.platform.run_context import RunContext
from chalicelib.services.referrals.access import build_member_audit_entry, get_visible_or_404
from chalicelib.services.referrals.decision_context import load_decision_context
from chalicelib.services.referrals.event_writes import prepare_event_writes
from chalicelib.services.referrals.unread import load_unread
from chalicelib.services.referrals.write_once import commit_once, write_once
from chalicelib.store.platform.idempotency import IdempotentRequest, StoredResponse
from chalicelib.store.platform.transactions import ConditionFailedError
from chalicelib.store.referrals.last_viewed import MESSAGES_SEEN_WRITE
from chalicelib.store.referrals.messages import RECEIPT_WRITE

PagePosition = Mapping[str, Any] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MessagePage:
    """One page of the messages of a referral, newest first.

    Attributes:
        receipts: Who read them.
        unread: How many of the other side's messages the reader has not read.
    """

    referral: Referral
    messages: Sequence[Message]
    receipts: Sequence[ReadReceipt]
    position: PagePosition
    unread: int


def send_message(
    referral_id: str,
    text: str,
    *,
    member: Member,
    request: IdempotentRequest,
    build_response: Callable[[Message], StoredResponse],
    context: RunContext,
) -> StoredResponse:
    """Send a message to the other side, at any time after the submission, also after the referral ended.

    Raises:
        NotFoundError: no such referral, or another tenant's.
        ConflictError: the referral was never submitted, so no other side can read it.
        RateLimitedError: the member sent too many messages.
    """
    referral = get_visible_or_404(referral_id, member, "message.sent", context=context)

    def attempt() -> StoredResponse:
        referral = get_visible_or_404(referral_id, member, "message.sent", context=context)
        if not referral.is_with_center:
            raise ConflictError("not_submitted", "Submit the referral first. Then you can write to the center.")
        event = _build_event(referral, member, request, context=context)
        message = Message(
            message_id=event.message_id,
            number=referral.conversation.last_number + 1,
            side_number=referral.conversation.count_messages_from(member.actor) + 1,
            side=member.actor,
            sender_id=member.member_id,
            sender_name=member.name,
            sent_at=context.now,
            text=text,
        )
        decision = Applied(with_next_version(referral, event, load_decision_context(referral, context=context)))
        return commit_once(
            request,
            build_response(message),
            *prepare_event_writes(decision, event, member.tenant_id, before=referral, context=context),
            context.stores.messages.prepare_add(referral_id, message, scope=referral.practice_id),
            context=context,
        )

    refused_as = build_member_audit_entry(referral, member, "message.sent", context.now)
    return write_once(attempt, request=request, limit=MESSAGES_PER_MEMBER, refused_as=refused_as, context=context)


def list_messages(
    referral_id: str, *, limit: int, start: PagePosition, member: Member, context: RunContext
) -> MessagePage:
    """List a page of the messages. This alone does not count as reading: a program may be asking."""
    referral = get_visible_or_404(referral_id, member, "message.list", context=context)
    entry = build_member_audit_entry(referral, member, "message.list", context.now)
    audit_row = context.calls.start(partial(context.stores.audit_log.append, entry))
    unread = context.calls.start(partial(load_unread, referral, member=member, context=context))
    scope = referral.practice_id
    messages, position = context.stores.messages.list_page(referral_id, scope=scope, limit=limit, start=start)
    receipts = (
        context.stores.messages.list_receipts(referral_id, scope=scope, since=messages[-1].number) if messages else ()
    )
    audit_row.result()
    return MessagePage(
        referral=referral,
        messages=messages,
        receipts=receipts,
        position=position,
        unread=unread.result().messages,
    )


def mark_messages_read(referral_id: str, *, up_to: int, member: Member, context: RunContext) -> int:
    """Record that a member opened the messages up to a number. Return how many are still unread.

    Only messages of the other side get a receipt. The first receipt of a member counts; a repeat changes
    nothing.

    Raises:
        NotFoundError: no such referral, or another tenant's.
        MalformedError: there is no message with this number.
    """
    referral = get_visible_or_404(referral_id, member, "message.read", context=context)
    if up_to > referral.conversation.last_number:
        error = FieldError("/up_to", "unknown", "There is no message with this number. Reload the page.")
        raise MalformedError("malformed", "Check the marked fields.", errors=[error])
    count = _count_from_other_side(referral, up_to, member, context=context)
    unread = load_unread(referral, member=member, context=context).messages
    total = referral.conversation.count_messages_for(member.actor)
    if count <= total - unread:
        return unread
    receipt = ReadReceipt(
        number=up_to,
        side=member.actor,
        reader_id=member.member_id,
        reader_name=member.name,
        read_at=context.now,
    )
    commit_with_retry(lambda: _write_receipt(referral, receipt, member, count=count, context=context))
    return total - count


def _write_receipt(
    referral: Referral, receipt: ReadReceipt, member: Member, *, count: int, context: RunContext
) -> None:
    stores, referral_id = context.stores, referral.referral_id
    entry = build_member_audit_entry(referral, member, "message.read", context.now)
    try:
        stores.transactions.commit(
            stores.messages.prepare_receipt(referral_id, receipt, scope=referral.practice_id),
            stores.last_viewed.prepare_messages_seen(member.member_id, referral_id, count=count, now=context.now),
            stores.audit_log.prepare_append(entry),
        )
    except ConditionFailedError as e:
        # Someone else's audit row was faster: try again. Otherwise the member read them in another tab.
        if not {RECEIPT_WRITE, MESSAGES_SEEN_WRITE} & set(e.items):
            raise


def _count_from_other_side(referral: Referral, up_to: int, member: Member, *, context: RunContext) -> int:
    """Count the messages of the other side up to a number."""
    conversation = referral.conversation
    if up_to == conversation.last_number:
        return conversation.count_messages_for(member.actor)
    message = context.stores.messages.get(referral.referral_id, up_to, scope=referral.practice_id)
    if message is None:
        raise NotFoundError
    from_own_side = message.side_number if message.side is member.actor else up_to - message.side_number
    return up_to - from_own_side


def _build_event(referral: Referral, member: Member, request: IdempotentRequest, *, context: RunContext) -> MessageSent:
    return MessageSent(
        event_id=derive_id("evt", request.scope_key),
        referral_id=referral.referral_id,
        occurred_at=context.now,
        recorded_at=context.now,
        actor=member.actor,
        source=EventSource(member.actor.value),
        actor_id=member.member_id,
        actor_name=member.name,
        message_id=derive_id("note", request.scope_key),
    )
