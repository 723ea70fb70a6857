"""The eligibility check: entries, results that follow them, errors, and a referral from the answers."""

import json
import re
import urllib.request
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Route, expect

from infra import ehr
from tests.browser.page_driver import find_violations

SCREENS = re.compile("/v1/screens$")


@pytest.fixture
def eligibility_page(as_coordinator):
    """The page with R-CHOP and a relapse. The first line of therapy has no end date yet."""
    as_coordinator.go("#/screen")
    page = as_coordinator.page
    page.get_by_label("Age", exact=True).fill("65")
    page.get_by_label("Disease", exact=True).select_option("LBCL")
    page.get_by_label("Histology").select_option("DLBCL_NOS")
    page.get_by_label("ECOG performance status").select_option("2")
    page.get_by_role("button", name="Add first line").click()
    page.get_by_label("Regimen").fill("R-CHOP")
    page.get_by_label("Outcome").select_option("relapsed")
    page.get_by_label("Date of relapse or progression").fill("2026-10-02")
    page.get_by_label("Anti-CD20").check()
    page.get_by_label("Anthracycline").check()
    expect(locate_result(page, "Yescarta").locator(".card-head")).to_contain_text("Information missing")
    expect(page.get_by_text("Updating…")).to_have_count(0)
    return page


def locate_result(page, product):
    """The result of one product."""
    heading = page.get_by_role("heading", name=product, exact=True)
    return page.locator(".eligibility-result").filter(has=heading)


def record_requests(page):
    """The bodies of the checks that the page sends from now on, and its addresses."""
    bodies, addresses = [], []
    page.on("request", lambda request: addresses.append(request.url))
    page.on("request", lambda request: bodies.append(request.post_data) if SCREENS.search(request.url) else None)
    return bodies, addresses


def test_results_follow_the_entries_and_the_focus_stays(eligibility_page):
    """The result depends on the end of the first line, so the page asks for it and does not guess."""
    yescarta = locate_result(eligibility_page, "Yescarta")
    yescarta.get_by_role("button", name="End date of line 1").click()
    expect(eligibility_page.get_by_label("Ended on")).to_be_focused()

    eligibility_page.get_by_label("Ended on").fill("2026-05-20")

    expect(yescarta.locator(".card-head")).to_contain_text("Label criteria appear met")
    expect(eligibility_page.get_by_label("Ended on")).to_be_focused()
    expect(eligibility_page.locator("[aria-live=polite]")).to_contain_text("Label criteria: appear met 2")


def test_typing_sends_one_request_after_a_pause_and_nothing_in_addresses(eligibility_page):
    """Every key changes the entries. Requests do not follow every key."""
    bodies, addresses = record_requests(eligibility_page)
    regimen = eligibility_page.get_by_label("Regimen")
    regimen.press("End")

    with eligibility_page.expect_response(SCREENS):
        regimen.press_sequentially(" and then axi-cel")

    expect(locate_result(eligibility_page, "Yescarta").locator(".card-head")).to_contain_text("Discuss with center")
    assert [json.loads(body)["clinical"]["prior_lines"][0]["regimen"] for body in bodies] == ["R-CHOP and then axi-cel"]
    assert not [address for address in addresses if "axi" in address or "R-CHOP" in address]


def test_an_answer_that_comes_late_does_not_replace_newer_entries(eligibility_page):
    """While a request is on its way, no other is sent; then the newest entries are compared."""
    held: list[Route] = []
    eligibility_page.route(SCREENS, lambda route: held.append(route) if not held else route.continue_())
    bodies, _ = record_requests(eligibility_page)
    with eligibility_page.expect_request(SCREENS):
        eligibility_page.get_by_label("Age", exact=True).fill("16")
    for age in ("17", "70"):
        eligibility_page.get_by_label("Age", exact=True).fill(age)
        eligibility_page.wait_for_timeout(1000)
    assert [json.loads(body)["age"] for body in bodies] == [16]

    held[0].continue_()

    expect(eligibility_page.get_by_text("Updating…")).to_have_count(0)
    assert [json.loads(body)["age"] for body in bodies] == [16, 70]


def test_the_button_takes_the_focus_to_the_results(eligibility_page):
    """For people who do not see that they changed."""
    eligibility_page.get_by_role("button", name="Compare with label criteria").click()

    expect(eligibility_page.get_by_role("region", name="Results")).to_be_focused()


def test_a_line_without_a_regimen_is_compared_while_it_is_filled_in(eligibility_page):
    """A new line has no regimen at first. That is no error yet."""
    eligibility_page.get_by_role("button", name="Add another line").click()
    eligibility_page.get_by_label("Outcome").nth(1).select_option("relapsed")
    expect(locate_result(eligibility_page, "Kymriah").locator(".card-head")).to_contain_text("appear met")

    eligibility_page.get_by_role("button", name="Compare with label criteria").click()
    expect(eligibility_page.get_by_role("alert")).to_contain_text("Enter the regimen")


