"""People of a year who open their dashboard: what it counts with a snapshot is what the whole list has."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any
from unittest.mock import patch

from chalicelib.domain.identity.members import Member
from chalicelib.domain.referrals.list_snapshot import ListSnapshot
from chalicelib.errors import UnavailableError
from tests.simulation.proof_world import ProofWorld
from tests.support import faults
from tests.support.faults import FaultPlan
from tests.support.whole_lists import count_for, count_whole_list


def find_wrong_counts(world: ProofWorld, member: Member, plan: FaultPlan) -> tuple[str | None, int]:
    """Count for a member while calls fail as planned. Return what is wrong, and how many faults were met."""
    found = None
    with faults.inject_faults(plan) as calls:
        try:
            found = count_for(member, world.driver.context)
        except (faults.SimulatedCrash, UnavailableError):
            world.start_over()
    if found is None or found == count_whole_list(member, world.driver.context):
        return None, calls.count_faults
    return f"{world.now}: wrong counts for {member.tenant_id}", calls.count_faults


@contextmanager
def _counting_changes_twice() -> Iterator[None]:
    real = ListSnapshot.add_to

    def add_to(snapshot: ListSnapshot, counts: Any, **options: Any) -> None:
        real(snapshot, counts, **options | {"changed_ids": ()})

    with patch.object(ListSnapshot, "add_to", add_to):
        yield


MISTAKES: Mapping[str, Callable[[], AbstractContextManager[None]]] = {
    "counts changed referrals twice": _counting_changes_twice,
}
"""Each mistake, and what makes it."""
