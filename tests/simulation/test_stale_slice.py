"""A slice of the search for decisions on weak reads, and what it rests on."""

import pytest
from moto import mock_aws

from tests.simulation import stale
from tests.simulation.mutation_processes import ROOT
from tests.simulation.section_protocol import Progress
from tests.support import aws_fakes as cloud
from tests.support import stores as store_tools
from tests.support.stale_reads import MAX_STALENESS, make_reads_stale
from tests.support.stale_reads_plugin import INDEX_WAITS, list_waited_indexes

QUIET = Progress("stale")


@pytest.fixture(scope="module")
def key_id():
    """The tables, and the id of the key, for this module."""
    with mock_aws():
        cloud.create_tables()
        cloud.verify_sender()
        yield cloud.create_key()


def test_a_counter_by_weak_reads_is_found_out(key_id):
    """It writes back what it read, and the read was stale."""
    assert stale.count_with_reads(strong=False, seed=1) < stale.COUNTS


def test_a_counter_by_strong_reads_loses_nothing(key_id):
    """A consistent read returns the truth."""
    assert stale.count_with_reads(strong=True, seed=1) == stale.COUNTS


def test_the_same_seed_makes_the_same_reads_stale(key_id):
    """So a failure can be repeated."""
    assert len({_count_from_start(seed=2) for _ in range(2)}) == 1


@pytest.mark.parametrize(("writes", "stale"), [(MAX_STALENESS, True), (MAX_STALENESS + 1, False)])
def test_an_answer_is_only_so_old(key_id, writes, stale):
    """Everything becomes visible in the end, or no wait for an index would end."""
    cloud.clear_tables()
    ask = {"TableName": f"{cloud.PREFIX}allowances", "Key": {"subject": {"S": "one"}}}
    with make_reads_stale(1.0):
        store_tools.get_dynamodb_client().get_item(**ask)
        for _ in range(writes):
            store_tools.get_dynamodb_client().put_item(TableName=ask["TableName"], Item=ask["Key"])
        found = store_tools.get_dynamodb_client().get_item(**ask)

    assert ("Item" not in found) is stale


def test_notices_come_late_at_worst(key_id):
    """What is due is found late, and still sent."""
    wanted = stale.play_referral(key_id, share=0, seed=0)

    life = stale.play_referral(key_id, share=stale.SHARE, seed=1)

    assert (life.sent, life.left) == (wanted.sent, [])
    assert life.stale > 0


def test_a_test_passes_while_weak_reads_are_stale():
    """All other tests run under stale reads in `make simulation`."""
    run = stale.run_tests([stale.SAMPLE_TEST], seed=1, options=["-n0"], progress=QUIET)

    assert run.broken == []
    assert run.passed == len(run.outcomes) > 0
    assert run.stale > 0


def test_what_waits_for_an_index_is_there():
    """An exception for a test that no longer exists would hide the next one."""
    indexes = {
        index["IndexName"]
        for table in cloud.load_table_properties().values()
        for index in table.get("GlobalSecondaryIndexes", ())
    }
    named = {name for waiting in INDEX_WAITS.values() for name in waiting.tests}

    assert INDEX_WAITS.keys() <= indexes
    assert [name for name in sorted(named) if not _is_there(name)] == []


def test_only_what_is_named_waits():
    """A test in another file meets every index as it is."""
    assert list_waited_indexes("tests/services/notices/test_outbox_worker.py::test_one[a]") == {"due"}
    assert list_waited_indexes("tests/services/referrals/test_report_event_races.py::test_one") == frozenset()


def _is_there(name):
    file, _, test = name.partition("::")
    return f"def {test}" in (ROOT / file).read_text("utf-8")


def _count_from_start(*, seed):
    cloud.clear_tables()
    return stale.count_with_reads(strong=False, seed=seed)
