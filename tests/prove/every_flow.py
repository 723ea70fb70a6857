"""Every flow by its name, and the one of the clocks."""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta

from chalicelib.domain.notices.notice_rules import Lane
from chalicelib.domain.referrals.stages import Stage
from chalicelib.services.notices.overdue_alerts import alarm_writes
from chalicelib.store.platform.timestamps import parsed
from tests.prove.flows import (
    CENTER_MAIL,
    Flow,
    Intake,
    Notices,
    Opening,
    Relay,
    Scene,
    Settling,
    Submit,
    Wanted,
)


class Clocks:
    """The job of the clocks tells a center that a submission lies there too long."""

    name = "clocks"
    wanted = Wanted(stages=[], mails={CENTER_MAIL: 1})

    def prepare(self, scene: Scene) -> None:
        """A submission that nobody saw in time."""
        referral, stores = scene.store(Stage.SUBMITTED), scene.world.stores
        stores.ledger.commit(*alarm_writes(None, referral, stores=stores))
        # Amber after a business day, however many weekends and holidays come before it.
        [row] = stores.outbox.due(Lane.CLOCK, by=scene.begins + timedelta(days=7), limit=9)
        scene.world.now = parsed(row["due_at"])

    def act(self, scene: Scene) -> None:
        """One run of the job."""
        scene.world.run(Lane.CLOCK)

    def again(self, scene: Scene) -> Sequence[Callable[[], None]]:
        """The next run."""
        return [lambda: scene.world.run(Lane.CLOCK)]


FLOWS: Mapping[str, Flow] = {
    flow.name: flow
    for flow in (Submit(), Intake(), Settling(), Relay(), Opening(), Notices(), Clocks())
}