def test_a_result_shows_its_rules_and_is_accessible(eligibility_page):
    """Each rule has the entries, a source, and a date."""
    row = locate_result(eligibility_page, "Kymriah").get_by_role("group").first
    row.locator("summary").click()

    expect(row).to_contain_text(re.compile("2 (or more )?prior lines of therapy", re.IGNORECASE))
    expect(row).to_contain_text("ines of therapy: 1")
    expect(row).to_contain_text(re.compile(r"as of [A-Z][a-z]{2} \d{1,2}, 20\d\d"))
    expect(eligibility_page.get_by_text("ECOG performance status: 2.")).to_be_visible()
    assert find_violations(eligibility_page) == []


def test_contradictory_entries_are_named_without_moving_the_focus(eligibility_page):
    """A relapse before the start of its line is an error. While someone types, the focus stays."""
    eligibility_page.get_by_label("Started on").fill("2026-11-01")

    results = eligibility_page.get_by_role("region", name="Results")
    expect(results).to_contain_text("Results not updated. Fix 1 field")
    expect(eligibility_page.get_by_label("Started on")).to_be_focused()
    results.get_by_role("button", name=re.compile("relapse")).click()
    expect(eligibility_page.get_by_label("Date of relapse or progression")).to_be_focused()

    eligibility_page.get_by_role("button", name="Compare with label criteria").click()
    expect(eligibility_page.get_by_role("alert")).to_be_focused()


def test_another_disease_has_another_list_of_histologies(eligibility_page):
    """A histology of the old list does not stay."""
    eligibility_page.get_by_label("Disease", exact=True).select_option("MM")

    expect(eligibility_page.get_by_label("Histology")).to_have_value("")
    options = eligibility_page.get_by_label("Histology").locator("option").all_inner_texts()
    assert options[1] == "Multiple myeloma"
    assert options[-2:] == ["Other", "Unknown"]


def test_washouts_show_their_evidence_and_lead_to_their_field(eligibility_page):
    """What was not entered is closed, and each item opens its own field."""
    eligibility_page.get_by_label("Planned leukapheresis date").fill("2199-01-15")
    checks = eligibility_page.locator(".card", has_text="Before leukapheresis on")
    checks.get_by_text(re.compile("Last dose not entered")).click()

    expect(checks.locator("li", has_text="Donor lymphocyte infusion").first).to_contain_text("Practice only")
    checks.get_by_role("button", name="Cladribine: date of last dose").click()

    expect(eligibility_page.get_by_label("Cladribine: date of last dose")).to_be_focused()


def test_the_answers_become_the_clinical_part_of_a_referral(eligibility_page, as_coordinator):
    """The user does not enter them again. The referral has the date of the check."""
    as_coordinator.press("Start a referral with these answers").at_step("Patient")

    as_coordinator.go("#/new/therapy")

    expect(eligibility_page.get_by_label("Regimen")).to_have_value("R-CHOP")
    expect(eligibility_page.get_by_label("Anthracycline")).to_be_checked()
    as_coordinator.go("#/new/review").at_step("Review and submit")
    checked_on = eligibility_page.locator(".facts > div", has_text="Eligibility check")
    expect(checked_on).to_have_text(re.compile(r"[A-Z][a-z]{2} \d{1,2}, 20\d\d$"))
    histology = eligibility_page.locator(".facts > div", has_text="Histology")
    expect(histology).to_contain_text("DLBCL, not otherwise specified")


@pytest.fixture
def card_link(local_site, tmp_path_factory):
    """The link of the card that the simulated health record gets for a chart without lines of therapy."""
    key = ehr.load_or_create_key(next(tmp_path_factory.getbasetemp().glob("local*/ehr-key.json")))
    address = f"{local_site}/cds-services/{ehr.SERVICES['patient-view']}"
    request = urllib.request.Request(
        address,
        json.dumps(ehr.build_hook_request("patient-view", ehr.load_chart("large-b-cell"))).encode(),
        {
            "Content-Type": "application/json",
            "Authorization": f"Bearer {ehr.create_token(key, audience=address, now=datetime.now(UTC))}",
        },
    )
    with urllib.request.urlopen(request) as answer:
        (card,) = json.load(answer)["cards"]
    return "#" + card["links"][0]["url"].partition("#")[2]


def test_the_link_of_a_card_fills_in_the_form_once(as_coordinator, card_link):
    """The drugs of the chart are in no line until the user assigns them, and the address forgets the link."""
    as_coordinator.go(card_link)
    page = as_coordinator.page

    expect(page.get_by_label("Disease", exact=True)).to_have_value("LBCL")
    expect(page).to_have_url(re.compile("#/screen/chart$"))
    expect(locate_result(page, "Yescarta").locator(".card-head")).to_contain_text("Information missing")
    page.get_by_label(re.compile("^rituximab")).select_option(label="New line 1")
    page.get_by_label(re.compile("^doxorubicin")).select_option(label="Line 1")
    expect(page.get_by_label("Regimen")).to_have_value("rituximab, doxorubicin")
    expect(page.get_by_label("Anthracycline")).to_be_checked()
    expect(page.get_by_label(re.compile("^vincristine"))).to_have_count(1)
    assert find_violations(page) == []

    as_coordinator.go("#/screen/new")
    as_coordinator.go(card_link)
    expect(page.get_by_text("This link was used before or has expired.")).to_be_visible()
