"""The jobs that `referrals run-job` runs by hand, and the queue that each works off."""

from enum import StrEnum

from chalicelib.domain.notices.notice_rules import Lane


class Job(StrEnum):
    """A scheduled function."""

    NOTICES = "notices"
    RELAY = "relay"
    CLOCKS = "clocks"
    DIGEST = "digest"

    @property
    def lane(self) -> Lane:
        """The queue that it works off."""
        return _LANES[self]


_LANES = {
    Job.NOTICES: Lane.PLAN,
    Job.RELAY: Lane.EVENT,
    Job.CLOCKS: Lane.CLOCK,
    Job.DIGEST: Lane.DIGEST,
}
