"""Each thing that the product does and that can fail halfway, as a run and its repeats.

The run is played under faults. Then come rounds, each after every lease has ended: the sender
sends again what it sent, and the jobs run.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from typing import Protocol

from chalicelib import catalog
from chalicelib.domain.notices.planning import build_open_monitoring_task, build_plan
from chalicelib.domain.notices.tasks import OutboxTask, TaskQueue
from chalicelib.domain.platform.ids import derive_id
from chalicelib.domain.referrals.events import EventOrder
from chalicelib.domain.referrals.monitoring_window import MilestoneKind, MonitoringWindow, open_window
from chalicelib.domain.referrals.referral import Referral
from chalicelib.domain.referrals.stages import Stage
from chalicelib.store.notices.leases import LEASE_DURATION
from tests.simulation.proof_world import ProofWorld
from tests.support import factories
from tests.support.factories import CENTER, PRACTICE, build_member
from tests.support.referral_values import build_audit_entry, build_referral

ROUND_DURATION = LEASE_DURATION + timedelta(minutes=1)
MINUTE = timedelta(minutes=1)
PRACTICE_MAIL = build_member(PRACTICE).email
CENTER_MAIL = build_member(CENTER).email


class NoReplyError(Exception):
    """The sender got no response that ends its sending; it will send again."""


@dataclass(frozen=True, kw_only=True)
class ExpectedState:
    """What must be true at the end, whatever went wrong.

    Attributes:
        stages: The events, each applied once, in order.
        writes: How often the referral was written before that.
        mails: How many emails each person must get.
        notices: How many notices they contain; the number of emails unless given.
    """

    stages: Sequence[str]
    writes: int = 1
    deliveries: int = 0
    audited: Sequence[str] | None = None
    mails: Mapping[str, int] = field(default_factory=dict)
    notices: int = 0


class Scene:
    """One scenario's own part of a world: a referral, and an alias that no other scenario's emails carry."""

    def __init__(self, world: ProofWorld, name: str) -> None:
        self.world = world
        self.name = name
        self.referral_id = derive_id("ref", name)
        self.begins = world.now
        self.drawn: set[str] = set()
        self.runs = 0
        self.status = 0

    def choose_id(self, tasks_about: Callable[[str], Sequence[OutboxTask]]) -> None:
        """Give the referral an id whose tasks are read in the same order in every scene.

        Ids decide about the shards of the outbox, which are read one after the other. A fault is
        named by the number of its call, so a pair is one pair only if the order is always the same.
        """
        ids = (derive_id("ref", f"{self.name} {n}") for n in count())
        for self.referral_id in ids:
            shards = [self._shard(task) for task in tasks_about(self.referral_id)]
            if shards == sorted(set(shards)):
                break

    def _shard(self, task: OutboxTask) -> str:
        write = self.world.stores.outbox.prepare_plan(task)
        return str(write.request["Put"]["Item"]["lane"]["S"])

    def store_referral(self, stage: Stage, *, window: MonitoringWindow | None = None) -> Referral:
        """Create a referral that has come as far as `stage`, with nothing left to do."""
        at = self.begins
        known = build_referral(
            stage,
            referral_id=self.referral_id,
            alias=self.name,
            window=window,
            doses_given=int(window is not None),
            last_applied_order=EventOrder(at, 0, "evt_0"),
            stage_entered_at={stage: at},
            **dict.fromkeys(("stage_since", "created_at", "updated_at", "submitted_at"), at),
        )
        stores = self.world.stores
        stores.transactions.commit(*stores.referrals.prepare_add(known, build_audit_entry(known)))
        return known

    def plan_tasks(self, tasks: Sequence[OutboxTask]) -> None:
        """Make tasks wait for their day."""
        outbox = self.world.stores.outbox
        self.world.stores.transactions.commit(*(outbox.prepare_plan(task) for task in tasks))

    def window(self) -> MonitoringWindow:
        """Return the window of an infusion at the scene's start."""
        return open_window(
            infused_at=self.begins,
            local_date=None,
            time_zone=CENTER.time_zone,
            profile=catalog.get_monitoring_profile("breyanzi"),
        )

    def submit(self) -> None:
        """Send the referral as a practice's coordinator does, always with the same key."""
        site = self.world.clinic.anyone.with_token(self.world.token())
        body = factories.build_referral_body(patient__alias=self.name)
        self.world.drawn.clear()
        try:
            answer = site.post("/v1/referrals", body, key=self.name)
        finally:
            self.drawn |= {drawn for drawn in self.world.drawn if drawn.startswith("ref_")}
        self._heard(answer.status)
        self.referral_id = answer.json["referral_id"]

    def deliver(self, stage: str, *, minute: int = 1) -> None:
        """Send a signed stage change as the center's system does, always under the same id."""
        at = self.begins + minute * MINUTE
        body = {
            "type": "stage.changed",
            "referral_id": self.referral_id,
            "occurred_at": at.isoformat(),
            "data": {"stage": stage},
        }
        answer = self.world.clinic.deliver_raw(
            json.dumps(body).encode(),
            webhook_id=f"{self.name.replace(' ', '-')}-{stage}",
            timestamp=str(int(self.world.now.timestamp())),
        )
        self._heard(answer.status)

    def _heard(self, status: int) -> None:
        self.status = status
        if status >= 300:
            raise NoReplyError(status)


