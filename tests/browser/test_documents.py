"""Documents on the pages of both teams: upload with progress, stop, open, answer, remove, and faxes."""

import re

import pikepdf
import pytest
from playwright.sync_api import expect

from tests.browser.demo_world import CENTER_COORDINATOR, COORDINATOR
from tests.browser.page_driver import PageUser, find_violations
from tests.support.uploaded_files import EICAR, build_image, build_pdf

CHECK_MS = 40_000


def get_documents(page):
    return page.get_by_role("region", name="Documents")


def open_dialog(page):
    get_documents(page).get_by_role("button", name="Add document").click()
    return page.get_by_role("dialog", name="Add document")


def choose_file(dialog, content, name="Scan Example.pdf", kind="Pathology report"):
    dialog.get_by_label("What is it?").select_option(label=kind)
    media_type = "application/pdf"
    dialog.get_by_label("File", exact=True).set_input_files({"name": name, "mimeType": media_type, "buffer": content})


def test_a_file_is_uploaded_checked_and_opened_by_the_other_team(open_page, demo_world):
    """From the disk of one team to the disk of the other."""
    path = demo_world.create_referral("Uploader", stage="accepted")
    page = open_page(path, by=COORDINATOR)
    dialog = open_dialog(page)
    choose_file(dialog, build_pdf(3))
    dialog.get_by_role("button", name="Add file").click()
    row = get_documents(page).get_by_role("listitem").filter(has_text="Scan Example.pdf")
    expect(row).to_contain_text("Available", timeout=CHECK_MS)
    expect(row).to_contain_text("3 pages")
    expect(get_documents(page)).to_contain_text("Packet documents: 1 of 8")

    center_page = open_page(path, by=CENTER_COORDINATOR)
    with center_page.expect_download() as download:
        get_documents(center_page).get_by_role("button", name="Download Pathology report").click()

    assert re.fullmatch(r"pathology-report-\d{4}-\d{2}-\d{2}\.pdf", download.value.suggested_filename)
    assert "Example" not in download.value.url
    with pikepdf.open(download.value.path()) as pdf:
        assert len(pdf.pages) == 3


@pytest.fixture
def open_shared_image(open_page, demo_world):
    """Share a file as the practice, and open the page of its referral as someone of the center who signs in."""

    def share_image():
        path = demo_world.create_referral("Viewer", stage="accepted")
        page = open_page(path, by=COORDINATOR)
        dialog = open_dialog(page)
        dialog.get_by_label("What is it?").select_option(label="Pathology report")
        file = {"name": "scan.png", "mimeType": "image/png", "buffer": build_image("PNG")}
        dialog.get_by_label("File", exact=True).set_input_files(file)
        dialog.get_by_role("button", name="Add file").click()
        expect(get_documents(page).get_by_role("listitem").first).to_contain_text("Available", timeout=CHECK_MS)
        center_page = open_page(path, width=390)
        PageUser(center_page).sign_in(CENTER_COORDINATOR)
        return center_page

    return share_image


def test_an_image_is_shown_in_a_new_tab_that_has_no_session(open_shared_image):
    """On a phone; the page of the referral stays."""
    page = open_shared_image()
    with page.expect_popup() as opened:
        get_documents(page).get_by_role("button", name="Open Pathology report in a new tab").click()
    tab = opened.value
    tab.wait_for_url(re.compile("-documents-"))
    tab.wait_for_load_state()

    assert tab.evaluate("[document.contentType, document.images[0].naturalWidth > 0, opener]") == [
        "image/png",
        True,
        None,
    ]
    assert tab.evaluate("sessionStorage.length + localStorage.length") == 0
    assert get_documents(page).is_visible()


def test_a_link_that_is_refused_closes_the_new_tab(open_shared_image):
    """The page says why, and the next click tries again."""
    page = open_shared_image()
    page.route(re.compile("/links"), lambda route: route.fulfill(status=503, body="{}"))
    with page.expect_popup() as opened:
        get_documents(page).get_by_role("button", name="Open Pathology report").click()

    expect(get_documents(page).get_by_role("alert")).to_contain_text("not available right now")
    assert opened.value.is_closed()


def test_a_browser_that_opens_no_tab_offers_the_download(open_shared_image):
    """Some phones and managed browsers block every new tab."""
    page = open_shared_image()
    page.evaluate("window.open = () => null")
    get_documents(page).get_by_role("button", name="Open Pathology report").click()

    expect(get_documents(page).get_by_role("alert")).to_contain_text("Download the file instead")


def test_a_refused_file_says_what_to_do(open_page, demo_world):
    """The sentence of the server; the other team sees nothing."""
    path = demo_world.create_referral("Refused", stage="accepted")
    page = open_page(path, by=COORDINATOR)

    def add_eicar(pdf):
        pdf.Root.Hidden = pdf.make_stream(EICAR)

    dialog = open_dialog(page)
    choose_file(dialog, build_pdf(1, add_eicar))
    dialog.get_by_role("button", name="Add file").click()

    expect(get_documents(page)).to_contain_text("contains malware and was deleted", timeout=CHECK_MS)
    center_page = open_page(path, by=CENTER_COORDINATOR)
    expect(get_documents(center_page)).to_contain_text("No documents yet.")


