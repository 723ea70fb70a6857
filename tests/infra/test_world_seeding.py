"""Creating the sample data in tables that are made from production's template."""

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import botocore.session
import pytest

from chalicelib import wiring
from chalicelib.domain.coverage.display import CoverageState, compute_display
from chalicelib.domain.documents.document import Arrival, DocumentState
from chalicelib.domain.identity.members import TenantKind
from chalicelib.domain.notices.tasks import TaskQueue
from chalicelib.domain.referrals.adverse_events import AdverseEventKind
from chalicelib.domain.referrals.care_reports import NO_REPORTS
from chalicelib.domain.referrals.events import EventStatus, StageChange
from chalicelib.domain.referrals.insurance_status import find_coverage_status
from chalicelib.domain.referrals.planned_dates import list_current_plans
from chalicelib.domain.referrals.plans import get_local_day
from chalicelib.domain.referrals.stages import TERMINAL_STAGES, Actor, Stage
from chalicelib.services.platform.run_context import RunContext
from chalicelib.services.referrals.migrate import MigrationResult, migrate_referrals
from chalicelib.services.referrals.routing_hints import find_hints_of_referral
from chalicelib.store.all_stores import Stores, open_stores
from infra import world
from infra.local.cloud import run_cloud
from infra.world import seeding
from infra.world.accounts import CognitoAccounts
from infra.world.care import CARE_NOTES
from infra.world.consultations import list_publishing_centers
from infra.world.documents import DOCUMENTS
from infra.world.people import MEMBERS
from infra.world.places import CENTERS, OPERATOR, PRACTICES, find_center, find_practice
from infra.world.seeding import RECENT, derive_referral_id
from infra.world.stories import STORIES
from infra.world.timeline import build_steps
from tests.support import aws_fakes
from tests.support import stores as store_tools

NOW = datetime(2026, 11, 23, 18, 30, tzinfo=UTC)
STORY_REPORTED_BY_WEBHOOK = STORIES[43]


class FakeAccounts:
    """Accounts that exist at once, without an identity service."""

    def ensure_account(self, member):
        return f"sub-{member.handle}"


@dataclass
class SeededCloud:
    """A local cloud, which is many times faster than the fake AWS of this process."""

    client: Any

    def create_stores(self) -> Stores:
        """Create a new set of empty tables."""
        prefix, kms = f"test-{secrets.token_hex(4)}-", self.client("kms")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(aws_fakes, "PREFIX", prefix)
            aws_fakes.create_tables()
            aws_fakes.create_buckets()
        key = kms.create_key()["KeyMetadata"]["KeyId"]
        dynamodb = self.client("dynamodb")
        files = store_tools.create_files(self.client)
        heads = store_tools.create_audit_heads(self.client)
        return open_stores(
            prefix=prefix,
            kms_key_id=key,
            dynamodb=lambda: dynamodb,
            kms=lambda: kms,
            files=lambda: files,
            audit_heads=lambda: heads,
        )

    def create_accounts(self) -> CognitoAccounts:
        """Create a user pool without users."""
        cognito = self.client("cognito-idp")
        response = cognito.create_user_pool(PoolName="members", UsernameAttributes=["email"])
        return CognitoAccounts(cognito, response["UserPool"]["Id"])


@pytest.fixture(scope="module")
def local(tmp_path_factory):
    with (
        pytest.MonkeyPatch.context() as patch,
        run_cloud(tmp_path_factory.mktemp("cloud"), saving=False) as local_cloud,
    ):
        patch.setenv("AWS_ENDPOINT_URL", local_cloud.endpoint)
        yield SeededCloud(botocore.session.Session().create_client)


@pytest.fixture(scope="module")
def accounts(local):
    return local.create_accounts()


@pytest.fixture(scope="module")
def seeded_stores(local, accounts):
    """The stores with all sample data. Tests must not change it."""
    stores = local.create_stores()
    seed(stores, STORIES, accounts)
    return stores


@pytest.fixture
def stores(local):
    return local.create_stores()


