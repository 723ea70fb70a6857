"""What a document does to the item of an information request: it answers it, or leaves it open again."""

from collections.abc import Iterator, Mapping
from typing import Any

from chalicelib.domain.documents.document import Document
from chalicelib.domain.referrals.information_requests import (
    AnswerKind,
    CloseReason,
    InformationRequest,
    ItemAnswer,
    describe_closing,
)
from chalicelib.domain.referrals.referral import Referral
from chalicelib.domain.referrals.stages import TERMINAL_STAGES
from chalicelib.services.platform.run_context import RunContext
from chalicelib.store.platform.dynamo import TransactionWrite


def answer_item(document: Document, referral: Referral, *, context: RunContext) -> InformationRequest | None:
    """The information request with the document as its answer; None if the item needs no answer anymore.

    Two documents can be on their way to the same item: the first one answers it, and the second is only shared.
    """
    request = _get_request(document, referral, context=context)
    if document.answers is None or request is None:
        return None
    if describe_closing(request, referral) or not request.is_item_open(document.answers.item_id):
        return None
    answer = ItemAnswer(
        kind=AnswerKind.DOCUMENT if document.announced else AnswerKind.SENT_SEPARATELY,
        text=None,
        answered_at=context.now,
        answered_by=document.added_by,
        document_id=document.document_id,
    )
    return request.with_answers({document.answers.item_id: answer}, None)


def reopen_item(document: Document, referral: Referral, *, context: RunContext) -> InformationRequest | None:
    """The information request without the document as its answer; None if it did not answer the item.

    A request that the center closed, or that ended with the referral, stays closed.
    """
    request = _get_request(document, referral, context=context)
    if document.answers is None or request is None or referral.stage in TERMINAL_STAGES:
        return None
    closing = describe_closing(request, referral)
    if closing and closing[0] is not CloseReason.ANSWERED:
        return None
    answers = {item.item_id: item.answer for item in request.items}
    answer = answers.get(document.answers.item_id)
    if answer is None or answer.document_id != document.document_id:
        return None
    return request.with_open_item(document.answers.item_id)


def build_item_fields(changed: InformationRequest | None) -> Mapping[str, Any]:
    """The fields with which the event of a document names the request that it changes."""
    return {"request_id": changed.request_id, "open_items": changed.open_items} if changed else {}


def list_item_writes(
    changed: InformationRequest | None, referral: Referral, *, context: RunContext
) -> Iterator[TransactionWrite]:
    """The write of a changed request; it joins the transaction of the document's event."""
    if changed:
        requests = context.stores.information_requests
        yield requests.prepare_save(referral.referral_id, changed, scope=referral.practice_id)


def _get_request(document: Document, referral: Referral, *, context: RunContext) -> InformationRequest | None:
    if document.answers is None:
        return None
    requests = context.stores.information_requests
    return requests.get(referral.referral_id, document.answers.request_id, scope=referral.practice_id)
