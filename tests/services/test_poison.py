"""Tasks that fail: for good, for a while, or only in the eyes of who looks at them."""

from datetime import timedelta

import pytest
from botocore.exceptions import ClientError

from chalicelib.domain.notices.notice_rules import Lane
from chalicelib.domain.platform.jobs import PERIODS, Job
from chalicelib.errors import UnavailableError
from chalicelib.store.notices.leases import LEASE, TRIES
from tests.support import shelves
from tests.support.desk import Refusing

SWEEP = PERIODS[Job.RELAY]
MESSAGE_REJECTED = ClientError(
    {"Error": {"Code": "MessageRejected", "Message": "Ana Example"}}, "SendEmail"
)


@pytest.fixture
def desk(desk):
    """The desk, with a mail service that can be told to fail."""
    desk.postbox = Refusing()
    return desk


def committed(referral_id="ref_1"):
    """The id of the task that a submission made."""
    return _one_of(shelves.tasks(), referral_id)


def mailed(referral_id="ref_1"):
    """The id of the mail that came of it."""
    return _one_of(shelves.mails(), referral_id)


def _one_of(rows, referral_id):
    [row] = [row for row in rows if row["referral_id"] == referral_id]
    return row["outbox_id"]


@pytest.mark.parametrize(
    ("error", "kind"),
    [(KeyError("Ana Example"), "KeyError"), (MESSAGE_REJECTED, "ClientError MessageRejected")],
    ids=["ours", "the mail service's"],
)
def test_a_poison_record_is_parked_in_the_end_and_put_back_by_a_person(desk, error, kind):
    """With the kind of its error and no word of it; when that is mended, it is told after all."""
    desk.refer()
    desk.postbox.error = error
    desk.postbox.refused = "harbor"
    desk.follow(committed())
    poison = mailed()
    now, parked = desk.now, 0
    while not parked and now < desk.now + timedelta(days=1):
        now += SWEEP
        parked = desk.work_off(Lane.EVENT, now=now)["parked"]
    desk.postbox.refused = ""
    quiet = desk.work_off(Lane.EVENT, now=now + timedelta(days=1))

    [aside] = desk.stores.outbox.parked()
    assert parked == 1
    assert (aside.outbox_id, aside.error, aside.tries) == (poison, kind, TRIES)
    assert "Ana" not in str(shelves.dump()["outbox"])
    assert quiet["failed"] == quiet["done"] == 0
    assert desk.stores.outbox.retry(poison, now=now)
    assert desk.work_off(Lane.EVENT, now=now)["mails"] == 1


@pytest.mark.parametrize("lane", [Lane.EVENT, Lane.MAIL])
def test_what_takes_its_function_down_is_parked(desk, lane):
    """Nobody comes back to say that it failed: runs that never finished have used its tries."""
    desk.refer()
    if lane is Lane.MAIL:
        desk.postbox.refused = "harbor"
        desk.follow(committed())
        desk.now += SWEEP
    for _ in range(TRIES):
        [row] = desk.stores.outbox.due(lane, by=desk.now, limit=9)
        desk.stores.outbox.claim(row, now=desk.now)
        desk.now += LEASE
    counts = desk.work_off(lane)

    [aside] = desk.stores.outbox.parked()
    assert (counts["parked"], aside.error) == (1, "NeverFinishedError")
    assert desk.postbox.taken == []


def test_a_row_of_another_version_holds_up_nobody(desk):
    """A newer version planned it and was rolled back: the words in it are unknown."""
    desk.refer("ref_1", key="key-1")
    desk.refer("ref_2", key="key-2", center_id="ctr_mesa")
    unknown = committed("ref_1")
    shelves.dynamodb().update_item(
        TableName=desk.stores.outbox.table.name,
        Key={"outbox_id": {"S": unknown}},
        UpdateExpression="SET stage = :new",
        ExpressionAttributeValues={":new": {"S": "teleported"}},
    )

    by_stream = desk.follow(committed("ref_1"), committed("ref_2"))
    by_sweep = desk.work_off(Lane.EVENT, now=desk.now + SWEEP)

    assert (by_stream["done"], by_stream["failed"]) == (1, 1)
    assert (by_sweep["done"], by_sweep["failed"]) == (0, 1)


def test_an_outage_that_nobody_knows_as_one_parks_nothing_for_six_hours(desk):
    """Every mail is refused as if it were poison; when that ends, all go, once."""
    desk.postbox.refused = "@"
    desk.refer()
    desk.follow(committed())
    ends = desk.now + timedelta(hours=6)
    while desk.now < ends:
        desk.now += SWEEP
        desk.work_off(Lane.EVENT)
    desk.postbox.refused = ""

    desk.work_off(Lane.EVENT, now=ends + timedelta(hours=1))

    assert {row["state"] for row in (*shelves.tasks(), *shelves.mails())} == {"done"}
    assert len(desk.postbox.taken) == 1


def test_a_long_outage_is_over_within_a_quarter_of_an_hour(desk):
    """Nothing is parked in half a day without mail, and no pause has grown beyond that."""
    desk.postbox.refused, desk.postbox.error = "@", UnavailableError()
    desk.refer()
    desk.follow(committed())
    ends = desk.now + timedelta(hours=12)
    while desk.now < ends:
        desk.now += 4 * SWEEP
        desk.work_off(Lane.EVENT)
    desk.postbox.refused = ""

    assert desk.work_off(Lane.EVENT, now=desk.now + timedelta(minutes=15))["mails"] == 1
