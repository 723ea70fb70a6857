"""What users do on the pages of the dashboard."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from infra.world.people import DEMO_PASSWORD
from tests.browser.demo_world import CENTER

if TYPE_CHECKING:
    from playwright.sync_api import ConsoleMessage, Locator, Page, Request

_LOG_POLICY_VIOLATIONS = """
addEventListener("securitypolicyviolation", (event) =>
  console.error(`policy: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`));
"""


_STORAGE = re.compile(r"http://127\.0\.0\.1:\d+/cart-(quarantine|documents)-\d{12}(/|$)")
"""The buckets of documents: files go there and come from there directly."""


class PageMonitor:
    """Records problems of a page: errors, violations of its security policy, and requests to other hosts."""

    def __init__(self, page: Page, site: str) -> None:
        """Start recording."""
        self.page = page
        self.site = site
        self.problems: list[str] = []
        page.add_init_script(_LOG_POLICY_VIOLATIONS)
        page.on("console", self._check_message)
        page.on("pageerror", lambda error: self.problems.append(f"error: {error}"))
        page.on("request", self._check_request)

    def _check_message(self, message: ConsoleMessage) -> None:
        # The browser logs this line for an error response, and tests cause error responses on purpose.
        expected = message.text.startswith("Failed to load resource")
        if message.type in ("error", "warning") and not expected:
            self.problems.append(f"{message.type}: {message.text}")

    def _check_request(self, request: Request) -> None:
        if not request.url.startswith((self.site, "data:")) and not _STORAGE.match(request.url):
            self.problems.append(f"request to another host: {request.url}")


def find_violations(page: Page, **options: Any) -> list[str]:
    """The accessibility violations that axe finds: WCAG 2.0 to 2.2, A and AA, and its best practices."""
    # Without the details of what passed, a run takes half of the time.
    options = {"resultTypes": ["violations"], **options}
    violations = Axe().run(page, options=options).response["violations"]
    return [f"{rule['id']}: {node['html']}" for rule in violations for node in rule["nodes"]]


def find_filter(page: Page, name: str) -> Locator:
    """The button of a filter of the worklist. It shows what is chosen."""
    return page.locator("#filters summary").filter(has_text=re.compile(rf"^{name}\b"))


def choose_in_filter(page: Page, name: str, *values: str) -> None:
    """Choose values in a filter of the worklist, in addition to those that are chosen, and close it."""
    find_filter(page, name).click()
    choices = page.get_by_role("group", name=name, exact=True)
    for value in values:
        choices.get_by_label(value, exact=True).check()
    page.keyboard.press("Escape")
    expect(choices).to_have_count(0)


def record_idempotency_keys(page: Page, method: str, ending: str) -> list[str]:
    """The Idempotency-Keys of the page's later requests with this method and end of the address."""
    keys: list[str] = []

    def record(request: Request) -> None:
        if request.method == method and request.url.endswith(ending):
            keys.append(request.headers["idempotency-key"])

    page.on("request", record)
    return keys


def expect_referral(page: Page, name: str) -> Locator:
    """Wait until the page of a patient is open, and return its heading."""
    heading = page.get_by_role("heading", level=1, name=name)
    expect(heading).to_be_visible()
    expect(page.get_by_role("region", name="Actions")).to_be_visible()
    return heading