def test_an_upload_shows_its_progress_and_can_be_stopped(open_page, demo_world):
    """The document is gone, and its row says why."""
    path = demo_world.create_referral("Stopper", stage="accepted")
    page = open_page(path, by=COORDINATOR)
    page.route(re.compile("-quarantine-"), lambda _: None)  # Never answered.
    dialog = open_dialog(page)
    choose_file(dialog, build_pdf())
    dialog.get_by_role("button", name="Add file").click()
    expect(dialog.get_by_role("progressbar")).to_be_visible()
    dialog.get_by_role("button", name="Cancel upload").click()

    expect(dialog).to_be_hidden()
    expect(get_documents(page)).to_contain_text("Canceled before the check was complete")


def test_a_failed_upload_can_be_sent_again(open_page, demo_world):
    """With the same form; what was entered is kept."""
    path = demo_world.create_referral("Resender", stage="accepted")
    page = open_page(path, by=COORDINATOR)
    page.route(re.compile("-quarantine-"), lambda route: route.abort())
    dialog = open_dialog(page)
    choose_file(dialog, build_pdf())
    dialog.get_by_role("button", name="Add file").click()
    expect(dialog.get_by_role("alert")).to_contain_text("was not sent completely")
    page.unroute(re.compile("-quarantine-"))
    dialog.get_by_role("button", name="Send again").click()

    expect(get_documents(page).get_by_role("listitem").first).to_contain_text("Available", timeout=CHECK_MS)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("photo.heic", b"x", "Save the photo as JPEG"),
        ("tool.exe", b"MZ", "Choose a PDF, JPEG, PNG or TIFF file."),
        ("empty.pdf", b"", "The file is empty."),
    ],
)
def test_a_file_that_cannot_be_sent_is_named_at_once(open_page, demo_world, name, content, message):
    """Before anything leaves the computer."""
    page = open_page(demo_world.create_referral("Chooser", stage="accepted"), by=COORDINATOR)
    dialog = open_dialog(page)
    choose_file(dialog, content, name=name)
    dialog.get_by_role("button", name="Add file").click()

    expect(dialog).to_contain_text(message)


def test_a_fax_is_recorded_by_keyboard_on_a_phone_and_answers_a_request(open_page, demo_world):
    """At 390 px, without a finding of axe; the center then says that it was not found."""
    path = demo_world.create_referral("Faxer", stage="accepted")
    requests = f"{path.removeprefix('#/')}/information-requests"
    demo_world.call_api("POST", requests, {"items": ["imaging"]}, by=CENTER_COORDINATOR)
    page = open_page("#/", by=COORDINATOR)
    page.set_viewport_size({"width": 390, "height": 844})
    PageUser(page).go(path)
    get_documents(page).get_by_role("button", name="Add document").focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Add document")
    dialog.get_by_label("Upload a file").focus()
    page.keyboard.press("ArrowDown")
    dialog.get_by_label("Answers a requested item").select_option(
        label="Last PET-CT or other imaging, with images or report"
    )
    dialog.get_by_label("Fax number, portal or address").fill("(410) 555-0188")
    assert find_violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    dialog.get_by_role("button", name="Record").focus()
    page.keyboard.press("Enter")
    expect(get_documents(page)).to_contain_text("Not confirmed by the other team")
    expect(page.get_by_role("region", name="Information request")).to_be_hidden()

    center_page = open_page(path, by=CENTER_COORDINATOR)
    expect(get_documents(center_page)).to_contain_text("Not confirmed by your team")
    get_documents(center_page).get_by_role("button", name="Not found").click()
    expect(get_documents(center_page)).to_contain_text("Not found")
    assert find_violations(center_page) == []
    page.reload()
    expect(get_documents(page).get_by_role("listitem").first).to_contain_text("Not found")


def test_another_patients_document_is_removed_with_its_reason(open_page, demo_world):
    """Also after the center decided."""
    path = demo_world.create_referral("Remover", stage="submitted")
    page = open_page(path, by=COORDINATOR)
    dialog = open_dialog(page)
    choose_file(dialog, build_pdf())
    dialog.get_by_role("button", name="Add file").click()
    row = get_documents(page).get_by_role("listitem").filter(has_text="Scan Example.pdf")
    expect(row).to_contain_text("Available", timeout=CHECK_MS)
    demo_world.report_stage(path.rpartition("/")[2], "received")
    demo_world.report_stage(path.rpartition("/")[2], "accepted")
    page.reload()
    row.get_by_role("button", name="Remove Pathology report").click()
    removing = page.get_by_role("dialog", name="Remove document")
    expect(removing.get_by_role("radio")).to_have_count(1)
    assert find_violations(page) == []
    removing.get_by_role("button", name="Remove document").click()

    expect(row).to_contain_text("Belongs to another patient")
