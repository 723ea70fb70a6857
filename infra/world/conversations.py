"""What the two teams of some referrals write to each other, and an open information request."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from chalicelib.domain.identity.members import Member, TenantKind
from chalicelib.domain.referrals.information_requests import AnswerKind
from chalicelib.services.platform.run_context import RunContext
from chalicelib.services.referrals import information_requests, messages
from chalicelib.services.referrals.information_requests import NewAnswer
from chalicelib.store.all_stores import Stores
from chalicelib.store.platform.idempotency import IdempotentRequest, StoredResponse

P, C = TenantKind.PRACTICE, TenantKind.CENTER
"""Short names for the tables below."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A message.

    Attributes:
        ago: How long ago it was sent.
        read: Whether someone of the other side read it an hour later.
    """

    ago: timedelta
    side: TenantKind
    text: str
    read: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """An information request of the center; `answers` are those of the practice so far, by item number."""

    ago: timedelta
    items: Sequence[str]
    text: str
    answers: Mapping[str, str]


def _hours(number: float) -> timedelta:
    return timedelta(hours=number)


MESSAGES: Mapping[int, Sequence[Line]] = {
    10: (
        Line(ago=_hours(60), side=P, text="Would a later line change the decision? The family asks."),
        Line(ago=_hours(50), side=C, text="No. A trial at another center may fit better; see our note."),
    ),
    22: (
        Line(ago=_hours(20), side=P, text="Bridging with Pola-BR would start next week. Is that fine for you?"),
        Line(ago=_hours(3), side=C, text="Please hold bendamustine until the cells are collected.", read=False),
    ),
    32: (
        Line(ago=_hours(150), side=C, text="Cells were shipped today. We will call you with the slot date."),
        Line(ago=_hours(140), side=P, text="Thank you. Weekly blood counts are drawn here on Mondays."),
    ),
    43: (Line(ago=_hours(5), side=C, text="Day 3 was quiet. No fever, neurologic checks normal.", read=False),),
}
"""Messages by the number of the story."""

REQUESTS: Mapping[int, Request] = {
    22: Request(
        ago=_hours(16),
        items=("imaging", "echocardiogram", "Pathology report of the second biopsy"),
        text="We need these before we schedule leukapheresis.",
        answers={"3": "Faxed this morning, 4 pages."},
    ),
}
"""Open requests by the number of the story."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationPlayer:
    """Writes the messages and requests of one story through the services that people use."""

    story_number: int
    referral_id: str
    members: Mapping[TenantKind, Member]
    stores: Stores
    now: datetime

    def play(self) -> None:
        """Write everything. A second call changes nothing."""
        for number, line in enumerate(MESSAGES.get(self.story_number, ()), start=1):
            self._send(line, number)
        request = REQUESTS.get(self.story_number)
        if request:
            self._ask(request)

    def _send(self, line: Line, number: int) -> None:
        member = self.members[line.side]
        messages.send_message(
            self.referral_id,
            line.text,
            member=member,
            request=self._build_request(member, f"message-{number}"),
            build_response=lambda message: StoredResponse(
                status=201, headers={}, body={"message_id": message.message_id}
            ),
            context=self._build_context(line.ago),
        )
        if line.read:
            reader = self.members[C if line.side is P else P]
            messages.mark_messages_read(
                self.referral_id, up_to=number, member=reader, context=self._build_context(line.ago - _hours(1))
            )

    def _ask(self, request: Request) -> None:
        center, practice = self.members[C], self.members[P]
        stored = information_requests.request_information(
            self.referral_id,
            request.items,
            request.text,
            member=center,
            request=self._build_request(center, "request"),
            build_response=lambda _, made: StoredResponse(status=201, headers={}, body={"request_id": made.request_id}),
            context=self._build_context(request.ago),
        )
        answers = [
            NewAnswer(item_id=item, kind=AnswerKind.SENT_SEPARATELY, text=text)
            for item, text in request.answers.items()
        ]
        information_requests.answer_request(
            self.referral_id,
            str(stored.body["request_id"]),
            answers,
            None,
            member=practice,
            request=self._build_request(practice, "answer"),
            build_response=lambda _, made: StoredResponse(status=200, headers={}, body={"request_id": made.request_id}),
            context=self._build_context(request.ago - _hours(4)),
        )

    def _build_context(self, ago: timedelta) -> RunContext:
        return RunContext(self.stores, (self.now - ago).astimezone(UTC))

    def _build_request(self, member: Member, key: str) -> IdempotentRequest:
        return IdempotentRequest(
            member_id=member.member_id,
            tenant_id=member.tenant_id,
            route=f"POST /v1/referrals/{self.referral_id}",
            key=f"fictional-world-{self.story_number}-{key}",
            body=b"",
        )
