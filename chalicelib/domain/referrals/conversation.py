"""What the two teams of a referral ask and write to each other: how much of it is open, without its content.

The content is encrypted, in rows of its own. This summary is stored with the referral, so that lists
show what is open. It follows from the events as they are applied. Their order in the history does not
matter, and a correction of a status does not change it.
"""

from dataclasses import dataclass
from datetime import datetime

from chalicelib.domain.platform.copying import replace
from chalicelib.domain.platform.ids import derive_id
from chalicelib.domain.platform.kept_unknown import KeepsUnknown
from chalicelib.domain.referrals.events import (
    ConsultationRequested,
    Corrected,
    DocumentArrivalReported,
    DocumentDeleted,
    DocumentShared,
    InformationAnswered,
    InformationClosed,
    InformationRequested,
    MessageSent,
    PlanChanged,
    ReferralEvent,
    StageChange,
)
from chalicelib.domain.referrals.plan_terms import PlanKind
from chalicelib.domain.referrals.stages import Actor, Stage


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenRequest:
    """An information request with open items. Field names are stored.

    Attributes:
        with_status: Whether it came as a status change with a note. A new submission answers it.
    """

    request_id: str
    open_items: int
    with_status: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation(KeepsUnknown):
    """The open information requests of a referral, and its messages. Field names are stored.

    Attributes:
        time_asked_at: When the practice asked for a consultation time that the center has not set yet.
    """

    open_requests: tuple[OpenRequest, ...] = ()
    practice_messages: int = 0
    center_messages: int = 0
    last_message_at: datetime | None = None
    time_asked_at: datetime | None = None

    @property
    def last_number(self) -> int:
        """The number of the last message; 0 before the first one."""
        return self.practice_messages + self.center_messages

    def count_messages_from(self, side: Actor) -> int:
        """Count the messages that `side` sent."""
        return self.practice_messages if side is Actor.PRACTICE else self.center_messages

    def count_messages_for(self, side: Actor) -> int:
        """Count the messages that the other side sent to `side`."""
        return self.last_number - self.count_messages_from(side)

    def count_open_items(self) -> int:
        """Count the items that the practice has not answered."""
        return sum(request.open_items for request in self.open_requests)

    def is_open(self, request_id: str) -> bool:
        """Whether a request has open items."""
        return any(request.request_id == request_id for request in self.open_requests)


NO_CONVERSATION = Conversation()
"""Before the first request and the first message."""


def derive_request_id(event_id: str) -> str:
    """Derive the id of an information request from its event, so that a repeat makes no second request."""
    return derive_id("irq", event_id)


def follow_conversation(conversation: Conversation, event: ReferralEvent) -> Conversation:  # noqa: C901, PLR0911 one for each
    """Compute what is open after an event that was applied."""
    match event:
        case ConsultationRequested():
            return replace(conversation, time_asked_at=event.recorded_at)
        case InformationRequested():
            return _with_request(conversation, event, open_items=max(1, len(event.items)))
        case StageChange(stage=Stage.INFO_REQUESTED) if event.note:
            return _with_request(conversation, event, open_items=1, with_status=True)
        case StageChange(stage=Stage.CONSULT_SCHEDULED) if not (event.starts_at or event.on):
            # No time is set yet: the status alone, or a no-show, does not answer the practice.
            return conversation
        case (
            StageChange(stage=Stage.CONSULT_SCHEDULED | Stage.CONSULT_COMPLETED)
            | PlanChanged(plan=PlanKind.CONSULTATION, canceled=False)
        ):
            return replace(conversation, time_asked_at=None)
        case StageChange(stage=Stage.SUBMITTED):
            kept = tuple(request for request in conversation.open_requests if not request.with_status)
            return replace(conversation, open_requests=kept)
        case InformationAnswered():
            return _with_open_items(conversation, event.request_id, event.open_items)
        case (
            DocumentShared(request_id=str(request_id), open_items=int(open_items))
            | DocumentDeleted(request_id=str(request_id), open_items=int(open_items))
            | DocumentArrivalReported(request_id=str(request_id), open_items=int(open_items))
        ):
            return _with_open_items(_with_known(conversation, request_id), request_id, open_items)
        case InformationClosed():
            return _with_open_items(conversation, event.request_id, 0)
        case Corrected():
            return _with_open_items(conversation, derive_request_id(event.supersedes), 0)
        case MessageSent():
            return _with_message(conversation, event)
    return conversation


def _with_request(
    conversation: Conversation, event: ReferralEvent, *, open_items: int, with_status: bool = False
) -> Conversation:
    request = OpenRequest(request_id=derive_request_id(event.event_id), open_items=open_items, with_status=with_status)
    return replace(conversation, open_requests=(*conversation.open_requests, request))


def _with_known(conversation: Conversation, request_id: str) -> Conversation:
    """Add a request that was answered completely: the removal of a document can open it again."""
    if conversation.is_open(request_id):
        return conversation
    request = OpenRequest(request_id=request_id, open_items=0)
    return replace(conversation, open_requests=(*conversation.open_requests, request))


def _with_open_items(conversation: Conversation, request_id: str, open_items: int) -> Conversation:
    requests = (
        replace(request, open_items=open_items) if request.request_id == request_id else request
        for request in conversation.open_requests
    )
    return replace(conversation, open_requests=tuple(request for request in requests if request.open_items))


def _with_message(conversation: Conversation, event: MessageSent) -> Conversation:
    is_from_practice = event.actor is Actor.PRACTICE
    return replace(
        conversation,
        practice_messages=conversation.practice_messages + is_from_practice,
        center_messages=conversation.center_messages + (not is_from_practice),
        last_message_at=event.recorded_at,
    )
