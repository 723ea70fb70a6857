"""A payer in a year: the payer simulator behind the real X12 connection, down for hours, slow, or flaky."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, cast

from chalicelib.domain.coverage.payers import AttemptIds, PayerConnection, PayerSetup
from chalicelib.domain.coverage.question import BenefitsQuestion
from chalicelib.domain.coverage.rows import AttemptFailure, Exchange, FailureKind
from chalicelib.services.coverage.connections import CoreSoapConnection
from chalicelib.services.coverage.payer_http import HttpReply
from infra.payers import setups
from infra.payers.server import PayerSimulator
from tests.simulation.known_events import DAY
from tests.support.payer_answers import PAYER
from tests.support.payers import KnownSecrets

MEMBERS = ("XEX0001", "XEX0003", "XEX0003", "XEX0002")
"""Active, two with an authorization, and one whose plan ended."""

_FLAKY = 0.2
_DOWN = HttpReply(failure=AttemptFailure(kind=FailureKind.RETRY, reason="unreachable", sentence="It is down."))
_SLOW = HttpReply(failure=AttemptFailure(kind=FailureKind.RETRY, reason="timeout", sentence="It is slow."))


@dataclass(frozen=True, slots=True)
class Question:
    """A question that reached the payer, and whether its answer reached us."""

    trace_id: str
    at: datetime
    is_answered: bool


@dataclass
class YearPayer:
    """The configured payers of a year, which is one.

    Attributes:
        outages: When it is down or slow: the beginning, the end, and the reply.
        asked: Every question that was sent.
    """

    drawn: random.Random
    starts: datetime
    ends: datetime
    outages: list[tuple[datetime, datetime, HttpReply]] = field(default_factory=list)
    asked: list[Question] = field(default_factory=list)
    now: datetime = field(init=False)
    _simulator: PayerSimulator = field(default_factory=PayerSimulator)

    def __post_init__(self) -> None:
        """Draw an outage of some hours or days for about each week."""
        # It is called directly, so it needs no open port.
        self._simulator.start()
        self._simulator.stop()
        self.now = at = self.starts
        while at < self.ends:
            at += self.drawn.uniform(1, 12) * DAY
            until = at + self.drawn.choice([0.05, 0.5, 1.2, 2]) * DAY
            self.outages.append((at, until, self.drawn.choice([_DOWN, _SLOW])))
            at = until

    @property
    def setup(self) -> PayerSetup:
        """The configuration of the payer."""
        return replace(PAYER, address="http://127.0.0.1:1/core", credentials=setups.CORE_CREDENTIALS)

    def list_payers(self) -> Sequence[PayerSetup]:
        """The one payer."""
        return (self.setup,)

    def open_connection(self, payer: PayerSetup) -> PayerConnection:
        """The real connection, which calls the simulator instead of a socket."""
        return _Connection(self, CoreSoapConnection(payer, cast("Any", KnownSecrets()), lambda: self.now))

    def send_post(self, _address: str, body: bytes, headers: dict[str, str], **_more: object) -> HttpReply:
        """Reply to a request, unless the payer is down, slow, or answers nonsense."""
        reply = next((reply for begins, ends, reply in self.outages if begins <= self.now < ends), None)
        if reply:
            return reply
        if self.drawn.random() < _FLAKY:
            return HttpReply(status=200, body=self.drawn.choice([b"", b"<html>We will be back</html>"]))
        status, _, answer = self._simulator.answer("/core", headers, body)
        return HttpReply(status=status, body=answer)


@dataclass(frozen=True)
class _Connection:
    """Records each question."""

    payer: YearPayer
    real: CoreSoapConnection

    def ask(self, question: BenefitsQuestion, *, ids: AttemptIds) -> Exchange:
        """Ask, and note it."""
        exchange = self.real.ask(question, ids=ids)
        is_answered = not isinstance(exchange.outcome, AttemptFailure)
        self.payer.asked.append(Question(question.trace_id, self.payer.now, is_answered))
        return exchange
