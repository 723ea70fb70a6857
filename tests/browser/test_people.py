"""The page of an organization's people: who has access, and whether each account is safe."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.page_driver import find_violations

ADMIN = "admin@willow.example"


def build_person(name, status="active", **changed):
    """Build one person of the list."""
    ends_at = "2026-12-06T15:00:00Z" if status in ("invited", "invitation_ended") else None
    return {
        "member_id": f"mem_{name.lower()}",
        "name": f"{name} Lund",
        "email": f"{name.lower()}@willow.example",
        "roles": ["coordinator"],
        "active": status != "disabled",
        "version": 1,
        "status": status,
        "invitation_ends_at": ends_at,
        "mail_problem": None,
        **changed,
    }


@pytest.fixture
def open_people(open_page):
    """Open the page with people of our own, and with what the sign-in service says about them."""

    def open_with(people, steps=None, *, pages=None, **options):
        page = open_page("#/account", by=ADMIN, **options)
        answers = pages or [build_page(steps or {})]
        page.route("**/v1/members", lambda route: route.fulfill(json={"items": people}))
        page.route("**/v1/members/second-steps*", lambda route: route.fulfill(**answers.pop(0)))
        page.evaluate("location.hash = '#/members'")
        expect(page.get_by_role("table", name="People of Willow Bend Hematology Oncology")).to_be_visible()
        return page

    return open_with


def build_page(steps, cursor=None, **changed):
    """Build a page of what the sign-in service says."""
    items = [{"member_id": f"mem_{name}", "second_step": step} for name, step in steps.items()]
    return {"json": {"items": items, "available": True, "required": False, "next_cursor": cursor} | changed}


def find_row(page, name):
    return page.get_by_role("row").filter(has=page.get_by_role("rowheader", name=name))


def test_the_page_shows_the_people_of_the_organization(open_page):
    """With the real service behind it."""
    page = open_page("#/members", by=ADMIN)

    expect(page.get_by_role("row").filter(has_text=ADMIN)).to_contain_text("Active")
    expect(page.get_by_text("at Willow Bend Hematology Oncology.")).to_contain_text("active")


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("active", "Active"),
        ("invited", "The password works until Dec 6, 2026"),
        ("invitation_ended", "The password ended on Dec 6, 2026"),
        ("disabled", "Disabled"),
        ("not_known", "Shown after the next sign-in"),
    ],
)
def test_each_status_is_in_words(open_people, status, words):
    page = open_people([build_person("Petra", status)])

    expect(find_row(page, "Petra Lund")).to_contain_text(words)


@pytest.mark.parametrize(
    ("step", "words"),
    [("on", "Second step on"), ("not_set_up", "No second step"), ("not_known", "Second step not known")],
)
def test_each_second_step_is_in_words(open_people, step, words):
    page = open_people([build_person("Petra")], {"petra": step})

    expect(find_row(page, "Petra Lund")).to_contain_text(words)


def test_people_without_a_second_step_are_named_at_the_top(open_people):
    people = [build_person(name) for name in ("Ana", "Nico", "Petra")]

    page = open_people(people, {"ana": "not_set_up", "nico": "on", "petra": "not_set_up"})

    expect(page.get_by_text("2 people have no second step at sign-in: Ana Lund and Petra Lund.")).to_be_visible()


def test_nothing_is_claimed_while_the_sign_in_service_does_not_respond(open_people):
    page = open_people([build_person("Petra")], pages=[{"status": 409, "json": {"code": "busy", "detail": "Busy."}}])

    expect(page.get_by_text("it is not known who has a second step")).to_be_visible()
    expect(find_row(page, "Petra Lund")).to_contain_text("Second step not known")
    expect(page.get_by_text("no second step at sign-in")).to_have_count(0)


def test_what_is_known_stays_when_a_later_page_does_not_come(open_people):
    refused = {"status": 409, "json": {"code": "busy", "detail": "Busy."}}

    page = open_people([build_person("Ana"), build_person("Petra")], pages=[build_page({"ana": "on"}, "next"), refused])

    expect(find_row(page, "Ana Lund")).to_contain_text("Second step on")
    expect(find_row(page, "Petra Lund")).to_contain_text("Second step not known")


def test_a_site_without_a_second_step_does_not_mention_one(open_people):
    page = open_people([build_person("Petra")], pages=[build_page({}, available=False)])

    expect(page.get_by_role("columnheader", name="Email")).to_be_visible()
    expect(page.get_by_role("columnheader", name="Second step")).to_have_count(0)


def test_a_person_whose_email_bounces_is_marked(open_people):
    problem = {"reason": "bounced", "since": "2026-11-28T15:00:00Z"}

    page = open_people([build_person("Petra", mail_problem=problem)])

    expect(find_row(page, "Petra Lund")).to_contain_text("Email bounced")


def test_the_only_administrator_is_asked_to_invite_a_second_one(open_people):
    page = open_people([build_person("Petra", roles=["admin"]), build_person("Ana", "disabled", roles=["admin"])])

    expect(find_row(page, "Petra Lund")).to_contain_text("The only administrator.")


def test_two_administrators_are_enough(open_people):
    page = open_people([build_person(name, roles=["admin"]) for name in ("Ana", "Petra")])

    expect(page.get_by_text("The only administrator.")).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_fits_and_can_be_used_by_everyone(open_people, width, scheme):
    people = [
        build_person("Ana", roles=["admin"]),
        build_person("Nico", "invited"),
        build_person("Petra", mail_problem={"reason": "bounced", "since": "2026-11-28T15:00:00Z"}),
        build_person("Rafe", "disabled"),
        build_person("Tess", "invitation_ended"),
    ]

    page = open_people(people, {"ana": "on", "petra": "not_set_up"}, width=width, scheme=scheme)

    expect(page.get_by_text("1 person has no second step")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert find_violations(page) == []


@pytest.mark.parametrize(
    ("label", "option", "expected"),
    [
        ("Role", "Administrator", ["Petra Lund"]),
        ("State", "Invited", ["Nora Lund"]),
        ("State", "No second step", ["Petra Lund"]),
        ("State", "Email problem", ["Omar Lund"]),
    ],
)
def test_people_are_filtered_by_role_and_state(open_people, label, option, expected):
    """How many are shown is read aloud."""
    problem = {"reason": "bounced", "since": "2026-11-01T15:00:00Z"}
    people = [
        build_person("Petra", roles=["admin"]),
        build_person("Nora", "invited"),
        build_person("Omar", mail_problem=problem),
    ]
    page = open_people(people, {"petra": "not_set_up", "omar": "on"})
    expect(page.get_by_role("status").filter(has_text="people")).to_have_text("3 people")

    page.get_by_label(label, exact=True).select_option(label=option)

    expect(page.get_by_role("rowheader")).to_have_text([re.compile(name) for name in expected])
    expect(page.get_by_role("status").filter(has_text="people")).to_have_text("1 of 3 people")
    assert find_violations(page) == []


def test_a_filter_does_not_make_someone_the_only_administrator(open_people):
    people = [build_person("Petra", roles=["admin"]), build_person("Nora", "active", roles=["admin", "coordinator"])]
    page = open_people(people)

    page.get_by_label("Role", exact=True).select_option(label="Coordinator")

    expect(find_row(page, "Nora Lund")).not_to_contain_text("only administrator")
