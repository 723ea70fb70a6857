"""The link in an email: it opens the notice's referral after sign-in."""

import pytest
from playwright.sync_api import expect

from tests.browser.demo_world import CENTER_COORDINATOR, COORDINATOR
from tests.browser.page_driver import PageUser

NOT_YOURS = "This link does not lead to one of your notices."


@pytest.fixture
def notice(demo_world):
    """A notice of the coordinator."""
    return demo_world.call_api("GET", "notices", by=COORDINATOR)["items"][0]


@pytest.mark.parametrize("width", [1280, 390])
def test_the_link_opens_the_referral_after_sign_in(open_page, notice, width):
    """The sign-in page keeps the link. Back does not lead to it again."""
    page = open_page(f"#/notices/{notice['notice_id']}", width=width)

    PageUser(page).sign_in(COORDINATOR)

    expect(page.get_by_label("Referral status")).to_be_visible()
    assert page.evaluate("location.hash") == f"#/referrals/{notice['referral_id']}"


def test_the_notice_is_read_when_its_referral_opens(open_page, demo_world, notice):
    """As if the reader had opened it in the list of notices."""
    page = open_page(f"#/notices/{notice['notice_id']}", by=COORDINATOR)
    expect(page.get_by_label("Referral status")).to_be_visible()

    opened = demo_world.call_api("GET", f"notices/{notice['notice_id']}", by=COORDINATOR)

    assert opened["read_at"]


def test_the_link_works_after_an_idle_sign_out(open_page, notice):
    """In the window that was signed out."""
    page = open_page()
    page.clock.install()
    page.reload()
    user = PageUser(page).sign_in(COORDINATOR)
    page.clock.fast_forward("15:01")
    expect(page.get_by_text("You were signed out because of inactivity.")).to_be_visible()
    page.clock.resume()

    user.go(f"#/notices/{notice['notice_id']}").sign_in(COORDINATOR)

    expect(page.get_by_label("Referral status")).to_be_visible()
    assert page.evaluate("location.hash") == f"#/referrals/{notice['referral_id']}"


@pytest.mark.parametrize("wrong", ["colleague", "ntc_20260101T000000000000_" + "a" * 26, "nonsense"])
def test_a_link_to_no_notice_of_the_reader_shows_the_list(open_page, notice, wrong):
    """Another person's and an unknown one read the same, in one plain sentence."""
    notice_id = notice["notice_id"] if wrong == "colleague" else wrong

    page = open_page(f"#/notices/{notice_id}", by=CENTER_COORDINATOR)

    expect(page.get_by_text(NOT_YOURS)).to_be_visible()
    expect(page.get_by_role("heading", name="Notices")).to_be_visible()
