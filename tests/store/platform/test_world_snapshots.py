"""A world that was put back is as a new one: the rows, their indexes, the email, and what the product remembers."""

import pytest
from moto import mock_aws

from chalicelib import wiring
from chalicelib.domain.notices.tasks import TaskQueue
from chalicelib.services.notices.outbox_worker import run_job
from chalicelib.store.all_stores import TABLE_NAMES
from tests.support import aws_fakes
from tests.support.api_driver import STAGES_TO_INFUSED
from tests.support.factories import build_member, build_referral_body
from tests.support.new_worlds import open_new_world, save_world
from tests.support.stores import dump_tables, get_aws_client, get_dynamodb_client
from tests.support.world_snapshots import NotCoveredError, take_snapshot

MEMBER, BODY = build_member(n=7), build_referral_body(patient__alias="Blue Heron")


def use(world):
    """Use a world as tests do, always with the same keys and ids, and return what it answered."""
    created = world.practice.post("/v1/referrals", BODY, key="same-key")
    referral_id = created.json["referral_id"]
    delivered = [world.deliver(referral_id, stage, webhook_id=f"msg_{stage}") for stage in STAGES_TO_INFUSED]
    counts = run_job(TaskQueue.EVENT, context=wiring.build_job_context())
    unknown = world.get_client_for(MEMBER).get("/v1/referrals").status
    world.stores.members.add(MEMBER)
    return (
        [created.status, unknown, *(answer.json["status"] for answer in delivered)],
        counts,
        [world.practice.get(path).status for path in (f"/v1/referrals/{referral_id}", "/v1/referrals")],
        len(world.practice.get("/v1/referrals").json["items"]),
        [len(entries) for entries in world.practice.get("/v1/practice-directory").json.values()],
        sorted(item["title"] for item in world.practice.get("/v1/notices").json["items"]),
        sorted(mail.subject for mail in aws_fakes.list_sent_mail()),
        {table: len(rows) for table, rows in dump_tables().items()},
    )


@pytest.fixture
def new_world(aws, settings_env, monkeypatch):
    """A world in which no one has done anything."""
    return open_new_world(monkeypatch)


def test_a_world_that_was_used_is_put_back(new_world):
    """Each row of each table is what it was, and no email was sent."""
    rows, saved = dump_tables(), save_world(new_world)

    use(new_world)
    used = dump_tables()
    saved.reopen()

    changed = {"referrals", "outbox", "notices", "audit", "deliveries", "idempotency", "members", "roster"}
    assert changed <= {table for table in TABLE_NAMES if used[table] != rows[table]}
    assert dump_tables() == rows
    assert aws_fakes.list_sent_mail() == []


def test_a_world_that_was_put_back_answers_as_a_new_one(new_world):
    """Keys of requests, ids of deliveries, lists, the directory, notices and members; also the third time."""
    saved = save_world(new_world)

    first = use(new_world)
    later = [use(saved.reopen()) for _ in range(2)]

    assert first[0] == [201, 403, *["applied"] * len(STAGES_TO_INFUSED)]
    assert later == [first, first]


def test_a_world_in_the_middle_goes_on_from_there(new_world):
    """What was done before it was saved stays: rows, notices, email, and keys of requests."""
    before = use(new_world)
    saved = save_world(new_world)
    [referral] = new_world.practice.get("/v1/referrals").json["items"]
    new_world.move_to(referral["referral_id"], "monitoring")

    again = saved.reopen()

    assert again.get_stage(referral["referral_id"]) == "infused"
    assert again.practice.post("/v1/referrals", BODY, key="same-key").json["referral_id"] == referral["referral_id"]
    assert again.deliver(referral["referral_id"], "infused", webhook_id="msg_infused").status == 409
    assert sorted(mail.subject for mail in aws_fakes.list_sent_mail()) == before[-2]
    again.move_to(referral["referral_id"], "monitoring")


def test_requests_before_do_not_count_for_a_limit(new_world, monkeypatch):
    """The allowance of a member is that of a new world."""
    monkeypatch.setenv("MEMBER_LIMIT", "2/0.001")
    world = save_world(new_world)

    answers = [[driver.practice.get("/v1/referrals").status for _ in range(3)] for driver in _open_twice(world)]

    assert answers == [[200, 200, 429]] * 2


def test_facts_that_were_changed_are_forgotten(new_world):
    """Stores remember the facts of a center; a world that was put back reads them again."""
    saved = save_world(new_world)
    center = new_world.stores.tenants.get_center("ctr_harbor")
    assert center
    center.listing["products"] = []

    reopened = saved.reopen().stores.tenants.get_center("ctr_harbor")
    assert reopened
    assert reopened.listing["products"]


def test_a_snapshot_can_be_restored_into_another_cloud(settings_env, monkeypatch):
    """With the key, so that what is encrypted is readable, and with the address that sends email."""
    with mock_aws():
        driver = open_new_world(monkeypatch)
        use(driver)
        saved = save_world(driver)
        rows = dump_tables()

    with mock_aws():
        again = saved.reopen()

        assert dump_tables() == rows
        assert again.practice.get("/v1/referrals").json["items"][0]["stage"] == "infused"
        assert run_job(TaskQueue.EVENT, context=wiring.build_job_context())["failed"] == 0


@pytest.mark.parametrize("value", [{"M": {"a": {"S": "old"}}}, {"L": [{"S": "old"}]}, {"SS": ["old"]}])
def test_a_value_within_a_value_is_put_back(new_world, value):
    """Moto changes maps and lists in place."""
    client, table = get_dynamodb_client(), f"{aws_fakes.PREFIX}jobs"
    [key_name] = [part["AttributeName"] for part in client.describe_table(TableName=table)["Table"]["KeySchema"]]
    key = {key_name: {"S": "x"}}
    client.put_item(TableName=table, Item=key | {"tree": value})
    snapshot = take_snapshot()
    changes = {"M": "SET tree.a = :new", "L": "SET tree[0] = :new", "SS": "ADD tree :new"}
    [kind] = value
    new = {"SS": ["new"]} if kind == "SS" else {"S": "new"}

    for _ in range(2):
        client.update_item(
            TableName=table, Key=key, UpdateExpression=changes[kind], ExpressionAttributeValues={":new": new}
        )
        assert client.get_item(TableName=table, Key=key)["Item"]["tree"] != value
        snapshot.restore()
        assert client.get_item(TableName=table, Key=key)["Item"]["tree"] == value


def test_a_key_that_was_disabled_works_again(new_world):
    """No test can spoil the worlds of later ones."""
    saved = save_world(new_world)
    get_aws_client("kms").disable_key(KeyId=saved.kms_key_id)

    assert saved.reopen().practice.post("/v1/referrals", BODY).status == 201


def test_files_are_not_covered(new_world):
    """A snapshot that left them out would be half a world."""
    saved = save_world(new_world)
    aws_fakes.create_buckets()

    for refused in (take_snapshot, saved.reopen):
        with pytest.raises(NotCoveredError, match="the files in"):
            refused()


def _open_twice(saved):
    for _ in range(2):
        yield saved.reopen()
