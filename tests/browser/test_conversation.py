"""Messages and information requests on the pages of both teams."""

import pytest
from playwright.sync_api import expect

from tests.browser.demo_world import CENTER, CENTER_COORDINATOR, COORDINATOR, PRACTICE
from tests.browser.page_driver import PageUser, find_violations, record_idempotency_keys


def get_messages(page):
    return page.get_by_role("region", name="Messages")


def get_request(page):
    return page.get_by_role("region", name="Information request")


def send(demo_world, path, text, *, by):
    demo_world.call_api("POST", f"{path.removeprefix('#/')}/messages", {"text": text}, by=by)


def ask(demo_world, path, *items, text=None):
    body = {"items": items, "text": text}
    demo_world.call_api("POST", f"{path.removeprefix('#/')}/information-requests", body, by=CENTER_COORDINATOR)


def test_a_message_is_read_by_the_other_team_and_the_sender_sees_who_read_it(open_page, demo_world):
    """From the form of one team to the page of the other, and back as a receipt."""
    path = demo_world.create_referral("Writer", stage="accepted")
    practice = PageUser(open_page(path, by=COORDINATOR))
    practice.fill(**{f"Message_to_{CENTER}".replace(" ", "_"): "Is bridging with BR fine?"}).press("Send message")
    sent = get_messages(practice.page).get_by_role("listitem").filter(has_text="Is bridging with BR fine?")
    expect(sent).to_contain_text("Not read yet")
    center_page = open_page("#/worklist/all", by=CENTER_COORDINATOR)
    center_page.get_by_role("searchbox").fill("Writer")
    row = center_page.get_by_role("row").filter(has_text="Writer")
    expect(row).to_contain_text("1 new message")

    with center_page.expect_response(lambda response: response.url.endswith("/messages/read")) as read:
        PageUser(center_page).go(path)
        expect(get_messages(center_page)).to_contain_text("Is bridging with BR fine?")
        get_messages(center_page).get_by_role("button", name="Send message").scroll_into_view_if_needed()
    practice.page.reload()

    assert read.value.status == 200
    expect(sent).to_contain_text("Read by")


def test_messages_below_the_screen_count_as_unread(open_page, demo_world):
    """A page that was opened and not scrolled shows nothing of them."""
    path = demo_world.create_referral("Below", stage="accepted")
    send(demo_world, path, "Please call.", by=CENTER_COORDINATOR)
    page = open_page("#/", by=COORDINATOR)
    page.set_viewport_size({"width": 390, "height": 300})

    PageUser(page).go(path)
    expect(get_messages(page)).to_contain_text("1 new")
    page.wait_for_timeout(500)

    listed = demo_world.call_api("GET", f"{path.removeprefix('#/')}/messages", by=CENTER_COORDINATOR)
    assert listed["items"][0]["read_by"] == []


def test_a_script_in_a_message_is_inert_text(as_coordinator, demo_world):
    """The page shows what was typed."""
    path = demo_world.create_referral("Inert", stage="accepted")
    script = "<script>document.title = 'owned'</script><img src=x onerror=\"document.title = 'owned'\">"
    send(demo_world, path, script, by=CENTER_COORDINATOR)

    page = as_coordinator.go(path).page

    expect(get_messages(page).get_by_text(script)).to_be_visible()
    assert page.title() != "owned"


def test_a_double_click_sends_one_message(as_coordinator, demo_world):
    """Tired hands press twice."""
    path = demo_world.create_referral("Twice", stage="accepted")
    as_coordinator.go(path)
    keys = record_idempotency_keys(as_coordinator.page, "POST", "/messages")
    as_coordinator.fill(**{f"Message_to_{CENTER}".replace(" ", "_"): "Only once."})

    as_coordinator.page.get_by_role("button", name="Send message").dblclick()

    expect(get_messages(as_coordinator.page).get_by_text("Only once.")).to_have_count(1)
    assert len(set(keys)) == 1
    listed = demo_world.call_api("GET", f"{path.removeprefix('#/')}/messages", by=COORDINATOR)
    assert [message["text"] for message in listed["items"]] == ["Only once."]