@pytest.fixture
def wired_stores(stores, accounts, settings_env, monkeypatch):
    """The same stores, configured in the settings of the product."""
    monkeypatch.setenv("TABLE_PREFIX", stores.referrals.table.name.removesuffix("referrals"))
    monkeypatch.setenv("KMS_KEY_ID", stores.encryption.kms_key_id)
    monkeypatch.setenv("IDENTITY_POOL_ID", accounts.pool_id)
    wiring.reset()
    return stores


def seed(stores, stories, accounts=None, *, now=NOW):
    seeding.seed_world(
        stores=stores, accounts=accounts or FakeAccounts(), now=now, progress=lambda _: None, stories=stories
    )


def get_attribute(user, name):
    return next(each["Value"] for each in user["Attributes"] if each["Name"] == name)


def list_event_results(stores, story):
    """List the stage changes with their results; messages and information requests have none."""
    events, _ = stores.referrals.list_timeline(derive_referral_id(story), limit=100, start=None)
    changes = [event for event in reversed(events) if isinstance(event.event, StageChange)]
    return [(change.event.stage, change.status) for change in changes]


def interrupt(monkeypatch, owner, name, *, after):
    """Let a function succeed `after` times, and then stop as if the machine was switched off.

    Returns:
        A function that restores the original.
    """
    original = getattr(owner, name)
    calls = iter(range(after))

    def limited(*args, **kwargs):
        if next(calls, None) is None:
            raise KeyboardInterrupt
        return original(*args, **kwargs)

    monkeypatch.setattr(owner, name, limited)
    return lambda: monkeypatch.setattr(owner, name, original)


def test_every_referral_has_the_stage_and_the_full_history_of_its_story(seeded_stores):
    for story in STORIES:
        steps = build_steps(story, find_center(story.center), now=NOW)
        referral = seeded_stores.referrals.get(derive_referral_id(story))
        assert referral.stage is story.stage
        assert referral.updated_at <= NOW
        assert list_event_results(seeded_stores, story) == [(step.stage, EventStatus.APPLIED) for step in steps]


def test_some_stories_have_adverse_events_a_relapse_and_bridging_therapy(seeded_stores):
    """Reported by both sides; at least one adverse event is open during monitoring."""
    referrals = {number: seeded_stores.referrals.get(derive_referral_id(STORIES[number])) for number in CARE_NOTES}
    open_in_monitoring = [
        event.kind
        for referral in referrals.values()
        for event in referral.care.list_adverse_events()
        if event.is_open and referral.stage is Stage.MONITORING
    ]

    planned = {number for number, referral in referrals.items() if referral.plans.reports}
    assert planned == {15, 28, 32}
    assert all(referral.care != NO_REPORTS for number, referral in referrals.items() if number not in planned)
    assert {AdverseEventKind.CRS, AdverseEventKind.CYTOPENIA} <= set(open_in_monitoring)
    assert [n for n, referral in referrals.items() if referral.care.relapse] == [52]
    assert [n for n, referral in referrals.items() if referral.care.bridging] == [34, 40]


def test_some_stories_have_dates_ahead_a_moved_and_a_canceled_one(seeded_stores):
    plans = {
        (number, plan.plan.value): plan
        for number in (15, 28, 32)
        for plan in list_current_plans(seeded_stores.referrals.get(derive_referral_id(STORIES[number])))
    }

    assert set(plans) == {(15, "consultation"), (28, "leukapheresis"), (32, "delivery"), (32, "infusion")}
    assert all(get_local_day(plan.day, "UTC") > NOW.date() for plan in plans.values())
    assert [key for key, plan in plans.items() if plan.moved_from] == [(28, "leukapheresis")]
    assert [key for key, plan in plans.items() if plan.canceled] == [(32, "infusion")]


def test_some_centers_publish_times_and_some_do_not(seeded_stores):
    publishing = {pattern.center_id for pattern in seeded_stores.slots.list_patterns()}

    assert publishing == {center.tenant_id for center in list_publishing_centers()}
    assert publishing < {center.tenant_id for center in CENTERS}