class Flow(Protocol):
    """Something that the product does in one run, and what completes a run that died."""

    name: str
    wanted: ExpectedState

    def prepare(self, scene: Scene) -> None:
        """Create the state before the run, without faults."""

    def act(self, scene: Scene) -> None:
        """Play the run."""

    def repeat(self, scene: Scene) -> Sequence[Callable[[], None]]:
        """Play the runs of one round, each in its own function."""


class SubmitReferral:
    """A practice submits a referral; the center is notified by email."""

    name = "submit"
    wanted = ExpectedState(stages=["submitted"], writes=0, mails={CENTER_MAIL: 1})

    def prepare(self, scene: Scene) -> None:
        """Nothing exists before."""

    def act(self, scene: Scene) -> None:
        """One POST."""
        scene.submit()

    def repeat(self, scene: Scene) -> Sequence[Callable[[], None]]:
        """The same POST with the same key, and the relay."""
        return [scene.submit, lambda: scene.world.run(TaskQueue.EVENT)]


class ReceiveDelivery:
    """A center's system sends a stage change; the practice is notified by email."""

    name = "intake"
    wanted = ExpectedState(stages=["accepted"], deliveries=1, mails={PRACTICE_MAIL: 1})

    def prepare(self, scene: Scene) -> None:
        """A referral that waits to be accepted."""
        scene.store_referral(Stage.SUBMITTED)

    def act(self, scene: Scene) -> None:
        """One signed delivery."""
        scene.deliver("accepted")

    def repeat(self, scene: Scene) -> Sequence[Callable[[], None]]:
        """The same delivery under the same id, and the relay."""
        return [lambda: scene.deliver("accepted"), lambda: scene.world.run(TaskQueue.EVENT)]


class ApplyParked(ReceiveDelivery):
    """A delivery is what an earlier one waited for; both are applied."""

    name = "settling"
    wanted = ExpectedState(
        stages=["accepted", "consult_scheduled"],
        deliveries=2,
        audited=["accepted", "consult_scheduled", "consult_scheduled"],
        # Two notices within an hour are one email, or the second waits until the hour is over.
        mails={PRACTICE_MAIL: 1},
        notices=2,
    )

    def prepare(self, scene: Scene) -> None:
        """A delivery that came too early is parked."""
        scene.store_referral(Stage.SUBMITTED)
        scene.deliver("consult_scheduled", minute=2)


class RunRelay:
    """The relay processes the outbox: the practice is notified of an acceptance."""

    name = "relay"
    wanted = ExpectedState(stages=["accepted"], deliveries=1, mails={PRACTICE_MAIL: 1})

    def prepare(self, scene: Scene) -> None:
        """The acceptance is stored, and no one has been notified yet."""
        scene.store_referral(Stage.SUBMITTED)
        scene.deliver("accepted")

    def act(self, scene: Scene) -> None:
        """One run of the relay."""
        scene.world.run(TaskQueue.EVENT)

    def repeat(self, scene: Scene) -> Sequence[Callable[[], None]]:
        """The next run."""
        return [lambda: scene.world.run(TaskQueue.EVENT)]


class OpenMonitoring:
    """The job of the day after an infusion opens monitoring."""

    name = "opening"
    wanted = ExpectedState(stages=["monitoring"])

    def prepare(self, scene: Scene) -> None:
        """An infusion, the day before."""
        referral = scene.store_referral(Stage.INFUSED, window=scene.window())
        window = scene.window()
        scene.plan_tasks([build_open_monitoring_task(referral, window, infused_on=window.infused_on)])
        scene.world.now += timedelta(hours=36)

    def act(self, scene: Scene) -> None:
        """One run of the job."""
        scene.world.run(TaskQueue.PLAN)

    def repeat(self, scene: Scene) -> Sequence[Callable[[], None]]:
        """The next run of the job, and of the relay."""
        return [lambda: scene.world.run(TaskQueue.PLAN), lambda: scene.world.run(TaskQueue.EVENT)]


class SendNotices:
    """The job of a day notifies both sides of what ends on it."""

    name = "notices"
    wanted = ExpectedState(stages=[], mails={PRACTICE_MAIL: 1, CENTER_MAIL: 1})

    def prepare(self, scene: Scene) -> None:
        """A patient who is monitored, on the last day of the label's daily monitoring."""
        window = scene.window()
        scene.choose_id(lambda referral_id: _list_end_tasks(referral_id, window))
        scene.store_referral(Stage.MONITORING, window=window)
        scene.plan_tasks(_list_end_tasks(scene.referral_id, window))
        # An email about a day goes out at 7 AM in the reader's zone: later in the morning, it goes at once.
        scene.world.now += timedelta(days=window.profile.daily_days, hours=4)

    def act(self, scene: Scene) -> None:
        """One run of the job."""
        scene.world.run(TaskQueue.PLAN)

    def repeat(self, scene: Scene) -> Sequence[Callable[[], None]]:
        """The next run."""
        return [lambda: scene.world.run(TaskQueue.PLAN)]


def _list_end_tasks(referral_id: str, window: MonitoringWindow) -> Sequence[OutboxTask]:
    """Return the task that notifies both sides of the last day of daily monitoring."""
    monitored = build_referral(Stage.MONITORING, referral_id=referral_id, window=window)
    ends = MilestoneKind.DAILY_MONITORING_ENDS
    return [task for task in build_plan(monitored) if task.rule == ends]
