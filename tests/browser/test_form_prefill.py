"""The form offers the providers and payers of the practice's earlier referrals."""

import pytest
from playwright.sync_api import expect

from tests.browser.demo_world import COORDINATOR
from tests.browser.page_driver import PageUser, find_violations

PROVIDER = "provider@willow.example"


@pytest.fixture(scope="module")
def known(demo_world):
    """Two providers and a payer of earlier referrals, and the page's words for them."""
    for name, npi, payer in (("Mo Known", "2000000135", "Known Health"), ("Ash Other", "2000000143", "Typo Helath")):
        path = demo_world.create_referral(f"Prefill {name}", stage="draft")
        referral_id = path.removeprefix("#/referrals/")
        read = demo_world.call_api("GET", f"referrals/{referral_id}", by=COORDINATOR)
        changes = {
            "referring_provider": {
                "name": name,
                "npi": npi,
                "phone": f"+1806555{npi[-4:]}",
                "email": "x@willow.example",
            },
            "insurance": {"payer": payer, "member_id": "XEX0001"},
        }
        demo_world.call_api("PATCH", f"referrals/{referral_id}", changes, by=COORDINATOR, version=read["version"])
        demo_world.report_event(path, "stage.changed", by=COORDINATOR, stage="submitted")


def read_fields(page):
    return [page.get_by_label(label, exact=True).input_value() for label in ("NPI", "Phone")] + [
        page.get_by_label("Email").input_value()
    ]


def enter_name(user, name):
    """Enter a name and leave the field, as a choice from the list does."""
    user.fill(Name=name)
    user.page.get_by_label("Name").press("Tab")
    return user.page


@pytest.mark.usefixtures("known")
@pytest.mark.parametrize("width", [1280, 390])
def test_a_provider_of_an_earlier_referral_fills_in_the_contact(open_page, width):
    """By keyboard, at both widths."""
    user = PageUser(open_page("#/new/provider", by=COORDINATOR, width=width)).at_step("Referring provider")
    options = user.page.locator("#known-providers option")
    expect(options.and_(user.page.locator("[value='Mo Known']"))).to_have_count(1)

    page = enter_name(user, "Mo Known")

    assert read_fields(page) == ["2000000135", "+18065550135", "x@willow.example"]
    expect(page.get_by_text("Filled in from an earlier referral").first).to_be_visible()
    assert find_violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.usefixtures("known")
def test_another_provider_replaces_what_was_filled_in_and_keeps_what_was_typed(as_coordinator):
    """A name never stands next to the NPI of someone else."""
    user = as_coordinator.go("#/new/provider").at_step("Referring provider").fill(Email="typed@willow.example")
    expect(user.page.locator("#known-providers option[value='Ash Other']")).to_have_count(1)
    enter_name(user, "Mo Known")

    page = enter_name(user, "Ash Other")
    assert read_fields(page) == ["2000000143", "+18065550143", "typed@willow.example"]
    enter_name(user, "Nora New")

    assert read_fields(page) == ["", "", "typed@willow.example"]


def test_a_provider_who_signs_in_finds_the_own_contact_and_no_draft_is_created(open_page, demo_world):
    """It can be used only once someone has used it before."""
    name = demo_world.call_api("GET", "me", by=PROVIDER)["name"]
    path = demo_world.create_referral("Prefillown", stage="draft").removeprefix("#/referrals/")
    own = {"name": f"Dr. {name}", "npi": "2000000150", "phone": "+18065550150"}
    demo_world.call_api("PATCH", f"referrals/{path}", {"referring_provider": own}, by=PROVIDER, version=1)
    demo_world.report_event(path, "stage.changed", by=PROVIDER, stage="submitted")

    user = PageUser(open_page("#/new/provider", by=PROVIDER)).at_step("Referring provider")

    expect(user.page.get_by_label("NPI", exact=True)).to_have_value("2000000150")
    expect(user.page.get_by_label("Name")).to_have_value(name)
    expect(user.page.get_by_role("status").filter(has_text="Nothing entered")).to_be_visible()


@pytest.mark.usefixtures("known")
def test_a_payer_with_a_typo_can_be_forgotten(as_coordinator):
    """It is not suggested any more, and the focus stays near."""
    page = as_coordinator.go("#/new/coverage").at_step("Insurance and consent").page
    option = page.locator("#known-payers option[value='Typo Helath']")
    expect(option).to_have_count(1)
    as_coordinator.open_details(page.get_by_text("Payers from earlier referrals").inner_text())

    as_coordinator.press("Forget Typo Helath")

    expect(option).to_have_count(0)
    expect(page.get_by_text("Payers from earlier referrals")).to_be_focused()
    assert find_violations(page) == []
