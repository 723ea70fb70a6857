"""What is stored of a task keeps its spelling, and a task tells itself by its write."""

from datetime import timedelta

from chalicelib.store.notices.leases import LEASE_DURATION, TaskState
from chalicelib.store.notices.outbox import SHARDS, parse_existing_tasks


def test_states_are_stored_as_the_notices_of_a_window_show_them():
    """Rows of years ago still say what became of them."""
    assert {state.name: state.value for state in TaskState} == {
        "DONE": "done",
        "FAILED": "parked",
        "PLANNED": "planned",
        "SKIPPED": "skipped",
    }


def test_a_lease_and_the_shards_are_what_was_settled():
    """As long as a function runs at most; other shards would leave rows where nobody looks."""
    assert timedelta(minutes=5) == LEASE_DURATION
    assert SHARDS == 4


def test_tasks_that_are_there_are_told_from_other_writes_that_were_refused():
    """By the names of the writes, and by their whole ids."""
    refused = {"task:out_1": {"state": "done"}, "referral": {}, "task:task:2": {"state": "planned"}}

    assert parse_existing_tasks(refused) == {"out_1": "done", "task:2": "planned"}
    assert parse_existing_tasks({"receipt": {}}) == {}
