"""The fictional world, played into tables that are made from the template of production."""

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import botocore.session
import pytest

from chalicelib import wiring
from chalicelib.domain.identity.members import TenantKind
from chalicelib.domain.notices.tasks import TaskQueue
from chalicelib.domain.referrals.events import EventStatus
from chalicelib.store.all_stores import Stores, open_stores
from infra import world
from infra.local import cloud as local_cloud
from infra.world import seeding
from infra.world.accounts import CognitoAccounts
from infra.world.people import MEMBERS
from infra.world.places import CENTERS, OPERATOR, PRACTICES, find_center
from infra.world.seeding import RECENT, derive_referral_id
from infra.world.stories import STORIES
from infra.world.timeline import build_steps
from tests.support import aws_fakes as cloud

NOW = datetime(2026, 11, 23, 18, 30, tzinfo=UTC)
TOLD_BY_FEED = STORIES[43]


class Register:
    """Accounts that anybody gets at once."""

    def ensure_account(self, member):
        return f"sub-{member.handle}"


@dataclass
class SeededCloud:
    """A local cloud, which is many times as quick as the AWS of this process."""

    client: Any

    def tables(self) -> Stores:
        """Empty tables of their own."""
        prefix, kms = f"test-{secrets.token_hex(4)}-", self.client("kms")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(cloud, "PREFIX", prefix)
            cloud.create_tables()
        key = kms.create_key()["KeyMetadata"]["KeyId"]
        dynamodb = self.client("dynamodb")
        return open_stores(prefix=prefix, kms_key_id=key, dynamodb=lambda: dynamodb, kms=lambda: kms)

    def accounts(self) -> CognitoAccounts:
        """A user pool without users."""
        cognito = self.client("cognito-idp")
        made = cognito.create_user_pool(PoolName="members", UsernameAttributes=["email"])
        return CognitoAccounts(cognito, made["UserPool"]["Id"])


