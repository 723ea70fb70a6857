"""The jobs that `referrals run-job` runs by hand, and the queue that each works off."""

from enum import StrEnum

from chalicelib.domain.notices.tasks import TaskQueue


class RunnableJob(StrEnum):
    """A scheduled function."""

    NOTICES = "notices"
    RELAY = "relay"
    CLOCKS = "clocks"
    DIGEST = "digest"

    @property
    def lane(self) -> TaskQueue:
        """The queue that it works off."""
        return _LANES[self]


_LANES = {
    RunnableJob.NOTICES: TaskQueue.PLAN,
    RunnableJob.RELAY: TaskQueue.EVENT,
    RunnableJob.CLOCKS: TaskQueue.CLOCK,
    RunnableJob.DIGEST: TaskQueue.DIGEST,
}
