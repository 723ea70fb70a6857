"""What may not fit is shown before submission, and to the center on the referral and in its worklist."""

import pytest
from playwright.sync_api import expect

from tests.browser.demo_world import CENTER_COORDINATOR, COORDINATOR
from tests.browser.page_driver import PageUser, find_violations

SENTENCE = "The ICD-10-CM code belongs to another disease than Large B-cell lymphoma."


@pytest.mark.parametrize("width", [1280, 390])
def test_a_code_of_another_disease_is_shown_at_the_review_and_to_the_center(open_page, demo_world, width):
    user = PageUser(open_page(by=COORDINATOR, width=width))
    path = demo_world.create_referral(f"Routed{width}", stage="draft")
    referral_id = path.removeprefix("#/referrals/")
    draft = demo_world.call_api("GET", f"referrals/{referral_id}", by=COORDINATOR)
    demo_world.call_api(
        "PATCH",
        f"referrals/{referral_id}",
        {"clinical": draft["clinical"] | {"icd10": "C90.02"}},
        by=COORDINATOR,
        version=draft["version"],
    )

    user.go(f"{path}/edit/review").at_step("Review and submit")
    expect(user.page.get_by_text("Check this before you submit")).to_be_visible()
    expect(user.page.get_by_text(SENTENCE)).to_be_visible()
    assert find_violations(user.page) == []
    user.press("Submit referral")
    expect(user.page.get_by_role("heading", level=1)).to_contain_text(f"Routed{width}")

    center = PageUser(open_page(by=CENTER_COORDINATOR, width=width))
    expect(center.go(path).page.get_by_text(SENTENCE)).to_be_visible()
    assert find_violations(center.page) == []
    center.go("#/worklist/all").fill(Search=f"Routed{width}")
    expect(center.page.get_by_role("row").filter(has_text=f"Routed{width}")).to_contain_text("Check routing")
    assert center.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