@pytest.fixture(scope="module")
def local(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch, local_cloud.run_cloud(tmp_path_factory.mktemp("cloud")) as running:
        patch.setenv("AWS_ENDPOINT_URL", running.endpoint)
        yield SeededCloud(botocore.session.Session().create_client)


@pytest.fixture(scope="module")
def accounts(local):
    return local.accounts()


@pytest.fixture(scope="module")
def seeded_world(local, accounts):
    """The whole world, to look at and not to change."""
    stores = local.tables()
    make(stores, STORIES, accounts)
    return stores


@pytest.fixture
def stores(local):
    return local.tables()


@pytest.fixture
def wired_stores(stores, accounts, settings_env, monkeypatch):
    """The same tables, as the product finds them."""
    monkeypatch.setenv("TABLE_PREFIX", stores.referrals.table.name.removesuffix("referrals"))
    monkeypatch.setenv("KMS_KEY_ID", stores.encryption.kms_key_id)
    monkeypatch.setenv("IDENTITY_POOL_ID", accounts.pool_id)
    wiring.reset()
    return stores


def make(stores, stories, accounts=None, *, now=NOW):
    seeding.seed_world(
        stores=stores, accounts=accounts or Register(), now=now, progress=lambda _: None, stories=stories
    )


def attribute(user, name):
    return next(each["Value"] for each in user["Attributes"] if each["Name"] == name)


def logged(stores, story):
    events, _ = stores.referrals.list_timeline(derive_referral_id(story), limit=100, start=None)
    return [(event.event.stage, event.status) for event in reversed(events)]


def interrupt(monkeypatch, owner, name, *, after):
    """Let a function work a few times, and then end as a switched off machine does.

    Returns:
        What mends it.
    """
    real = getattr(owner, name)
    calls = iter(range(after))

    def limited(*args, **kwargs):
        if next(calls, None) is None:
            raise KeyboardInterrupt
        return real(*args, **kwargs)

    monkeypatch.setattr(owner, name, limited)
    return lambda: monkeypatch.setattr(owner, name, real)


def test_every_referral_stands_where_its_story_ends_with_its_whole_history(seeded_world):
    for story in STORIES:
        steps = build_steps(story, find_center(story.center), now=NOW)
        referral = seeded_world.referrals.get(derive_referral_id(story))
        assert referral.stage is story.stage
        assert referral.updated_at <= NOW
        assert logged(seeded_world, story) == [(step.stage, EventStatus.APPLIED) for step in steps]


def test_everybody_has_an_account_and_is_a_member(seeded_world, accounts):
    users = accounts.client.list_users(UserPoolId=accounts.pool_id, Limit=60)["Users"]

    found = [seeded_world.members.get_by_subject(attribute(user, "sub")) for user in users]

    assert {(m.member_id, m.email, m.tenant_id) for m in found} == {
        (person.member_id, person.email, person.tenant.tenant_id) for person in MEMBERS
    }
    assert {user["UserStatus"] for user in users} == {"CONFIRMED"}


def test_every_organisation_is_in_the_directory(seeded_world):
    tenants = [*(place.tenant for place in (*PRACTICES, *CENTERS)), OPERATOR]

    assert [seeded_world.tenants.get(tenant.kind, tenant.tenant_id) for tenant in tenants] == tenants
    assert set(seeded_world.tenants.list_centers()) == {center.tenant_id for center in CENTERS}


def test_news_of_the_last_day_is_still_to_be_told_and_older_news_is_not(seeded_world):
    tasks = list(seeded_world.outbox.list_due(TaskQueue.EVENT, by=NOW, limit=100))

    assert {"submitted", "infused"} <= {task["stage"] for task in tasks}
    assert all(task["due_at"] >= (NOW - RECENT).isoformat()[:19] for task in tasks)


def test_what_is_due_in_open_windows_is_planned(seeded_world):
    """The first run has something to do: one window is new, one a week old, one a day too long."""
    today = seeded_world.outbox.list_due(TaskQueue.PLAN, by=NOW, limit=100)
    in_time = seeded_world.outbox.list_due(TaskQueue.PLAN, by=NOW + timedelta(days=30), limit=100)

    assert {row["rule"] for row in today} == {"window_opened", "daily_monitoring_ends", "handback_overdue_1"}
    assert {row["rule"] for row in in_time} >= {
        "open_monitoring",
        "daily_monitoring_ends",
        "label_minimum_ends",
        "handback_near",
        "handback_target",
    }


def test_making_it_again_changes_nothing(seeded_world, accounts):
    def standing():
        return [seeded_world.referrals.get(derive_referral_id(story)) for story in STORIES]

    before = standing()

    make(seeded_world, STORIES, accounts)

    assert standing() == before
    assert all(len(seeded_world.secrets.list_valid(c.tenant_id, now=NOW)) == 1 for c in CENTERS)


@pytest.mark.parametrize("told", [0, 1, 7])
def test_a_story_that_was_interrupted_is_finished_as_if_it_had_not_been(stores, monkeypatch, told):
    """The machine may be switched off in the middle of the first start."""
    mend = interrupt(monkeypatch, seeding, "report_by_webhook", after=told)
    with pytest.raises(KeyboardInterrupt):
        make(stores, [TOLD_BY_FEED])
    mend()

    make(stores, [TOLD_BY_FEED])

    steps = build_steps(TOLD_BY_FEED, find_center(TOLD_BY_FEED.center), now=NOW)
    assert logged(stores, TOLD_BY_FEED) == [(s.stage, EventStatus.APPLIED) for s in steps]


def test_it_is_made_once(wired_stores):
    lines: list[str] = []

    assert world.seed_once(lines.append, stories=[]) is True
    assert world.seed_once(lines.append, stories=STORIES) is False

    assert lines
    assert wired_stores.referrals.get(derive_referral_id(STORIES[0])) is None


def test_a_world_of_an_older_version_is_refused(wired_stores):
    """Its people stand on no roster: they would be listed nowhere, and told of nothing."""
    world.seed_once(lambda _: None, stories=[])
    marks = wired_stores.tenants.table
    mark = marks.get({"kind": "world", "tenant_id": "fictional"})
    marks.put({name: value for name, value in mark.items() if name != "layout"})

    with pytest.raises(world.OutdatedWorldError, match="start again"):
        world.seed_once(lambda _: None, stories=[])


def test_a_world_that_was_begun_keeps_the_day_of_its_beginning(wired_stores, monkeypatch):
    """Else the second half of a story might lie before its first."""
    mend = interrupt(monkeypatch, CognitoAccounts, "ensure", after=3)
    with pytest.raises(KeyboardInterrupt):
        world.seed_once(lambda _: None, now=NOW, stories=[STORIES[2]])
    mend()

    assert world.seed_once(lambda _: None, now=NOW + timedelta(days=90), stories=[STORIES[2]])

    referral = wired_stores.referrals.get(derive_referral_id(STORIES[2]))
    assert NOW - RECENT < referral.submitted_at < NOW


def test_fiction_is_refused_where_patients_are(wired_stores, monkeypatch):
    monkeypatch.setenv("DEPLOYMENT", "production")
    wiring.reset()

    with pytest.raises(world.NotFictionalSiteError):
        world.seed_once(lambda _: None)

    assert wired_stores.tenants.get(TenantKind.OPERATOR, OPERATOR.tenant_id) is None
