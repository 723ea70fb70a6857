"""What people do with the dashboard, in their words."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from playwright.sync_api import expect

from infra.world.people import DEMO_PASSWORD
from tests.browser.demo_world import CENTER

if TYPE_CHECKING:
    from playwright.sync_api import ConsoleMessage, Locator, Page, Request

_TELL_VIOLATIONS = """
addEventListener("securitypolicyviolation", (event) =>
  console.error(`policy: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`));
"""


class Watch:
    """Notes what must never happen on a page: errors, policy violations, other hosts."""

    def __init__(self, page: Page, site: str) -> None:
        """Start watching."""
        self.page = page
        self.site = site
        self.troubles: list[str] = []
        page.add_init_script(_TELL_VIOLATIONS)
        page.on("console", self._said)
        page.on("pageerror", lambda error: self.troubles.append(f"error: {error}"))
        page.on("request", self._asked)

    def _said(self, message: ConsoleMessage) -> None:
        # The browser's own line on a refused or broken answer; tests provoke those on purpose.
        provoked = message.text.startswith("Failed to load resource")
        if message.type in ("error", "warning") and not provoked:
            self.troubles.append(f"{message.type}: {message.text}")

    def _asked(self, request: Request) -> None:
        if not request.url.startswith((self.site, "data:")):
            self.troubles.append(f"asked another host: {request.url}")


def keys_sent(page: Page, method: str, ending: str) -> list[str]:
    """Collects the Idempotency-Key of each request of a kind that the page makes from now on."""
    keys: list[str] = []

    def note(request: Request) -> None:
        if request.method == method and request.url.endswith(ending):
            keys.append(request.headers["idempotency-key"])

    page.on("request", note)
    return keys


@dataclass
class PageUser:
    """Somebody at a page of the dashboard."""

    page: Page

    def sign_in(self, email: str) -> PageUser:
        """Sign in and wait for what comes then."""
        self.page.get_by_label("Email").fill(email)
        self.page.get_by_label("Password").fill(DEMO_PASSWORD)
        self.page.get_by_role("button", name="Sign in").click()
        expect(self.page.get_by_role("button", name="Sign out")).to_be_visible()
        return self

    def go(self, path: str) -> PageUser:
        """Follow an address within the dashboard."""
        self.page.evaluate("path => { location.hash = path }", path)
        return self

    def press(self, name: str) -> PageUser:
        """Press a button."""
        self.page.get_by_role("button", name=name, exact=True).click()
        return self

    def fill(self, **fields: str) -> PageUser:
        """Fill in fields by the words of their labels, spaces as underscores."""
        for label, value in fields.items():
            self.page.get_by_label(re.compile(rf"^{label.replace('_', ' ')}")).first.fill(value)
        return self

    def choose(self, label: str, option: str) -> PageUser:
        """Choose from a list."""
        self.page.get_by_label(label, exact=True).select_option(label=option)
        return self

    def at_step(self, name: str) -> PageUser:
        """Wait for a step of the form."""
        expect(self.page.get_by_role("heading", level=1)).to_contain_text(f": {name}")
        return self

    def write_minimum(self, family_name: str) -> PageUser:
        """Fill in what a draft needs, and come back to the first step."""
        self.go("#/new/provider").at_step("Referring provider").fill(Name="R. Provider")
        self.go("#/new/diagnosis").at_step("Diagnosis")
        self.choose("Disease", "Large B-cell lymphoma")
        self.go("#/new/patient").at_step("Patient")
        return self.fill(Family_name=family_name, Date_of_birth="1961-04-02")

    def write_whole(self, family_name: str, note: str) -> PageUser:
        """Write a whole referral, step by step, up to the last one."""
        page = self.page
        self.go("#/new/patient").at_step("Patient")
        self.fill(Given_name="Ana", Family_name=family_name, Date_of_birth="1961-04-02")
        self.fill(Phone="(806) 555-0142", ZIP_code="79106").choose("Sex", "Female")
        self.press("Next").at_step("Diagnosis")
        self.choose("Disease", "Large B-cell lymphoma").fill(Histology="DLBCL NOS")
        self.choose("ECOG performance status", "1, restricted in strenuous activity")
        self.go("#/new/provider").at_step("Referring provider")
        self.fill(Name="R. Provider", NPI="1234567893", Phone="806 555 0101")
        self.press("Save draft")
        expect(page.get_by_role("status").filter(has_text="Saved")).to_be_visible()
        page.get_by_role("link", name="Prior therapy").click()
        self.at_step("Prior therapy").press("Add the first line")
        self.fill(Regimen="R-CHOP").choose("Outcome", "Relapsed")
        page.get_by_label("Anti-CD20").check()
        self.press("Next").at_step("Treatment center")
        page.get_by_label(re.compile("^Product in mind")).select_option(value="breyanzi")
        page.get_by_role("radio", name=re.compile(CENTER)).check()
        self.press("Next").at_step("Coverage and consent")
        self.fill(Payer="Example Health", Member_id="XEX0001", Agreed_on="2026-10-03", Note=note)
        page.get_by_role("radio", name="Yes").check()
        self.press("Next").at_step("Referring provider")
        self.press("Next").at_step("Review and send")
        return self

    def unfold(self, title: str) -> PageUser:
        """Show what is folded away under a title."""
        self.page.get_by_text(title, exact=True).click()
        return self

    def record(self, action: str, **choices: str) -> PageUser:
        """Record what happened, now, in the dialog of an action; `choices` are its lists."""
        self.press(action)
        dialog = self.page.get_by_role("dialog", name=action)
        for label, option in choices.items():
            dialog.get_by_label(label.replace("_", " ")).select_option(label=option)
        dialog.get_by_role("button", name=action).click()
        expect(dialog).to_be_hidden()
        return self

    @property
    def stage(self) -> Locator:
        """The stage that the journey shows as the present one."""
        return self.page.locator('.journey [aria-current="step"]')

    @property
    def referral_path(self) -> str:
        """The address of the referral on the page, which carries no more than its opaque id."""
        path = self.page.evaluate("location.hash")
        assert re.fullmatch(r"#/referrals/ref_[a-z0-9]+(/edit/[a-z]+)?", path), path
        return re.sub(r"/edit/.*", "", str(path))
