"""Information requests: the center asks for items, the practice answers them one by one, the center can close them.

A request is an event of the referral, so a center's system can send one too. Its items, text and answers
are encrypted in a row of their own, which is written in one transaction with the event.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chalicelib.domain.identity.members import Member, TenantKind
from chalicelib.domain.platform.copying import replace
from chalicelib.domain.platform.ids import derive_id
from chalicelib.domain.platform.rate_limit import INFORMATION_REQUESTS_PER_MEMBER
from chalicelib.domain.referrals.conversation import follow_conversation
from chalicelib.domain.referrals.events import (
    EventSource,
    InformationAnswered,
    InformationClosed,
    InformationRequested,
    ReferralEvent,
)
from chalicelib.domain.referrals.information_requests import (
    AnswerKind,
    AnswerNote,
    InformationRequest,
    ItemAnswer,
    build_request,
    describe_closing,
)
from chalicelib.domain.referrals.referral import Referral
from chalicelib.domain.referrals.stage_changes import Applied, with_next_version
from chalicelib.domain.referrals.stages import TERMINAL_STAGES
from chalicelib.errors import ConflictError, FieldError, ForbiddenError, MalformedError, NotFoundError
from chalicelib.services.platform.run_context import RunContext
from chalicelib.services.referrals.access import build_member_audit_entry, get_visible_or_404
from chalicelib.services.referrals.decision_context import load_decision_context
from chalicelib.services.referrals.event_writes import prepare_event_writes
from chalicelib.services.referrals.report_event import report_by_member
from chalicelib.services.referrals.report_results import ReportResult
from chalicelib.services.referrals.write_once import audit_refusals, commit_once, find_first_response, write_once
from chalicelib.store.platform.idempotency import IdempotentRequest, StoredResponse

BuildResponse = Callable[[Referral, InformationRequest], StoredResponse]

_ANSWERS_WITH_TEXT: Mapping[AnswerKind, str] = {
    AnswerKind.ANSWERED: "Enter the answer.",
    AnswerKind.NONE: "Say why there is none.",
}
"""The answers that need a text, and what to enter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAnswer:
    """What a person enters for one item."""

    item_id: str
    kind: AnswerKind
    text: str | None


def list_requests(
    referral_id: str, *, member: Member, context: RunContext
) -> tuple[Referral, Sequence[InformationRequest]]:
    """List every information request of a referral, newest first."""
    referral = get_visible_or_404(referral_id, member, "information.list", context=context)
    context.stores.audit_log.append(build_member_audit_entry(referral, member, "information.list", context.now))
    return referral, context.stores.information_requests.list_for_referral(referral_id, scope=referral.practice_id)


def request_information(
    referral_id: str,
    items: Sequence[str],
    text: str | None,
    *,
    member: Member,
    request: IdempotentRequest,
    build_response: BuildResponse,
    context: RunContext,
) -> StoredResponse:
    """Ask the practice for information, at any open stage.

    Raises:
        NotFoundError: no such referral, or another tenant's.
        ForbiddenError: only the center can ask.
        ConflictError: the referral is closed, or the same request is open already.
        RateLimitedError: the member sent too many requests.
    """
    referral = get_visible_or_404(referral_id, member, "information.requested", context=context)
    event = InformationRequested(
        **_build_common(referral, member, request, context=context), items=tuple(items), text=text
    )
    new_request = build_request(event)
    if new_request is None:
        raise TypeError("an information request event makes a request")

    refused_as = build_member_audit_entry(referral, member, event.type, context.now)
    with audit_refusals(refused_as, context=context):
        _require_center(member)
    limit = INFORMATION_REQUESTS_PER_MEMBER

    def respond(result: ReportResult) -> StoredResponse:
        if result.status != "applied":
            context.stores.audit_log.append(replace(refused_as, outcome="already_requested"))
            raise ConflictError(
                "already_requested", "This is already requested and still open. Nothing was sent a second time."
            )
        return build_response(_with_new_request(referral, event), new_request)

    first_response = find_first_response(request, limit=limit, refused_as=refused_as, context=context)
    return first_response or report_by_member(
        event,
        member=member,
        request=request,
        build_response=respond,
        context=context,
    )


def answer_request(
    referral_id: str,
    request_id: str,
    answers: Sequence[NewAnswer],
    note: str | None,
    *,
    member: Member,
    request: IdempotentRequest,
    build_response: BuildResponse,
    context: RunContext,
) -> StoredResponse:
    """Answer one or more items of a request. Items without an answer stay open.

    Raises:
        NotFoundError: no such referral or request, or another tenant's.
        ForbiddenError: only the practice can answer.
        ConflictError: the request is closed, or someone already answered one of the items.
        MalformedError: an item is unknown, named twice, or needs a text.
        RateLimitedError: the member sent too many answers.
    """
    found = get_visible_or_404(referral_id, member, "information.answered", context=context)

    def attempt() -> StoredResponse:
        _require_practice(member)
        referral = get_visible_or_404(referral_id, member, "information.answered", context=context)
        before = _get_open_request(referral, request_id, context=context)
        _check_answers(before, answers)
        after = before.with_answers(
            {answer.item_id: _to_item_answer(answer, member, context=context) for answer in answers},
            AnswerNote(text=note, written_at=context.now, written_by=member.name) if note else None,
        )
        event = InformationAnswered(
            **_build_common(referral, member, request, context=context),
            request_id=request_id,
            items=len(answers),
            open_items=after.open_items,
        )
        return _commit_change(referral, after, event, member, request, build_response, context=context)

    return _write_once(attempt, found, member, "information.answered", request=request, context=context)


