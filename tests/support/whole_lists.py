"""Counts of whole lists, with which those that use a snapshot are compared."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from unittest.mock import patch

from chalicelib.domain.identity.members import Member
from chalicelib.domain.referrals.list_counts import ListCounts
from chalicelib.services.platform.run_context import RunContext
from chalicelib.services.referrals import count
from chalicelib.services.referrals.count import count_referrals
from chalicelib.services.referrals.unread import load_unread_rows
from chalicelib.store.referrals.list_snapshots import StoredSnapshot


class NoSnapshots:
    """A store without snapshots, so that the whole list is counted."""

    def read(self, _tenant_id: str) -> StoredSnapshot:
        """Return that nothing is stored."""
        return StoredSnapshot()

    def save(self, *_arguments: Any, **_options: Any) -> bool:
        """Store nothing."""
        return False


def count_for(member: Member, context: RunContext) -> ListCounts:
    """Count for a member, as the route does."""
    return count_referrals(member=member, context=context, unread_rows=load_unread_rows(member, context=context))


def count_whole_list(member: Member, context: RunContext) -> ListCounts:
    """Count for a member without a snapshot."""
    return count_for(member, replace(context, stores=context.stores.replace(list_snapshots=NoSnapshots())))


@contextmanager
def snapshots_of_short_lists() -> Iterator[None]:
    """Store a snapshot of each list with two referrals, and read two rows before it is known."""
    with patch.object(count, "MIN_ROWS_OF_SNAPSHOT", 1), patch.object(count, "ROWS_OF_FIRST_READ", 2):
        yield
