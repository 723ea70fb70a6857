"""The product on real tables, at a chosen time, used through its API and its jobs."""

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest.mock import patch

from chalicelib import wiring
from chalicelib.domain.notices.tasks import TaskQueue
from chalicelib.services.notices.outbox_worker import JobFailedError, run_job
from chalicelib.store.all_stores import Stores
from tests.simulation import engine
from tests.support import tokens
from tests.support.api_driver import ApiDriver, open_api_driver
from tests.support.log_capture import discard_logs
from tests.support.service_driver import ServiceDriver

BEGINS = datetime(2190, 1, 2, 12, tzinfo=UTC)

APART = timedelta(days=30)
"""Each scenario is earlier than all before it, whatever their flow, so that what they left for
a later day is never due in it."""


@dataclass
class ProofWorld:
    """A clinic on tables that many scenarios share; each has its own ids, alias and time.

    Attributes:
        now: The time on the product's clock.
        begins: Nothing has happened yet before this time.
        drawn: The ids that the product has drawn since they were last cleared.
    """

    clinic: ApiDriver
    folder: Path
    now: datetime = BEGINS
    begins: datetime = BEGINS
    drawn: list[str] = field(default_factory=list)

    @property
    def stores(self) -> Stores:
        """The tables, as the running function sees them."""
        return wiring.get_stores()

    @property
    def driver(self) -> ServiceDriver:
        """The services without the API, for preparation only."""
        return ServiceDriver(self.stores, now=self.now)

    def start_over(self) -> None:
        """Send the next call to a function with empty caches."""
        wiring.get_stores.cache_clear()

    def go_back(self) -> None:
        """Set the clock to a time before all that has happened here.

        Raises:
            ValueError: someone set it to an earlier time than that.
        """
        if self.now < self.begins:
            raise ValueError(f"the clock says {self.now}, before anything is to happen")
        self.begins -= APART
        self.now = self.begins

    def token(self) -> str:
        """Create a token of the practice's coordinator, for now."""
        at = int(self.now.timestamp())
        return tokens.create_token(self.clinic.members["practice"].subject, iat=at, exp=at + 3600)

    def run(self, lane: TaskQueue) -> None:
        """Run a scheduled function, as its schedule does."""
        # Some tasks wait for another attempt: the alarm is not checked here.
        with suppress(JobFailedError):
            run_job(lane, context=wiring.build_job_context())

    def mails(self) -> Counter[str]:
        """Count accepted emails by their first line, which has the patient's alias."""
        record = self.folder / "mail.jsonl"
        lines = record.read_text(encoding="utf-8").splitlines() if record.exists() else ()
        sent = (json.loads(line) for line in lines)
        return Counter(f"{mail['to'][0]} {mail['subject'].partition(':')[0]}" for mail in sent)


@contextmanager
def open_proof_world(which: str) -> Iterator[ProofWorld]:
    """Open a world on new tables, removed at the end."""
    discard_logs()
    with engine.run_engine(which) as folder:
        world = ProofWorld(open_api_driver(), folder)
        real_id = wiring.generate_id

        def draw(prefix: str) -> str:
            world.drawn.append(real_id(prefix))
            return world.drawn[-1]

        with patch.object(wiring, "read_clock", lambda: world.now), patch.object(wiring, "generate_id", draw):
            yield world