def close_request(
    referral_id: str,
    request_id: str,
    *,
    member: Member,
    request: IdempotentRequest,
    build_response: BuildResponse,
    context: RunContext,
) -> StoredResponse:
    """Close a request whose open items the center no longer needs. The answers so far are kept.

    Raises:
        NotFoundError: no such referral or request, or another tenant's.
        ForbiddenError: only the center can close it.
        ConflictError: it is closed already.
        RateLimitedError: the member sent too many requests.
    """
    found = get_visible_or_404(referral_id, member, "information.closed", context=context)

    def attempt() -> StoredResponse:
        _require_center(member)
        referral = get_visible_or_404(referral_id, member, "information.closed", context=context)
        before = _get_open_request(referral, request_id, context=context)
        after = before.with_close(at=context.now, by=member.name)
        event = InformationClosed(**_build_common(referral, member, request, context=context), request_id=request_id)
        return _commit_change(referral, after, event, member, request, build_response, context=context)

    return _write_once(attempt, found, member, "information.closed", request=request, context=context)


def _write_once(
    attempt: Callable[[], StoredResponse],
    referral: Referral,
    member: Member,
    action: str,
    *,
    request: IdempotentRequest,
    context: RunContext,
) -> StoredResponse:
    refused_as = build_member_audit_entry(referral, member, action, context.now)
    limit = INFORMATION_REQUESTS_PER_MEMBER
    return write_once(attempt, request=request, limit=limit, refused_as=refused_as, context=context)


def _commit_change(
    referral: Referral,
    changed: InformationRequest,
    event: ReferralEvent,
    member: Member,
    request: IdempotentRequest,
    build_response: BuildResponse,
    *,
    context: RunContext,
) -> StoredResponse:
    """Commit a changed request with its event. It fails if the referral or the request changed after it was read."""
    decision = Applied(with_next_version(referral, event, load_decision_context(referral, context=context)))
    return commit_once(
        request,
        build_response(referral, changed),
        *prepare_event_writes(decision, event, member.tenant_id, before=referral, context=context),
        context.stores.information_requests.prepare_save(referral.referral_id, changed, scope=referral.practice_id),
        context=context,
    )


def _get_open_request(referral: Referral, request_id: str, *, context: RunContext) -> InformationRequest:
    """Read a request that can still be answered."""
    requests = context.stores.information_requests
    found = requests.get(referral.referral_id, request_id, scope=referral.practice_id)
    if found is None:
        raise NotFoundError
    if referral.stage in TERMINAL_STAGES:
        raise ConflictError(
            "referral_closed", "This referral is closed, so its requests are closed too. You can send a message."
        )
    if describe_closing(found, referral):
        raise ConflictError(
            "request_closed", "This information request is closed. Send a message if you want to add something."
        )
    return found


def _check_answers(request: InformationRequest, answers: Sequence[NewAnswer]) -> None:
    items = {item.item_id: item for item in request.items}
    errors: list[FieldError] = []
    for position, answer in enumerate(answers):
        pointer = f"/items/{position}"
        if answer.item_id not in items:
            errors.append(FieldError(f"{pointer}/item_id", "unknown", "This request has no such item."))
        elif answer.item_id in {other.item_id for other in answers[:position]}:
            errors.append(FieldError(f"{pointer}/item_id", "repeated", "Answer each item once."))
        if answer.text is None and answer.kind in _ANSWERS_WITH_TEXT:
            errors.append(FieldError(f"{pointer}/text", "missing", _ANSWERS_WITH_TEXT[answer.kind]))
    if errors:
        raise MalformedError("malformed", "Check the marked fields.", errors=errors)
    answered = [
        FieldError(f"/items/{position}/item_id", "answered", "This item already has an answer.")
        for position, answer in enumerate(answers)
        if items[answer.item_id].answer
    ]
    if answered:
        raise ConflictError(
            "item_answered",
            "Someone on your team already answered this item. Reload to see the answer. Nothing was saved.",
            errors=answered,
        )


def _to_item_answer(answer: NewAnswer, member: Member, *, context: RunContext) -> ItemAnswer:
    return ItemAnswer(kind=answer.kind, text=answer.text, answered_at=context.now, answered_by=member.name)


def _with_new_request(referral: Referral, event: ReferralEvent) -> Referral:
    return replace(referral, conversation=follow_conversation(referral.conversation, event))


def _build_common(
    referral: Referral, member: Member, request: IdempotentRequest, *, context: RunContext
) -> dict[str, Any]:
    """Build the fields that every event of this person's request has."""
    return {
        "event_id": derive_id("evt", request.scope_key),
        "referral_id": referral.referral_id,
        "occurred_at": context.now,
        "recorded_at": context.now,
        "actor": member.actor,
        "source": EventSource(member.actor.value),
        "actor_id": member.member_id,
        "actor_name": member.name,
    }


def _require_center(member: Member) -> None:
    if member.kind is not TenantKind.CENTER:
        raise ForbiddenError("center_only", "Only the treatment center can ask for information or close a request.")


def _require_practice(member: Member) -> None:
    if member.kind is not TenantKind.PRACTICE:
        raise ForbiddenError("practice_only", "Only the referring practice can answer an information request.")
