"""The definition of the sample data: it is complete, fictional, and follows the product's rules."""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from chalicelib.catalog import load_products
from chalicelib.domain.identity.members import Role, TenantKind
from chalicelib.domain.referrals.packet import REQUIRED_ITEMS, list_missing_items
from chalicelib.domain.referrals.stages import OPTIONAL_STAGES, Actor, Stage
from chalicelib.domain.referrals.transitions import list_transitions_from
from chalicelib.routes.referrals.request_bodies import ReferralRequest
from infra import world
from infra.world.patients import build_packet
from infra.world.people import DEMO_PASSWORD, MEMBERS
from infra.world.places import CENTERS, PRACTICES, find_center, find_practice
from infra.world.stories import STORIES
from infra.world.timeline import build_steps, compute_draft_time

TEMPLATE = Path(world.__file__).parents[1] / "resources.json"

# A working day, the start and the end of daylight saving time, and a minute after midnight in two zones.
TIMES = [
    datetime(2026, 11, 23, 18, 30, tzinfo=UTC),
    datetime(2027, 3, 14, 10, 0, 30, tzinfo=UTC),
    datetime(2026, 11, 1, 6, 1, tzinfo=UTC),
    datetime(2027, 1, 1, 10, 1, tzinfo=UTC),
]
NOW = TIMES[0]


def each_story():
    """Run a test once for each story."""
    return pytest.mark.parametrize("story", STORIES, ids=lambda s: f"{s.number}-{s.stage}")


def build_story_packet(story):
    """Build the packet that the practice of a story sends."""
    return build_packet(
        story.number,
        disease=story.disease,
        practice=find_practice(story.practice),
        referred_on=NOW.date(),
        child=story.child,
    )


def collect_all_text():
    """Collect everything that a user of the sample data can see, as one text."""
    packets = [build_story_packet(story) for story in STORIES]
    organizations = [{"name": each.name, **each.listing} for each in (*PRACTICES, *CENTERS)]
    people = [{"name": member.name, "email": member.email} for member in MEMBERS]
    return json.dumps([packets, organizations, people])


def test_the_sample_data_has_the_promised_size():
    """Source: the API contract, section 5."""
    zones = {center.time_zone for center in CENTERS}

    assert len(PRACTICES) >= 3
    assert len(CENTERS) >= 12
    assert len(zones) >= 5
    assert zones >= {"Pacific/Honolulu", "America/Phoenix"}
    assert len(STORIES) >= 60
    assert {story.stage for story in STORIES} == set(Stage)


def test_every_time_zone_exists():
    """Otherwise a misspelled zone would only show when a monitoring window starts."""
    assert all(ZoneInfo(each.time_zone) for each in (*PRACTICES, *CENTERS))


@pytest.mark.parametrize(
    ("pattern", "fictional"),
    [
        # Source: the North American Numbering Plan reserves 555-0100 to 555-0199.
        (r"\+\d+", r"\+1\d{3}55501\d\d"),
        # Source: RFC 2606 reserves the top-level domain `example`.
        (r"@[\w.-]+", r"@.+\.example"),
    ],
    ids=["phone-numbers", "email-addresses"],
)
def test_contact_data_is_reserved_for_fiction(pattern, fictional):
    found = re.findall(pattern, collect_all_text())

    assert found
    assert [each for each in found if not re.fullmatch(fictional, each)] == []


def test_every_center_and_its_certifier_are_marked_as_fictional():
    """No real hospital appears as certified, and no invented hospital has the name of a real one."""
    for center in CENTERS:
        assert center.listing["fictional"] is True
        assert center.listing["products"]
        assert all("Fictional" in offer["certified_by"] for offer in center.listing["products"])
        assert all(offer["diseases"] for offer in center.listing["products"])


def test_the_pediatric_center_offers_pediatric_indications_only():
    """Kymriah's lymphoma indications are for adults."""
    (center,) = [center for center in CENTERS if center.age_group == "pediatric"]

    assert [offer["diseases"] for offer in center.listing["products"]] == [["B_ALL"]]


def test_each_organization_has_a_member_for_every_role():
    expected = {
        TenantKind.PRACTICE: {Role.COORDINATOR, Role.PROVIDER, Role.ADMIN},
        TenantKind.CENTER: {Role.COORDINATOR, Role.CLINICIAN, Role.ADMIN},
    }

    for organization in (*PRACTICES, *CENTERS):
        staff = [member for member in MEMBERS if member.tenant == organization.tenant]
        assert {role for member in staff for role in member.roles} == expected[organization.kind]
    assert [m.handle for m in MEMBERS if m.tenant.kind is TenantKind.OPERATOR] == ["operator"]


def test_handles_emails_ids_and_names_are_unique():
    for name in ("handle", "email", "member_id", "name"):
        assert len({getattr(member, name) for member in MEMBERS}) == len(MEMBERS)
    assert len({each.tenant_id for each in (*PRACTICES, *CENTERS)}) == len(PRACTICES) + len(CENTERS)


def test_the_demo_accounts_include_every_kind_of_organization():
    kinds = {account.tenant.kind for account in world.list_demo_accounts()}

    assert kinds == set(TenantKind)
    assert {account.password for account in world.list_demo_accounts()} == {DEMO_PASSWORD}