@dataclass
class PageUser:
    """A user on a page of the dashboard."""

    page: Page

    def sign_in(self, email: str) -> PageUser:
        """Sign in, and wait until the user is signed in."""
        self.page.get_by_label("Email").fill(email)
        self.page.get_by_label("Password").fill(DEMO_PASSWORD)
        self.page.get_by_role("button", name="Sign in").click()
        expect(self.page.get_by_role("button", name="Sign out")).to_be_visible()
        return self

    def go(self, path: str) -> PageUser:
        """Go to an address of the dashboard."""
        self.page.evaluate("path => { location.hash = path }", path)
        return self

    def press(self, name: str) -> PageUser:
        """Press the button with exactly this name."""
        self.page.get_by_role("button", name=name, exact=True).click()
        return self

    def fill(self, **fields: str) -> PageUser:
        """Fill in fields by the start of their labels, with underscores for spaces."""
        for label, value in fields.items():
            field = self.page.get_by_label(re.compile(rf"^{label.replace('_', ' ')}")).first
            # Leave the field before first: a provider's name fills in the NPI, which the next value replaces.
            field.focus()
            field.fill(value)
        return self

    def choose(self, label: str, option: str) -> PageUser:
        """Choose an option of a list."""
        self.page.get_by_label(label, exact=True).select_option(label=option)
        return self

    def at_step(self, name: str) -> PageUser:
        """Wait until the form shows this step."""
        expect(self.page.get_by_role("heading", level=1)).to_contain_text(f": {name}")
        return self

    def open_step(self, name: str) -> PageUser:
        """Open a step from the list of steps. The address of the form changes when the draft is saved."""
        self.page.locator(".steps a").filter(has_text=name).click()
        return self.at_step(name)

    def fill_required_fields(self, family_name: str) -> PageUser:
        """Fill in the fields that identify a referral, and return to the first step."""
        self.go("#/new/provider").at_step("Referring provider").fill(Name="R. Provider")
        self.open_step("Diagnosis").choose("Disease", "Large B-cell lymphoma").open_step("Patient")
        return self.fill(Last_name=family_name, Date_of_birth="1961-04-02")

    def fill_whole_form(self, family_name: str, note: str) -> PageUser:
        """Fill in a whole referral, and stop at the last step."""
        page = self.page
        self.go("#/new/patient").at_step("Patient")
        self.fill(First_name="Ana", Last_name=family_name, Date_of_birth="1961-04-02")
        self.fill(Phone="(806) 555-0142", ZIP_code="79106").choose("Sex", "Female")
        self.press("Next").at_step("Diagnosis")
        self.choose("Disease", "Large B-cell lymphoma").choose("Histology", "DLBCL, not otherwise specified")
        self.choose("ECOG performance status", "1 \u2013 Restricted in strenuous activity")
        self.open_step("Referring provider")
        self.fill(Name="R. Provider", NPI="1234567893", Phone="806 555 0101")
        self.press("Save draft")
        expect(page.get_by_role("status").filter(has_text="Saved")).to_be_visible()
        page.get_by_role("link", name="Prior lines of therapy").click()
        self.at_step("Prior lines of therapy").press("Add first line")
        self.fill(Regimen="R-CHOP").choose("Outcome", "Relapsed")
        page.get_by_label("Anti-CD20").check()
        self.press("Next").at_step("Treatment center")
        page.get_by_label(re.compile("^Planned product")).select_option(value="breyanzi")
        page.get_by_role("radio", name=re.compile(CENTER)).check()
        self.press("Next").at_step("Insurance and consent")
        self.fill(Payer="Example Health", Member_ID="XEX0001", Date_of_consent="2026-10-03", Note=note)
        page.get_by_role("radio", name="Yes").check()
        self.press("Next").at_step("Referring provider")
        self.press("Next").at_step("Review and submit")
        return self

    def open_details(self, title: str) -> PageUser:
        """Open the collapsed details with this title."""
        self.page.get_by_text(title, exact=True).click()
        return self

    def record(self, action: str, **choices: str) -> PageUser:
        """Report an event with the current time, in the dialog of an action; `choices` are its lists."""
        self.press(action)
        dialog = self.page.get_by_role("dialog", name=action)
        for label, option in choices.items():
            dialog.get_by_label(label.replace("_", " ")).select_option(label=option)
        dialog.get_by_role("button", name=action).click()
        expect(dialog).to_be_hidden()
        return self

    @property
    def current_step(self) -> Locator:
        """The current step of the referral's progress."""
        return self.page.locator('.progress [aria-current="step"]')

    @property
    def referral_path(self) -> str:
        """The address of the referral on the page. It has only the opaque id of the referral."""
        path = self.page.evaluate("location.hash")
        assert re.fullmatch(r"#/referrals/ref_[a-z0-9]+(/edit/[a-z]+)?", path), path
        return re.sub(r"/edit/.*", "", str(path))
