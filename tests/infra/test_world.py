"""The fictional world as written down: what it has, and that nothing in it is real or illegal."""

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

# A working day, both ends of summer time, and a minute after midnight in two zones.
MOMENTS = [
    datetime(2026, 11, 23, 18, 30, tzinfo=UTC),
    datetime(2027, 3, 14, 10, 0, 30, tzinfo=UTC),
    datetime(2026, 11, 1, 6, 1, tzinfo=UTC),
    datetime(2027, 1, 1, 10, 1, tzinfo=UTC),
]
NOW = MOMENTS[0]


def each_story():
    """Run a test once for each story."""
    return pytest.mark.parametrize("story", STORIES, ids=lambda s: f"{s.number}-{s.stage}")


def sent(story):
    """What the practice of a story sends."""
    return build_packet(
        story.number,
        disease=story.disease,
        practice=find_practice(story.practice),
        referred_on=NOW.date(),
        child=story.child,
    )


def everything_written():
    """All that a reader of the world could see, as one text."""
    packets = [sent(story) for story in STORIES]
    places = [{"name": place.name, **place.build_listing} for place in (*PRACTICES, *CENTERS)]
    people = [{"name": member.name, "email": member.email} for member in MEMBERS]
    return json.dumps([packets, places, people])


def test_it_is_as_large_as_promised():
    """Source: the API contract, section 5."""
    zones = {center.time_zone for center in CENTERS}

    assert len(PRACTICES) >= 3
    assert len(CENTERS) >= 12
    assert len(zones) >= 5
    assert zones >= {"Pacific/Honolulu", "America/Phoenix"}
    assert len(STORIES) >= 60
    assert {story.stage for story in STORIES} == set(Stage)


def test_every_zone_is_one_that_computers_know():
    """A misspelled zone would only show when a window opens."""
    assert all(ZoneInfo(place.time_zone) for place in (*PRACTICES, *CENTERS))


def test_phones_are_those_that_are_kept_free_for_fiction():
    """Source: the North American Numbering Plan keeps 555-0100 to 555-0199."""
    numbers = re.findall(r"\+\d+", everything_written())

    assert numbers
    assert {number for number in numbers if not re.fullmatch(r"\+1\d{3}55501\d\d", number)} == set()


def test_mail_goes_nowhere():
    """Source: RFC 2606 keeps the top level domain `example`."""
    hosts = re.findall(r"@([\w.-]+)", everything_written())

    assert hosts
    assert {host for host in hosts if not host.endswith(".example")} == set()


def test_every_center_says_that_it_is_fictional_and_so_does_who_certified_it():
    """No real hospital is called certified, and no invented one passes for real."""
    for center in CENTERS:
        assert center.build_listing["fictional"] is True
        assert center.build_listing["products"]
        assert all("Fictional" in offer["certified_by"] for offer in center.build_listing["products"])
        assert all(offer["diseases"] for offer in center.build_listing["products"])


def test_a_center_for_children_offers_what_is_for_children():
    """Kymriah's lymphoma indications are for adults."""
    (penny,) = [center for center in CENTERS if center.age_group == "pediatric"]

    assert [offer["diseases"] for offer in penny.build_listing["products"]] == [["B_ALL"]]


def test_each_organisation_has_its_people():
    """Every role can be tried on either side."""
    wanted = {
        TenantKind.PRACTICE: {Role.COORDINATOR, Role.PROVIDER, Role.ADMIN},
        TenantKind.CENTER: {Role.COORDINATOR, Role.CLINICIAN, Role.ADMIN},
    }

    for place in (*PRACTICES, *CENTERS):
        staff = [member for member in MEMBERS if member.tenant == place.tenant]
        assert {role for member in staff for role in member.roles} == wanted[place.kind]
    assert [m.handle for m in MEMBERS if m.tenant.kind is TenantKind.OPERATOR] == ["operator"]


def test_everybody_can_be_told_apart():
    """Handles, addresses, ids and names."""
    for name in ("handle", "email", "member_id", "name"):
        assert len({getattr(member, name) for member in MEMBERS}) == len(MEMBERS)
    assert len({place.tenant_id for place in (*PRACTICES, *CENTERS)}) == len(PRACTICES) + len(CENTERS)


def test_the_demo_accounts_are_of_both_sides():
    """Somebody who looks around needs one of each."""
    kinds = {account.tenant.kind for account in world.list_demo_accounts()}

    assert kinds == set(TenantKind)
    assert {account.password for account in world.list_demo_accounts()} == {DEMO_PASSWORD}


def test_the_password_is_one_that_the_pool_takes():
    """The policy of production's template holds for the demonstration too."""
    pool = json.loads(TEMPLATE.read_text())["Resources"]["UserPool"]["Properties"]
    policy = pool["Policies"]["PasswordPolicy"]

    assert len(DEMO_PASSWORD) >= policy["MinimumLength"]
    assert re.search(r"[a-z]", DEMO_PASSWORD)
    assert re.search(r"[A-Z]", DEMO_PASSWORD)
    assert re.search(r"[0-9]", DEMO_PASSWORD)