def test_the_password_meets_the_policy_of_the_user_pool():
    """The policy in production's template also applies to the sample accounts."""
    pool = json.loads(TEMPLATE.read_text())["Resources"]["UserPool"]["Properties"]
    policy = pool["Policies"]["PasswordPolicy"]

    assert len(DEMO_PASSWORD) >= policy["MinimumLength"]
    assert re.search(r"[a-z]", DEMO_PASSWORD)
    assert re.search(r"[A-Z]", DEMO_PASSWORD)
    assert re.search(r"[0-9]", DEMO_PASSWORD)


@each_story()
def test_a_packet_is_valid_and_complete_and_its_center_treats_the_disease(story):
    sections = build_story_packet(story)
    center = find_center(story.center)
    offers = {offer["product_id"]: offer["diseases"] for offer in center.listing["products"]}

    ReferralRequest.model_validate_json(json.dumps(sections))
    assert list_missing_items({**sections, "center_id": center.tenant_id}, REQUIRED_ITEMS) == []
    assert story.disease in offers[story.product_id]
    assert story.disease in load_products()[story.product_id].diseases


@pytest.mark.parametrize("now", TIMES, ids=str)
@each_story()
def test_a_story_has_only_allowed_transitions_in_the_past(story, now):
    """An allowed actor reports each step, and each step is later than the previous one."""
    steps = build_steps(story, find_center(story.center), now=now)
    times = [compute_draft_time(story, steps, now=now), *(step.at for step in steps)]

    assert times[1:] == sorted(set(times[1:]))
    assert all(at < now for at in times)
    for before, step in zip([Stage.DRAFT, *(s.stage for s in steps)], steps, strict=False):
        assert step.reporter in list_transitions_from(before)[step.stage]
    assert (steps[-1].stage if steps else Stage.DRAFT) is story.stage


@pytest.mark.parametrize("now", TIMES, ids=str)
def test_an_open_monitoring_window_has_the_age_of_its_story(now):
    """Days are counted on the center's calendar."""
    (week_old,) = [s for s in STORIES if s.stage is Stage.MONITORING and s.ago.days == 7]
    center = find_center(week_old.center)

    (infusion,) = [s for s in build_steps(week_old, center, now=now) if s.stage is Stage.INFUSED]

    today = now.astimezone(ZoneInfo(center.time_zone)).date()
    assert infusion.local_date == today - timedelta(days=7)


@pytest.mark.parametrize("now", TIMES, ids=str)
def test_the_infusion_of_today_is_dated_today_at_its_center(now):
    """This also holds shortly after midnight. Otherwise the first job would start its monitoring at once."""
    (story,) = [s for s in STORIES if s.stage is Stage.INFUSED]
    center = find_center(story.center)

    infusion = build_steps(story, center, now=now)[-1]

    local_now = now.astimezone(ZoneInfo(center.time_zone))
    minutes_of_today = local_now.hour * 60 + local_now.minute
    assert infusion.local_date == local_now.date() or minutes_of_today < 10


def test_a_split_dose_has_two_infusions_days_apart():
    """Source: Aucatzyl's label, day 1 and day 10, plus or minus 2 days."""
    (story,) = [s for s in STORIES if s.product_id == "aucatzyl"]
    steps = build_steps(story, find_center(story.center), now=NOW)

    first, second = [step for step in steps if step.stage is Stage.INFUSED]

    assert [(first.part, first.of), (second.part, second.of)] == [(1, 2), (2, 2)]
    assert 7 <= (second.at - first.at).days <= 11


def test_a_sparse_center_omits_the_optional_stages():
    """The dashboard then shows stages that were never reported."""
    stories = [s for s in STORIES if find_center(s.center).sparse]
    reported = [{x.stage for x in build_steps(s, find_center(s.center), now=NOW)} for s in stories]

    assert stories
    assert all(stages & OPTIONAL_STAGES <= {story.stage} for story, stages in zip(stories, reported, strict=True))


def test_only_the_product_starts_monitoring():
    steps = [s for story in STORIES for s in build_steps(story, find_center(story.center), now=NOW)]

    reporters = {step.reporter for step in steps if step.stage is Stage.MONITORING}

    assert reporters == {Actor.SYSTEM}


def test_the_sample_data_is_the_same_every_time():
    """The documentation may refer to a sample referral."""
    assert [build_story_packet(story) for story in STORIES] == [build_story_packet(story) for story in STORIES]
    for story in STORIES:
        center = find_center(story.center)
        assert build_steps(story, center, now=NOW) == build_steps(story, center, now=NOW)


def test_several_referrals_are_overdue():
    """People open the dashboard to see what is overdue."""
    limit_days = {
        Stage.SUBMITTED: 1,
        Stage.RECEIVED: 3,
        Stage.INFO_REQUESTED: 2,
        Stage.CONSULT_SCHEDULED: 21,
        Stage.APHERESIS_SCHEDULED: 45,
        Stage.LYMPHODEPLETION_STARTED: 10,
        Stage.MONITORING: 28,
        Stage.HANDED_BACK: 3,
    }

    overdue = {story.stage for story in STORIES if story.ago.days > limit_days.get(story.stage, 10_000)}

    assert overdue == set(limit_days)
