"""The restore drill: tables set back to different moments, with the last transactions half restored.

Each seed sets other tables back to other moments. `referrals restore check` finds it, `repair` repairs it, then all
jobs run for a month and every sender sends everything again: no email twice, no notice lost, nothing refused.
"""

from dataclasses import dataclass
from datetime import datetime

import pytest

from chalicelib.services.notices import send_mail
from chalicelib.store.all_stores import TABLE_NAMES
from infra.restore.sent_log import SentMail
from tests.simulation import restore_drill as drill
from tests.support import aws_fakes as cloud
from tests.support.service_driver import MINUTE, ServiceDriver
from tests.support.stores import create_cold_stores
from tests.support.table_restores import TableCopies


@dataclass(frozen=True)
class Disaster:
    """The last moment before a restore, and what the same world became without one."""

    key_id: str
    at: datetime
    world: drill.DrillWorld
    last: TableCopies
    sent: tuple[SentMail, ...]
    notices: set[tuple[str, str]]
    emailed: set[str]


@pytest.fixture(scope="module")
def disaster(kms_key_id):
    """A world with open referrals, lived through once."""
    with pytest.MonkeyPatch.context() as patch:
        sent = drill.SentLines()
        patch.setattr(send_mail, "log", sent)
        cloud.clear_tables()
        cloud.create_audit_heads()
        world = drill.open_world(create_cold_stores(kms_key_id))
        world.take(drill.BEFORE, copying=False)
        world.take(drill.DAYS_OF_THE_RESTORE, copying=True)
        at, last, before = world.driver.now, world.copies[-1][1], tuple(sent.mails)
        world.take([*drill.SENT_AGAIN, *drill.MONTH_AFTER], copying=False)
        yield Disaster(kms_key_id, at, world, last, before, drill.list_notices(), set(sent.count_pairs()))


ALONE = {"outbox": 5, "referrals": 2, "notices": 8, "deliveries": 11}
SEVERAL = {3: drill.SET_BACK, 7: ("referrals", "outbox", "deliveries", "audit", "recipients"), 12: drill.SET_BACK}
CASES = {**{name: ((name,), seed) for name, seed in ALONE.items()}, **{f"seed {s}": (t, s) for s, t in SEVERAL.items()}}


@pytest.mark.parametrize("case", CASES)
def test_after_a_restore_no_email_is_sent_twice_and_no_notice_is_lost(disaster, case, monkeypatch):
    tables, seed = CASES[case]
    sent = drill.SentLines(list(disaster.sent))
    monkeypatch.setattr(send_mail, "log", sent)
    cloud.clear_tables()
    cloud.create_audit_heads()
    disaster.last.put_back(*TABLE_NAMES)
    since = drill.set_back(disaster.world.copies, tables, seed) - MINUTE
    world = drill.DrillWorld(ServiceDriver(create_cold_stores(disaster.key_id), now=disaster.at))

    repaired = list(drill.repair(world, sent, since))
    world.take(drill.SENT_AGAIN, copying=False)
    repaired += drill.repair(world, sent, since)
    world.take(drill.MONTH_AFTER, copying=False)
    result = drill.finish(world, sent, disaster.notices, repaired, since)

    assert result.repaired, "the restore changed nothing, so the case proves nothing"
    assert (result.twice, result.lost, result.remaining, result.unexplained) == ([], [], [], [])
    assert result.stages == {"ref_a": "monitoring", "ref_b": "monitoring", "ref_c": "accepted"}
    assert disaster.emailed <= set(sent.count_pairs()), "an email is lost"
