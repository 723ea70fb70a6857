"""The page that each person sees first: none of them is a dead end."""

import pytest
from playwright.sync_api import expect


@pytest.mark.parametrize(
    ("email", "heading"),
    [
        ("coordinator@willow.example", "Worklist"),
        ("clinician@bayou.example", "Worklist"),
        ("admin@willow.example", "People"),
        ("admin@bayou.example", "Connect your system"),
        ("operator@cart.example", "Operations"),
    ],
)
def test_a_person_starts_on_the_page_of_the_own_role(open_page, email, heading):
    """The menu has a worklist only for people who work with patients."""
    page = open_page(by=email)

    expect(page.get_by_role("heading", level=1)).to_contain_text(heading)
    expect(page.get_by_role("alert")).to_have_count(0)
    has_worklist = heading == "Worklist"
    expect(page.get_by_role("link", name="Worklist", exact=True)).to_have_count(1 if has_worklist else 0)
