"""Unread changes: the worklist marks a referral that others changed until the member opens it."""

from playwright.sync_api import expect

UNREAD_MARK = "unread changes"


def test_a_changed_referral_is_marked_until_it_is_opened(as_coordinator, demo_world):
    """The page of the referral marks it as viewed without a click."""
    path = demo_world.create_referral("Newsworthy", stage="received")
    page = as_coordinator.go("#/worklist/all").fill(Search="Newsworthy").page
    row = page.get_by_role("row").filter(has_text="Newsworthy")
    expect(row).to_contain_text(UNREAD_MARK)

    with page.expect_response(lambda response: response.url.endswith("/look")) as viewed:
        as_coordinator.go(path)
    as_coordinator.go("#/worklist/all").fill(Search="Newsworthy")

    assert viewed.value.status == 204
    expect(row).to_be_visible()
    expect(row).not_to_contain_text(UNREAD_MARK)