def test_a_consultation_is_booked_another_canceled_and_a_time_asked_for(seeded_stores):
    states, sources = set(), set()
    for story in STORIES:
        referral = seeded_stores.referrals.get(derive_referral_id(story))
        known = seeded_stores.consultations.get(referral.referral_id, scope=referral.practice_id)
        states.add(known.get_state(now=NOW).value)
        if known.appointment and known.appointment.is_open:
            sources.add(known.appointment.source.value)

    assert states == {"none", "booked", "canceled", "asked"}
    assert sources == {"booking", "by_hand"}


def test_centers_name_a_planned_and_another_given_product_and_one_none(seeded_stores):
    referrals = {
        number: seeded_stores.referrals.get(derive_referral_id(STORIES[number])) for number in (22, 40, 42, 43)
    }
    named = {number: referral.status.products for number, referral in referrals.items()}

    assert [named[number].planned for number in (22, 40, 43)] == ["breyanzi"] * 3
    assert (named[43].given, referrals[43].current_product_id) == ("yescarta", "yescarta")
    assert referrals[42].window
    assert referrals[42].current_product_id is None


def test_one_referral_has_a_routing_hint(seeded_stores):
    context = RunContext(seeded_stores, NOW)
    found = {
        story.number: [hint.kind.value for hint in find_hints_of_referral(referral, context=context)]
        for story in STORIES
        if (referral := seeded_stores.referrals.get(derive_referral_id(story)))
    }

    assert {number: kinds for number, kinds in found.items() if kinds} == {2: ["code_does_not_match_disease"]}


def test_every_state_of_the_coverage_is_in_the_sample_data(seeded_stores):
    """Also a patient without insurance, a denial with a deadline, and a clearance that ends this week."""
    referrals = [seeded_stores.referrals.get(derive_referral_id(story)) for story in STORIES]
    shown = [
        compute_display(find_coverage_status(referral), today=NOW.date())
        for referral in referrals
        if referral and referral.stage not in TERMINAL_STAGES
    ]

    assert {each.state for each in shown} == set(CoverageState)
    assert NOW.date() + timedelta(days=5) in {each.until for each in shown}


def test_every_referral_is_stored_in_the_format_of_this_release(seeded_stores):
    """`referrals migrate` has nothing to do, whatever happened to a patient."""
    practices = migrate_referrals(dry_run=True, from_start=True, context=RunContext(seeded_stores, NOW))
    migrated = [each for practice in practices for each in practice.referrals]

    assert len(migrated) == len(STORIES)
    assert {(each.result, each.is_alias_in_use) for each in migrated} == {(MigrationResult.UP_TO_DATE, False)}


def test_every_sample_member_has_an_account(seeded_stores, accounts):
    users = accounts.client.list_users(UserPoolId=accounts.pool_id, Limit=60)["Users"]

    members = [seeded_stores.members.get_by_subject(get_attribute(user, "sub")) for user in users]

    assert {(m.member_id, m.email, m.tenant_id) for m in members} == {
        (account.member_id, account.email, account.tenant.tenant_id) for account in MEMBERS
    }
    assert {user["UserStatus"] for user in users} == {"CONFIRMED"}


def test_every_organization_is_in_the_directory(seeded_stores):
    tenants = [*(each.tenant for each in (*PRACTICES, *CENTERS)), OPERATOR]

    assert [seeded_stores.tenants.get(tenant.kind, tenant.tenant_id) for tenant in tenants] == tenants
    assert set(seeded_stores.tenants.list_centers()) == {center.tenant_id for center in CENTERS}


def test_only_notices_about_the_last_day_are_queued(seeded_stores):
    tasks = list(seeded_stores.outbox.list_due(TaskQueue.EVENT, by=NOW, limit=100))

    assert {"submitted", "infused"} <= {task.get("stage") for task in tasks}
    assert all(task["due_at"] >= (NOW - RECENT).isoformat()[:19] for task in tasks)


