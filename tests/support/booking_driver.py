"""Books consultations through the services, for many referrals and for races, without the API."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from threading import Lock
from typing import Any
from unittest.mock import patch

from chalicelib.domain.audit.hash_chain import EMPTY_CHAIN
from chalicelib.domain.consultation.consultation import CancelReason, Consultation
from chalicelib.domain.consultation.slots import Slot
from chalicelib.domain.identity.members import Member
from chalicelib.domain.referrals.plan_terms import VisitMode
from chalicelib.domain.referrals.referral import Referral
from chalicelib.domain.referrals.stages import Stage
from chalicelib.services.consultation import book
from chalicelib.services.consultation.view import ConsultationView
from chalicelib.services.platform.run_context import RunContext
from chalicelib.store.all_stores import Stores
from chalicelib.store.audit.rows import AuditEntry
from chalicelib.store.platform.dynamo import TransactionWrite
from chalicelib.store.platform.transactions import Transactions
from tests.support.call_attempts import Answer, intercept_attempts
from tests.support.factories import CENTER, NOON, PRACTICE, build_member
from tests.support.referral_values import build_referral


@dataclass
class BookingDriver:
    """A practice that books, and a center that publishes times; `now` is the time of the next step."""

    stores: Stores
    now: datetime = NOON + timedelta(hours=1)
    member: Member = field(default_factory=lambda: build_member(PRACTICE))

    @property
    def context(self) -> RunContext:
        """The tables, and the time of the next step."""
        return RunContext(self.stores, self.now)

    def add_referral(self, referral_id: str, stage: Stage = Stage.ACCEPTED) -> Referral:
        """Store a referral as if it had come to a stage."""
        referral = build_referral(
            stage,
            referral_id=referral_id,
            alias=f"Alias {referral_id}",
            audit_chain_head=EMPTY_CHAIN,
            submitted_at=NOON,
        )
        entry = AuditEntry(
            referral_id=referral_id, at=NOON, actor_id="mem_1", tenant_id=PRACTICE.tenant_id, action="test", version=1
        )
        self.stores.transactions.commit(*self.stores.referrals.prepare_add(referral, entry))
        return referral

    def add_slot(self, *, days: int = 3, capacity: int = 1) -> str:
        """Publish one time, and return its id."""
        starts_at = NOON + timedelta(days=days)
        slot_id = self.stores.slots.ids.build(CENTER.tenant_id, starts_at, "test")
        slot = Slot(
            slot_id=slot_id,
            center_id=CENTER.tenant_id,
            starts_at=starts_at,
            minutes=60,
            mode=VisitMode.IN_PERSON,
            capacity=capacity,
        )
        self.stores.transactions.commit(self.stores.slots.prepare_add(slot))
        return slot_id

    def get_slot(self, slot_id: str) -> Slot:
        """Return a slot as it is stored."""
        slot = self.stores.slots.get(CENTER.tenant_id, slot_id)
        assert slot is not None, slot_id
        return slot

    def get(self, referral_id: str) -> Consultation:
        """Return a consultation as it is stored."""
        return self.stores.consultations.get(referral_id, scope=PRACTICE.tenant_id)

    def hold(self, referral_id: str, slot_id: str, *, version: int | None = None) -> ConsultationView:
        """Hold a time, with the version that was read last."""
        known = self.get(referral_id).version if version is None else version
        return book.hold_slot(referral_id, slot_id, version=known, member=self.member, context=self.context)

    def book(
        self, referral_id: str, slot_id: str, *, version: int | None = None, may_move: bool = True
    ) -> Consultation:
        """Book a time, with the version that was read last."""
        known = self.get(referral_id).version if version is None else version
        booked = book.book_slot(
            referral_id,
            slot_id,
            version=known,
            note=None,
            may_move=may_move,
            member=self.member,
            context=self.context,
        )
        return booked.consultation

    def cancel(self, referral_id: str, *, version: int | None = None) -> Consultation:
        """Cancel what is planned, or end a hold."""
        known = self.get(referral_id).version if version is None else version
        reason = CancelReason.OTHER
        canceled = book.cancel_consultation(
            referral_id, version=known, reason=reason, member=self.member, context=self.context
        )
        return canceled.consultation

    def as_center(self) -> "BookingDriver":
        """Return the same driver for a person of the center."""
        return replace(self, member=build_member(CENTER))


@contextmanager
def interfere(action: Callable[[], Any]) -> Iterator[list[Any]]:
    """Run `action` once, between what another request has read and its commit; yield what it returned."""
    real = Transactions.commit
    done: list[Any] = []

    def commit(transactions: Transactions, *writes: TransactionWrite) -> None:
        if not done:
            done.append(None)
            done[0] = action()
        real(transactions, *writes)

    with patch.object(Transactions, "commit", commit):
        yield done


@contextmanager
def one_call_at_a_time() -> Iterator[None]:
    """Let AWS calls of several threads take turns, as DynamoDB does with each item."""
    lock = Lock()

    def answer(_request: Any, _operation: str, send: Callable[[], Answer]) -> Answer:
        with lock:
            return send()

    with intercept_attempts(answer):
        yield