def test_a_center_asks_for_items_after_acceptance(as_center, demo_world):
    """Items of the packet, an item by name, and a text; the center sees the state of each."""
    as_center.go(demo_world.create_referral("Asked", stage="accepted"))
    as_center.press("Request information")
    dialog = as_center.page.get_by_role("dialog", name="Request information")
    dialog.get_by_label("Echocardiogram with LVEF").check()
    dialog.get_by_label("Other items, one per line").fill("Slides of the second biopsy")
    dialog.get_by_label("What do you need?").fill("Before the consultation on Friday.")
    assert find_violations(as_center.page) == []

    dialog.get_by_role("button", name="Request information").click()

    expect(dialog).to_be_hidden()
    expect(as_center.page.get_by_text(f"Information requested from {PRACTICE}.").first).to_be_visible()
    request = get_request(as_center.page)
    expect(request).to_contain_text("2 of 2 open")
    expect(request.get_by_role("listitem").filter(has_text="Slides of the second biopsy")).to_contain_text("Open")


def test_a_request_without_content_keeps_the_dialog_open(as_center, demo_world):
    """The practice would have nothing to answer."""
    as_center.go(demo_world.create_referral("Nothing", stage="received"))
    as_center.press("Request information")
    dialog = as_center.page.get_by_role("dialog", name="Request information")

    dialog.get_by_role("button", name="Request information").click()

    expect(dialog.get_by_role("alert")).to_contain_text("Name at least one item, or write what you need.")


def test_a_practice_answers_item_by_item(open_page, demo_world):
    """The request is above its form; a partial answer leaves the rest open; the center sees it."""
    path = demo_world.create_referral("Answerer", stage="accepted")
    ask(demo_world, path, "clinical_ecog", "Echo of last year", text="Before Friday, please.")
    practice = PageUser(open_page(path, by=COORDINATOR))
    request = get_request(practice.page)
    expect(request).to_contain_text("Before Friday, please.")
    ecog = request.get_by_role("group", name="ECOG performance status")
    echo = request.get_by_role("group", name="Echo of last year")

    echo.get_by_label("None, because…").check()
    practice.press("Send answer")
    expect(request.get_by_role("alert")).to_contain_text("Say why there is none.")
    request.get_by_label("Why is there none?").fill("The patient has no heart disease.")
    practice.press("Send answer")
    expect(request).to_contain_text("1 of 2 open")
    expect(request.get_by_text("The patient has no heart disease.")).to_be_visible()
    assert find_violations(practice.page) == []
    ecog.get_by_label("Answer here").check()
    request.get_by_label("Answer", exact=True).fill("ECOG 1")
    practice.press("Send answer")

    expect(practice.page.get_by_text("Answer sent. All items are answered.").first).to_be_visible()
    expect(request).to_have_count(0)
    center_page = open_page(path, by=CENTER_COORDINATOR)
    center_page.get_by_text("Closed information requests (1)").click()
    expect(center_page.get_by_text("ECOG 1", exact=True)).to_be_visible()


def test_an_open_request_is_on_the_practices_list_at_a_later_stage(as_coordinator, demo_world):
    """The status is unchanged, and the row says how many items are open."""
    path = demo_world.create_referral("Laterask", stage="consult_completed")
    ask(demo_world, path, "imaging", "clinic_notes")

    page = as_coordinator.go("#/worklist/needs_information").page

    expect(page.get_by_role("row").filter(has_text="Laterask")).to_contain_text("2 items requested")


def test_a_center_closes_a_request(as_center, demo_world):
    """What it no longer needs is no longer the practice's task."""
    path = demo_world.create_referral("Closer", stage="accepted")
    ask(demo_world, path, "imaging")
    as_center.go(path).press("Close request")

    expect(
        as_center.page.get_by_text(f"Information request closed. {PRACTICE} will be notified.").first
    ).to_be_visible()
    expect(get_request(as_center.page)).to_have_count(0)


@pytest.mark.parametrize("width", [1280, 390])
def test_the_sections_fit_and_are_accessible(open_page, demo_world, width):
    """An open request and messages, on a computer and on a phone."""
    path = demo_world.create_referral("Fit", stage="accepted")
    ask(demo_world, path, "imaging", "W" * 190, text="x" * 300)
    send(demo_world, path, "y" * 300, by=CENTER_COORDINATOR)
    for by in (COORDINATOR, CENTER_COORDINATOR):
        page = open_page(path, by=by, width=width)
        expect(get_messages(page).get_by_role("listitem")).to_be_visible()
        expect(get_request(page)).to_be_visible()

        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert find_violations(page) == []