def test_notices_of_open_monitoring_windows_are_planned(seeded_stores):
    """Some are due at the first run: one window is new, one is a week old, and one is a day too long."""
    due_now = seeded_stores.outbox.list_due(TaskQueue.PLAN, by=NOW, limit=100)
    due_later = seeded_stores.outbox.list_due(TaskQueue.PLAN, by=NOW + timedelta(days=30), limit=100)

    assert {row["rule"] for row in due_now} == {"window_opened", "daily_monitoring_ends", "handback_overdue_1"}
    assert {row["rule"] for row in due_later} >= {
        "open_monitoring",
        "daily_monitoring_ends",
        "label_minimum_ends",
        "handback_near",
        "handback_target",
    }


def test_seeding_twice_changes_nothing(seeded_stores, accounts):
    def read_referrals():
        return [seeded_stores.referrals.get(derive_referral_id(story)) for story in STORIES]

    before = read_referrals()

    seed(seeded_stores, STORIES, accounts)

    assert read_referrals() == before
    assert all(len(seeded_stores.secrets.list_valid(c.tenant_id, now=NOW)) == 1 for c in CENTERS)


@pytest.mark.parametrize("reported_events", [0, 1, 7])
def test_seeding_finishes_an_interrupted_story(stores, monkeypatch, reported_events):
    """The machine may be switched off during the first start."""
    story = STORY_REPORTED_BY_WEBHOOK
    restore = interrupt(monkeypatch, seeding, "report_by_webhook", after=reported_events)
    with pytest.raises(KeyboardInterrupt):
        seed(stores, [story])
    restore()

    seed(stores, [story])

    steps = build_steps(story, find_center(story.center), now=NOW)
    assert list_event_results(stores, story) == [(s.stage, EventStatus.APPLIED) for s in steps]


def test_sample_data_is_created_once(wired_stores):
    lines: list[str] = []

    assert world.seed_once(lines.append, stories=[]) is True
    assert world.seed_once(lines.append, stories=STORIES) is False

    assert lines
    assert wired_stores.referrals.get(derive_referral_id(STORIES[0])) is None


def test_sample_data_of_an_older_version_is_rejected(wired_stores):
    """Its members are not on a roster. They would not be listed, and they would get no notices."""
    world.seed_once(lambda _: None, stories=[])
    table = wired_stores.tenants.table
    marker = table.get({"kind": "world", "tenant_id": "fictional"})
    table.put({name: value for name, value in marker.items() if name != "layout"})

    with pytest.raises(world.OutdatedWorldError, match="start again"):
        world.seed_once(lambda _: None, stories=[])


def test_interrupted_seeding_keeps_its_start_time(wired_stores, monkeypatch):
    """Otherwise the second half of a story could have earlier times than its first half."""
    restore = interrupt(monkeypatch, CognitoAccounts, "ensure_account", after=3)
    with pytest.raises(KeyboardInterrupt):
        world.seed_once(lambda _: None, now=NOW, stories=[STORIES[2]])
    restore()

    assert world.seed_once(lambda _: None, now=NOW + timedelta(days=90), stories=[STORIES[2]])

    referral = wired_stores.referrals.get(derive_referral_id(STORIES[2]))
    assert NOW - RECENT < referral.submitted_at < NOW


def test_sample_data_is_refused_in_production(wired_stores, monkeypatch):
    monkeypatch.setenv("DEPLOYMENT", "production")
    wiring.reset()

    with pytest.raises(world.NotFictionalSiteError):
        world.seed_once(lambda _: None)

    assert wired_stores.tenants.get(TenantKind.OPERATOR, OPERATOR.tenant_id) is None


def test_the_sample_data_has_documents_in_every_state(seeded_stores):
    """And what was sent another way, with every answer."""
    found = [
        document
        for story in STORIES
        if story.number in DOCUMENTS
        for document in seeded_stores.documents.list_for_referral(
            derive_referral_id(story), scope=find_practice(story.practice).tenant.tenant_id
        )
    ]

    assert {document.state for document in found} == set(DocumentState)
    arrivals = {document.arrival.arrival for document in found if document.arrival}
    assert arrivals == set(Arrival)
    assert {document.side for document in found} == {Actor.PRACTICE, Actor.CENTER}
