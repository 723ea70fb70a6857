"""What others changed is marked in the list until its page was looked at."""

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

MARK = "changed since you looked"


def test_news_is_marked_until_one_has_looked(as_coordinator, demo_world):
    """The page itself says so; nobody presses anything."""
    path = demo_world.referral("Newsworthy", reached="received")
    page = as_coordinator.go("#/worklist/all").fill(Search="Newsworthy").page
    row = page.get_by_role("row").filter(has_text="Newsworthy")
    expect(row).to_contain_text(MARK)

    with page.expect_response(lambda answer: answer.url.endswith("/look")) as told:
        as_coordinator.go(path)
    as_coordinator.go("#/worklist/all").fill(Search="Newsworthy")

    assert told.value.status == 204
    expect(row).to_be_visible()
    expect(row).not_to_contain_text(MARK)
