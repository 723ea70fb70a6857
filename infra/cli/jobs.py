"""The jobs that `referrals run-job` can run, and the task queue that a job processes."""

from enum import StrEnum

from chalicelib.domain.notices.tasks import TaskQueue


class RunnableJob(StrEnum):
    """A scheduled job."""

    NOTICES = "notices"
    RELAY = "relay"
    CLOCKS = "clocks"
    DIGEST = "digest"
    SLOTS = "slots"

    @property
    def queue(self) -> TaskQueue | None:
        """The task queue that the job processes; None if it processes no tasks."""
        return _QUEUES.get(self)


_QUEUES = {
    RunnableJob.NOTICES: TaskQueue.PLAN,
    RunnableJob.RELAY: TaskQueue.EVENT,
    RunnableJob.CLOCKS: TaskQueue.OVERDUE,
    RunnableJob.DIGEST: TaskQueue.DIGEST,
}
