"""The button that downloads a referral as a PDF, for both sides."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.page_driver import find_violations
from tests.support.packet_pages import read_pages

BUTTON = "Download packet (PDF)"


def download(user):
    """Press the button and return the file's name and the text of its pages."""
    with user.page.expect_download() as started:
        user.press(BUTTON)
    path = started.value.path()
    return started.value.suggested_filename, " ".join(read_pages(Path(path).read_bytes()))


@pytest.mark.parametrize("side", ["as_coordinator", "as_center"])
def test_both_sides_download_the_packet(request, demo_world, side):
    """By its button, with a name of the file that says nothing about the patient."""
    user = request.getfixturevalue(side)
    user.go(demo_world.create_referral("Handedover", stage="received"))

    name, text = download(user)

    assert name == "referral-packet.pdf"
    assert "Handedover" in text
    assert "page 1 of 1" in text
    expect(user.page.get_by_text("Packet downloaded")).to_be_attached()


def test_the_reader_chooses_the_alias(as_coordinator, demo_world):
    """The page says before what is left out. All of it works with the keyboard, and is labeled."""
    page = as_coordinator.go(demo_world.create_referral("Unnamed", stage="received")).page
    page.get_by_label("With the name").focus()
    page.keyboard.press("ArrowDown")

    expect(page.get_by_label("With the alias only")).to_be_checked()
    expect(page.get_by_text("Leaves out everything else that says who the patient is, and the note.")).to_be_visible()
    assert find_violations(page) == []
    _, text = download(as_coordinator)
    assert "Unnamed" not in text
    assert "CAR T referral:" in text


def test_a_page_that_cannot_be_made_says_so_and_can_be_tried_again(as_coordinator, demo_world):
    """The rest of the page stays."""
    page = as_coordinator.go(demo_world.create_referral("Unlucky", stage="received")).page
    problem = (
        '{"type": "/docs#problem-packet_unavailable", "title": "Temporarily unavailable", "status": 503,'
        ' "detail": "The PDF cannot be made right now. Try again in a moment, or print this page.",'
        ' "code": "packet_unavailable", "request_id": "r", "errors": []}'
    )
    page.route(
        "**/packet.pdf*",
        lambda route: route.fulfill(status=503, content_type="application/problem+json", body=problem),
    )
    as_coordinator.press(BUTTON)
    expect(page.get_by_text("The PDF cannot be made right now.")).to_be_visible()

    page.unroute("**/packet.pdf*")
    with page.expect_download() as started:
        page.get_by_role("button", name="Try again").click()

    assert started.value.suggested_filename == "referral-packet.pdf"
    expect(page.get_by_text("The PDF cannot be made right now.")).to_have_count(0)
