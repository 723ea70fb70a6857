"""Flows of one request: a consultation is booked, moved or canceled, or a benefits check completed.

What follows from the outbox is played by the flows of the relay. In the end, each change is there once, and all
parts of it say the same.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import Any
from unittest.mock import patch

from chalicelib.domain.consultation.consultation import CancelReason
from chalicelib.domain.consultation.slots import Slot
from chalicelib.domain.coverage.moves import MoveName
from chalicelib.domain.coverage.rows import Exchange
from chalicelib.domain.referrals.plan_terms import VisitMode
from chalicelib.domain.referrals.stages import Stage
from chalicelib.errors import ApiError, UnavailableError
from chalicelib.services.consultation import book
from chalicelib.services.coverage import checks
from chalicelib.services.coverage.ask_payer import ask_payer
from chalicelib.services.coverage.checks import NewCheck, build_attempt_task
from chalicelib.services.coverage.moves import record_move
from chalicelib.store.platform.idempotency import StoredResponse
from tests.simulation.flows import ExpectedState, Scene
from tests.support.coverage_values import build_facts
from tests.support.factories import CENTER, PRACTICE, build_member
from tests.support.invariants import TableSnapshot
from tests.support.payer_answers import PAYER, a_row, an_answer

MEMBER = build_member(PRACTICE)
SCOPE = PRACTICE.tenant_id


def send_again(send: Callable[[], object], *, done_before: Sequence[str]) -> None:
    """Send a request again. A refusal that shows that the first one was done ends the sending.

    Raises:
        ApiError: any other refusal.
    """
    try:
        send()
    except UnavailableError:
        raise
    except ApiError as e:
        if e.code not in done_before:
            raise


class SingleRequest:
    """A flow of one request that its sender repeats."""

    name = ""
    wanted = ExpectedState(stages=[])
    done_before: Sequence[str] = ()
    """Refusals of a repeat that show that the request was done."""

    def prepare(self, scene: Scene) -> None:
        """Store a referral that was accepted."""
        scene.store_referral(Stage.ACCEPTED)

    def act(self, scene: Scene) -> None:
        """Send it."""
        send_again(partial(self.send, scene), done_before=self.done_before if scene.runs else ())
        scene.status = 200

    def repeat(self, scene: Scene) -> Sequence[Callable[[], None]]:
        """Send it once more."""
        scene.runs += 1
        return [partial(self.act, scene)]

    def send(self, scene: Scene) -> None:
        """The request."""
        raise NotImplementedError

    def find_wrong(self, scene: Scene, tables: TableSnapshot) -> Iterator[str]:
        """Yield what is lost, doubled or left half done."""
        raise NotImplementedError


class BookVisit(SingleRequest):
    """A practice books the only seat of a time."""

    name = "book"
    slots: Sequence[str] = ("first", "second")
    booked, sequence, told = "first", 0, {"consultation.booked": 1}

    def prepare(self, scene: Scene) -> None:
        """Two times are published."""
        super().prepare(scene)
        for days, name in enumerate(self.slots, start=3):
            slot = Slot(
                slot_id=_name_slot(scene, name),
                center_id=CENTER.tenant_id,
                starts_at=scene.begins + timedelta(days=days),
                minutes=60,
                mode=VisitMode.IN_PERSON,
            )
            stores = scene.world.stores
            stores.transactions.commit(stores.slots.prepare_add(slot))

    def send(self, scene: Scene) -> None:
        """Book the first time."""
        _book(scene, "first", version=0)

    def find_wrong(self, scene: Scene, tables: TableSnapshot) -> Iterator[str]:
        """The seat, the appointment, the invitations and the notices say the same."""
        stores = scene.world.stores
        found = stores.consultations.get(scene.referral_id, scope=SCOPE).appointment
        for name in self.slots:
            slot = stores.slots.get(CENTER.tenant_id, _name_slot(scene, name))
            if slot is None or slot.list_booked() != [scene.referral_id] * (name == self.booked):
                yield f"seat of {name}"
        slot_id = _name_slot(scene, self.booked) if self.booked else None
        if found is None or (found.slot_id, found.sequence) != (slot_id, self.sequence):
            yield "appointment"
        invited = [
            stores.consultations.get_invitation(scene.referral_id, f"{found.uid if found else ''}#{number:06d}")
            for number in range(self.sequence + 2)
        ]
        if invited[-1] or not all(invited[:-1]):
            yield "invitations"
        yield from find_wrong_tasks(scene, tables, self.told)


class MoveVisit(BookVisit):
    """A practice moves a booking to another time."""

    name = "move"
    booked, sequence, told = "second", 1, {"consultation.booked": 2}

    def prepare(self, scene: Scene) -> None:
        """The first time is booked."""
        super().prepare(scene)
        _book(scene, "first", version=0)

    def send(self, scene: Scene) -> None:
        """Move it to the second time."""
        _book(scene, "second", version=1)


class CancelVisit(MoveVisit):
    """A practice cancels a booking."""

    name = "cancel"
    booked, sequence, told = "", 1, {"consultation.booked": 1, "consultation.canceled": 1}

    def send(self, scene: Scene) -> None:
        """Cancel it."""
        book.cancel_consultation(
            scene.referral_id,
            version=1,
            reason=CancelReason.OTHER,
            member=MEMBER,
            context=scene.world.driver.context,
        )


class MoveCoverage(SingleRequest):
    """A practice records the result of a benefits check."""

    name = "coverage"
    done_before = ("stale",)

    def send(self, scene: Scene) -> None:
        """Record it."""
        facts = build_facts("result_recorded", scene.begins.date(), authorization="required")
        record_move(
            scene.referral_id,
            MoveName.RESULT_RECORDED,
            facts,
            version=0,
            member=MEMBER,
            context=scene.world.driver.context,
        )

    def find_wrong(self, scene: Scene, tables: TableSnapshot) -> Iterator[str]:
        """The history has the move and what follows from it, once."""
        yield from _find_wrong_moves(scene, tables, ["authorization_required", "result_recorded"])


@dataclass(frozen=True)
class _Payers:
    """A gateway to one payer that answers at once. Each scene has its own, because they share no allowance."""

    scene: Scene

    def list_payers(self) -> Any:
        return (replace(PAYER, payer_id=name_for_scene(self.scene), many_per_request=True),)

    def open_connection(self, _payer: Any) -> Any:
        return self

    def ask(self, question: Any, *, ids: Any) -> Exchange:
        answer = an_answer(a_row("1", "30"), a_row("CB", "78", authorization="Y"), trace_id=question.trace_id)
        return Exchange(outcome=replace(answer, answered_at=ids.sent_at), sent=b"asked", received=b"answered")


class CompleteCheck(SingleRequest):
    """A payer answers an electronic benefits check."""

    name = "check"

    def prepare(self, scene: Scene) -> None:
        """A check was requested."""
        super().prepare(scene)
        driver = scene.world.driver
        # The clock goes back from scene to scene, so the allowance of an hour never comes back.
        with patch.object(checks, "COVERAGE_CHECKS_PER_MEMBER", None):
            checks.request_check(
                scene.referral_id,
                NewCheck(
                    check_id=f"chk_{scene.referral_id}", trace_id="C5F0A1", list_payers=_Payers(scene).list_payers
                ),
                member=MEMBER,
                request=driver.build_request(MEMBER, f"POST {scene.referral_id}", scene.name),
                build_response=lambda check, status: StoredResponse(
                    status=status, headers={}, body={"check_id": check.check_id}
                ),
                context=driver.context,
            )

    def send(self, scene: Scene) -> None:
        """Run the attempt that is planned."""
        stores = scene.world.stores
        [check] = stores.coverage_checks.list_for_referral(scene.referral_id, scope=SCOPE)
        task = build_attempt_task(scene.referral_id, check, due_at=scene.world.now)
        context = replace(scene.world.driver.build_job_context(), payers=_Payers(scene))
        ask_payer(task, context=context)

    def find_wrong(self, scene: Scene, tables: TableSnapshot) -> Iterator[str]:
        """The check is completed, no other one is kept away, and the history has the answer once."""
        stores = scene.world.stores
        [check] = stores.coverage_checks.list_for_referral(scene.referral_id, scope=SCOPE)
        if check.state.value != "completed":
            yield f"the check is {check.state}"
        if stores.coverage_checks.find_lock_holder(
            scene.referral_id, name_for_scene(scene), now=scene.begins + timedelta(hours=2)
        ):
            yield "lock"
        yield from _find_wrong_moves(
            scene, tables, ["authorization_required", "result_recorded", "verification_requested"]
        )


def _book(scene: Scene, slot: str, *, version: int) -> None:
    book.book_slot(
        scene.referral_id,
        _name_slot(scene, slot),
        version=version,
        note=None,
        may_move=True,
        member=MEMBER,
        context=scene.world.driver.context,
    )


def find_wrong_tasks(scene: Scene, tables: TableSnapshot, told: Mapping[str, int]) -> Iterator[str]:
    """Yield the rules that do not have exactly so many tasks."""
    found = [row["rule"] for row in tables.list_rows_about("outbox", scene.referral_id)]
    for rule, times in told.items():
        if found.count(rule) != times:
            yield f"{rule} has {found.count(rule)} tasks"


def _find_wrong_moves(scene: Scene, tables: TableSnapshot, expected: Sequence[str]) -> Iterator[str]:
    stores = scene.world.stores
    changes, _ = stores.coverage_tracks.list_changes(scene.referral_id, scope=SCOPE, limit=100)
    moves = sorted(change.move.value for change in changes)
    if moves != expected:
        yield f"the history has {moves}"
    referral = stores.referrals.get(scene.referral_id)
    track = stores.coverage_tracks.get(scene.referral_id, scope=SCOPE)
    if referral is None or referral.coverage != track.status:
        yield "the referral says another coverage"
    told = {f"coverage.{name}": 1 for name in expected if name in {"authorization_required", "result_recorded"}}
    yield from find_wrong_tasks(scene, tables, told)


def _name_slot(scene: Scene, name: str) -> str:
    days = BookVisit.slots.index(name) + 3
    return scene.world.stores.slots.ids.build(CENTER.tenant_id, scene.begins + timedelta(days=days), scene.name)


def name_for_scene(scene: Scene) -> str:
    """Name what only this scene has."""
    return scene.name.replace(" ", "-")
