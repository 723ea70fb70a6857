"""Information requests: what a center asks for, how the practice answers, and what a request does to the stage."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from chalicelib.domain.platform.copying import replace
from chalicelib.domain.platform.kept_unknown import KeepsUnknown
from chalicelib.domain.referrals.conversation import derive_request_id
from chalicelib.domain.referrals.events import (
    DocumentArrivalReported,
    DocumentDeleted,
    DocumentShared,
    InformationAnswered,
    InformationClosed,
    InformationRequested,
    MessageSent,
    ReferralEvent,
    StageChange,
)
from chalicelib.domain.referrals.referral import Referral
from chalicelib.domain.referrals.stage_changes import (
    Applied,
    Decision,
    DecisionContext,
    Pending,
    Rejected,
    with_next_version,
)
from chalicelib.domain.referrals.stages import TERMINAL_STAGES, Actor, Stage

ANSWER_LABEL = "Answer"
"""The only item of a request that has a text and no named items."""


class AnswerKind(StrEnum):
    """How an item was answered."""

    ANSWERED = "answered"
    """In words."""
    SENT_SEPARATELY = "sent_separately"
    """By fax, a portal or another way; the text can say which."""
    NONE = "none"
    """There is none; the text says why."""
    DOCUMENT = "document"
    """With a document of the referral. Only a document gives this answer, when the center can see it."""


class CloseReason(StrEnum):
    """Why a request is closed."""

    ANSWERED = "answered"
    CLOSED_BY_CENTER = "closed_by_center"
    RESUBMITTED = "resubmitted"
    """It came as a status change, and the practice submitted the referral again."""
    REFERRAL_CLOSED = "referral_closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemAnswer:
    """The practice's answer to one item. Field names are stored.

    Attributes:
        document_id: The document that answers it, or the record of what was sent another way.
    """

    kind: AnswerKind
    text: str | None
    answered_at: datetime
    answered_by: str
    document_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestedItem:
    """One item of a request. Field names are stored.

    Attributes:
        item_id: Its number in the request, from 1.
        item: A code of `requestable_items` or the center's own name for it; None if the request
            has only a text.
    """

    item_id: str
    item: str | None
    answer: ItemAnswer | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerNote:
    """A note to the center that came with an answer. Field names are stored."""

    text: str
    written_at: datetime
    written_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InformationRequest(KeepsUnknown):
    """What a center asked for, with the answers so far. Field names are stored.

    Attributes:
        requested_at: When the center asked, according to the center.
        version: Increases by one with each write.
        closed_at: When it was answered completely, or closed by the center.
    """

    request_id: str
    text: str | None
    items: tuple[RequestedItem, ...]
    requested_at: datetime
    requested_by: str
    version: int = 1
    notes: tuple[AnswerNote, ...] = ()
    closed_at: datetime | None = None
    closed_by: str | None = None
    close_reason: CloseReason | None = None

    @property
    def open_items(self) -> int:
        """How many items have no answer yet; 0 once the request is closed."""
        return 0 if self.closed_at else sum(item.answer is None for item in self.items)

    def is_item_open(self, item_id: str) -> bool:
        """Whether an item of this name exists and has no answer, and the request is not closed."""
        return not self.closed_at and any(item.item_id == item_id and item.answer is None for item in self.items)

    def has_same_content(self, event: InformationRequested) -> bool:
        """Whether an event asks for the same again."""
        named = tuple(item.item for item in self.items if item.item is not None)
        return (named, self.text) == (event.items, event.text)

    def with_answers(self, answers: Mapping[str, ItemAnswer], note: AnswerNote | None) -> "InformationRequest":
        """Add answers by item id. The request closes when every item has one."""
        items = tuple(replace(item, answer=answers.get(item.item_id, item.answer)) for item in self.items)
        notes = (*self.notes, note) if note else self.notes
        answered = replace(self, items=items, notes=notes, version=self.version + 1)
        if answered.open_items:
            return answered
        last = next(iter(answers.values()))
        return replace(
            answered, closed_at=last.answered_at, closed_by=last.answered_by, close_reason=CloseReason.ANSWERED
        )

    def with_open_item(self, item_id: str) -> "InformationRequest":
        """Remove the answer to an item, because its document is gone. The request is open again."""
        items = tuple(replace(item, answer=None) if item.item_id == item_id else item for item in self.items)
        return replace(self, items=items, version=self.version + 1, closed_at=None, closed_by=None, close_reason=None)

    def with_close(self, *, at: datetime, by: str) -> "InformationRequest":
        """Close the request, although items are open."""
        return replace(
            self, closed_at=at, closed_by=by, close_reason=CloseReason.CLOSED_BY_CENTER, version=self.version + 1
        )


def build_request(event: ReferralEvent) -> InformationRequest | None:
    """Build the request that an applied event makes; None if it makes none."""
    match event:
        case InformationRequested():
            items, text = event.items, event.text
        case StageChange(stage=Stage.INFO_REQUESTED) if event.note:
            items, text = (), event.note
        case _:
            return None
    return InformationRequest(
        request_id=derive_request_id(event.event_id),
        text=text,
        items=tuple(
            RequestedItem(item_id=str(number), item=item) for number, item in enumerate(items or (None,), start=1)
        ),
        requested_at=event.occurred_at,
        requested_by=event.actor_name,
    )


def describe_closing(request: InformationRequest, referral: Referral) -> tuple[CloseReason, datetime | None] | None:
    """Find why and when a request was closed; None if the practice can still answer it."""
    if request.closed_at and request.close_reason:
        return request.close_reason, request.closed_at
    if not referral.conversation.is_open(request.request_id):
        submitted_at = referral.stage_entered_at.get(Stage.SUBMITTED)
        is_resubmitted = submitted_at is not None and submitted_at > request.requested_at
        # Otherwise the center corrected the status that the request came with: it did not happen.
        return (CloseReason.RESUBMITTED, submitted_at) if is_resubmitted else (CloseReason.CLOSED_BY_CENTER, None)
    if referral.stage in TERMINAL_STAGES:
        return CloseReason.REFERRAL_CLOSED, referral.stage_since
    return None


_ACTORS: Mapping[type[ReferralEvent], frozenset[Actor]] = {
    InformationAnswered: frozenset({Actor.PRACTICE}),
    InformationClosed: frozenset({Actor.CENTER}),
    MessageSent: frozenset({Actor.PRACTICE, Actor.CENTER}),
    DocumentShared: frozenset({Actor.PRACTICE, Actor.CENTER}),
    DocumentDeleted: frozenset({Actor.PRACTICE, Actor.CENTER}),
    DocumentArrivalReported: frozenset({Actor.PRACTICE, Actor.CENTER}),
}


def keep_in_history(referral: Referral, event: ReferralEvent, context: DecisionContext) -> Decision:
    """Accept an answer, a closing, a message or news of a document: none changes the stage or the status."""
    if event.actor not in _ACTORS[type(event)]:
        return Rejected("not_your_move", "Only the other organization can record this.")
    if referral.stage is Stage.DRAFT:
        return Pending()
    return Applied(with_next_version(referral, event, context))