@each_story()
def test_a_packet_is_what_the_api_takes_and_complete(story):
    """Else the seeding would be refused, or the demonstration look broken."""
    sections = sent(story)
    center = find_center(story.center)

    ReferralRequest.model_validate_json(json.dumps(sections))
    assert list_missing_items({**sections, "center_id": center.tenant_id}, REQUIRED_ITEMS) == []


@each_story()
def test_the_center_treats_what_the_patient_has(story):
    """A referral to a center that does not offer the product would teach the wrong thing."""
    offers = {o["product_id"]: o["diseases"] for o in find_center(story.center).build_listing["products"]}

    assert story.disease in offers[story.product_id]
    assert story.disease in load_products()[story.product_id].diseases


@pytest.mark.parametrize("now", MOMENTS, ids=str)
@each_story()
def test_a_story_is_a_legal_sequence_of_moves_of_the_past(story, now):
    """Each step by the side that may make it, each later than the one before."""
    steps = build_steps(story, find_center(story.center), now=now)
    times = [compute_draft_time(story, steps, now=now), *(step.at for step in steps)]

    assert times[1:] == sorted(set(times[1:]))
    assert all(at < now for at in times)
    for before, step in zip([Stage.DRAFT, *(s.stage for s in steps)], steps, strict=False):
        assert step.reporter in list_transitions_from(before)[step.stage]
    assert (steps[-1].stage if steps else Stage.DRAFT) is story.stage


@pytest.mark.parametrize("now", MOMENTS, ids=str)
def test_an_open_window_is_as_old_as_its_story_says(now):
    """Days are counted on the calendar of the center."""
    (week_old,) = [s for s in STORIES if s.stage is Stage.MONITORING and s.ago.days == 7]
    center = find_center(week_old.center)

    (infusion,) = [s for s in build_steps(week_old, center, now=now) if s.stage is Stage.INFUSED]

    today = now.astimezone(ZoneInfo(center.time_zone)).date()
    assert infusion.local_date == today - timedelta(days=7)


@pytest.mark.parametrize("now", MOMENTS, ids=str)
def test_the_infusion_of_today_is_of_today_at_its_center(now):
    """Just after midnight too: else the first job would open its monitoring at once."""
    (story,) = [s for s in STORIES if s.stage is Stage.INFUSED]
    center = find_center(story.center)

    infusion = build_steps(story, center, now=now)[-1]

    local_now = now.astimezone(ZoneInfo(center.time_zone))
    minutes_of_today = local_now.hour * 60 + local_now.minute
    assert infusion.local_date == local_now.date() or minutes_of_today < 10


def test_a_split_dose_is_given_in_two_parts_days_apart():
    """Source: Aucatzyl's label, day 1 and day 10, two days more or less."""
    (story,) = [s for s in STORIES if s.product_id == "aucatzyl"]
    steps = build_steps(story, find_center(story.center), now=NOW)

    first, second = [step for step in steps if step.stage is Stage.INFUSED]

    assert [(first.part, first.of), (second.part, second.of)] == [(1, 2), (2, 2)]
    assert 7 <= (second.at - first.at).days <= 11


def test_a_sparse_center_leaves_out_what_it_may():
    """So that the dashboard shows stages that were never reported."""
    stories = [s for s in STORIES if find_center(s.center).sparse]
    told = [{x.stage for x in build_steps(s, find_center(s.center), now=NOW)} for s in stories]

    assert stories
    assert all(stages & OPTIONAL_STAGES <= {story.stage} for story, stages in zip(stories, told, strict=True))


def test_only_the_product_itself_opens_monitoring():
    """As it does in life, from its own schedule."""
    steps = [s for story in STORIES for s in build_steps(story, find_center(story.center), now=NOW)]

    reporters = {step.reporter for step in steps if step.stage is Stage.MONITORING}

    assert reporters == {Actor.SYSTEM}


def test_it_is_the_same_world_every_time():
    """A page of the documentation may name a referral of it."""
    assert [sent(story) for story in STORIES] == [sent(story) for story in STORIES]
    for story in STORIES:
        center = find_center(story.center)
        assert build_steps(story, center, now=NOW) == build_steps(story, center, now=NOW)


def test_several_are_late():
    """What is late is what people open the dashboard for."""
    waits = {
        Stage.SUBMITTED: 1,
        Stage.RECEIVED: 3,
        Stage.INFO_REQUESTED: 2,
        Stage.CONSULT_SCHEDULED: 21,
        Stage.APHERESIS_SCHEDULED: 45,
        Stage.LYMPHODEPLETION_STARTED: 10,
        Stage.MONITORING: 28,
        Stage.HANDED_BACK: 3,
    }

    late = {story.stage for story in STORIES if story.ago.days > waits.get(story.stage, 10_000)}

    assert late == set(waits)
