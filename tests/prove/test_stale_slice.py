"""A slice of the search for decisions on weak reads, and what it rests on."""

import pytest
from moto import mock_aws

from tests.prove import stale
from tests.prove.claims import Progress
from tests.prove.trials import ROOT
from tests.support import cloud, shelves
from tests.support.lagging import WAITING, waited_for
from tests.support.stale import OLDEST, stale_reads

QUIET = Progress("stale")


@pytest.fixture(scope="module")
def key_id():
    """The tables, and the id of the key, for this module."""
    with mock_aws():
        cloud.create_tables()
        cloud.verify_sender()
        yield cloud.create_key()


def test_a_counter_by_weak_reads_is_found_out(key_id):
    """It writes back what it read, and it read what was."""
    assert stale.counted(strong=False, seed=1) < stale.COUNTS


def test_a_counter_by_strong_reads_loses_nothing(key_id):
    """What asks for consistency is told the truth."""
    assert stale.counted(strong=True, seed=1) == stale.COUNTS


def test_the_same_seed_makes_the_same_reads_stale(key_id):
    """So a failure can be repeated."""
    assert len({_counted_anew(seed=2) for _ in range(2)}) == 1


@pytest.mark.parametrize(("writes", "stale"), [(OLDEST, True), (OLDEST + 1, False)])
def test_an_answer_is_only_so_old(key_id, writes, stale):
    """Everything is known in the end, or no wait for an index would end."""
    cloud.empty()
    ask = {"TableName": f"{cloud.PREFIX}allowances", "Key": {"subject": {"S": "one"}}}
    with stale_reads(1.0):
        shelves.dynamodb().get_item(**ask)
        for _ in range(writes):
            shelves.dynamodb().put_item(TableName=ask["TableName"], Item=ask["Key"])
        found = shelves.dynamodb().get_item(**ask)

    assert ("Item" not in found) is stale


def test_notices_come_late_at_worst(key_id):
    """Though what is due is told late."""
    wanted = stale.lived(key_id, share=0, seed=0)

    life = stale.lived(key_id, share=stale.SHARE, seed=1)

    assert (life.told, life.left) == (wanted.told, [])
    assert life.stale > 0


def test_a_test_passes_while_weak_reads_are_stale():
    """All others are for `make prove`."""
    run = stale.ran([stale.SOME], seed=1, options=["-n0"], progress=QUIET)

    assert run.broken == []
    assert run.passed == len(run.outcomes) > 0
    assert run.stale > 0


def test_what_waits_for_an_index_is_there():
    """A list of exceptions that outlives what it excepts would hide the next one."""
    indexes = {
        index["IndexName"]
        for table in cloud.table_properties().values()
        for index in table.get("GlobalSecondaryIndexes", ())
    }
    named = {name for waiting in WAITING.values() for name in waiting.tests}

    assert WAITING.keys() <= indexes
    assert [name for name in sorted(named) if not _is_there(name)] == []


def test_only_what_is_named_waits():
    """A test of another file meets every index as it is."""
    assert waited_for("tests/services/test_duties.py::test_one[a]") == {"due"}
    assert waited_for("tests/services/test_races.py::test_one") == frozenset()


def _is_there(name):
    file, _, test = name.partition("::")
    return f"def {test}" in (ROOT / file).read_text("utf-8")


def _counted_anew(*, seed):
    cloud.empty()
    return stale.counted(strong=False, seed=seed)
