"""All flows by name, and the flow of overdue alerts."""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta

from chalicelib.domain.notices.tasks import TaskQueue
from chalicelib.domain.referrals.stages import Stage
from chalicelib.services.referrals.overdue_alert_writes import prepare_alert_writes
from chalicelib.store.platform.timestamps import from_timestamp
from tests.simulation.document_requests import RemoveDocument, ShareDocument
from tests.simulation.flows import (
    CENTER_MAIL,
    ApplyParked,
    ExpectedState,
    Flow,
    OpenMonitoring,
    ReceiveDelivery,
    RunRelay,
    Scene,
    SendNotices,
    SubmitReferral,
)
from tests.simulation.single_requests import BookVisit, CancelVisit, CompleteCheck, MoveCoverage, MoveVisit
from tests.simulation.view_requests import ShareViews


class OverdueFlow:
    """The job of overdue alerts notifies a center that a submission has waited too long."""

    name = "clocks"
    wanted = ExpectedState(stages=[], mails={CENTER_MAIL: 1})

    def prepare(self, scene: Scene) -> None:
        """A submission that no one answered in time."""
        referral, stores = scene.store_referral(Stage.SUBMITTED), scene.world.stores
        stores.transactions.commit(*prepare_alert_writes(None, referral, stores=stores))
        # Amber after a business day, however many weekends and holidays come before it.
        [row] = stores.outbox.list_due(TaskQueue.OVERDUE, by=scene.begins + timedelta(days=7), limit=9)
        # Its email waits for 7 AM in the reader's zone: by noon, it goes at once.
        scene.world.now = from_timestamp(row["due_at"]) + timedelta(hours=12)

    def act(self, scene: Scene) -> None:
        """One run of the job."""
        scene.world.run(TaskQueue.OVERDUE)

    def repeat(self, scene: Scene) -> Sequence[Callable[[], None]]:
        """The next run."""
        return [lambda: scene.world.run(TaskQueue.OVERDUE)]


_ALL: Sequence[Flow] = (
    SubmitReferral(),
    ReceiveDelivery(),
    ApplyParked(),
    RunRelay(),
    OpenMonitoring(),
    SendNotices(),
    OverdueFlow(),
    BookVisit(),
    MoveVisit(),
    CancelVisit(),
    MoveCoverage(),
    CompleteCheck(),
    ShareDocument(),
    RemoveDocument(),
    ShareViews(),
)

FLOWS: Mapping[str, Flow] = {flow.name: flow for flow in _ALL}
