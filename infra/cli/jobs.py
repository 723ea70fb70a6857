"""The jobs that `referrals run-job` can run, and the task queue that each job processes."""

from enum import StrEnum

from chalicelib.domain.notices.tasks import TaskQueue


class RunnableJob(StrEnum):
    """A scheduled job."""

    NOTICES = "notices"
    RELAY = "relay"
    CLOCKS = "clocks"
    DIGEST = "digest"

    @property
    def queue(self) -> TaskQueue:
        """The task queue that the job processes."""
        return _QUEUES[self]


_QUEUES = {
    RunnableJob.NOTICES: TaskQueue.PLAN,
    RunnableJob.RELAY: TaskQueue.EVENT,
    RunnableJob.CLOCKS: TaskQueue.OVERDUE,
    RunnableJob.DIGEST: TaskQueue.DIGEST,
}
