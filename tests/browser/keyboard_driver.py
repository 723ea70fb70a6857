"""Uses the dashboard with the keyboard only, and checks what a screen reader reads and announces."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from playwright.sync_api import expect

from infra.world.people import DEMO_PASSWORD

if TYPE_CHECKING:
    from playwright.sync_api import Page

MAX_PRESSES = 120

_READ_FOCUS = """() => {
  const element = document.activeElement ?? document.body;
  const box = element.getBoundingClientRect();
  const shown = element.checkVisibility({ opacityProperty: true, visibilityProperty: true });
  const isOnScreen = box.width > 0 && box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth;
  // What stays in its place while the page scrolls, and does not contain the element.
  const covers = [...document.querySelectorAll("body *")].filter((other) =>
    ["sticky", "fixed"].includes(getComputedStyle(other).position) &&
    !other.contains(element) && !element.contains(other) && other.checkVisibility() && !element.closest("dialog"));
  const isBelow = (other, x, y) => {
    const top = document.elementFromPoint(x, y);
    return top !== null && other.contains(top);
  };
  const inset = Math.min(2, box.width / 4, box.height / 4);
  const points = [box.left + inset, (box.left + box.right) / 2, box.right - inset].flatMap((x) =>
    [box.top + inset, (box.top + box.bottom) / 2, box.bottom - inset].map((y) => [x, y]));
  const covering = covers.find((other) => points.some(([x, y]) => isBelow(other, x, y)));
  return {
    place: element === document.body ? "body" : element.localName,
    problem: !shown ? "is hidden" : !isOnScreen ? "is not on the screen"
      : covering ? `is covered by ${covering.localName}.${covering.className}` : "",
    group: element.closest("fieldset")?.querySelector("legend")?.textContent ?? "",
    option: element.localName === "select" ? element.selectedOptions[0]?.text : "",
  };
}"""

_FIND_REPEATED_IDS = """() => [...document.querySelectorAll("[id]")].map(({ id }) => id)
  .filter((id, index, ids) => ids.indexOf(id) !== index)"""


class Focus(NamedTuple):
    """What has the focus: as the accessibility tree describes it, and where it is on the page."""

    role: str
    name: str
    place: str
    problem: str
    group: str
    option: str

    def __str__(self) -> str:
        """A line for a list of what was passed."""
        return " ".join(filter(None, [self.role, repr(self.name), self.problem and f"({self.problem})"]))


class KeyboardUser:
    """Presses keys, and checks after each that the focus can be seen."""

    def __init__(self, page: Page) -> None:
        """Use a page that is open."""
        self.page = page
        self._tree = page.context.new_cdp_session(page)

    def press(self, *keys: str) -> KeyboardUser:
        """Press keys one after the other, wherever the focus is."""
        for key in keys:
            self.page.keyboard.press(key)
        return self

    def type(self, text: str) -> KeyboardUser:
        """Type into what has the focus."""
        self.page.keyboard.type(text)
        return self

    def _read_node(self, expression: str) -> dict[str, Any]:
        """The node of the accessibility tree of an element."""
        found = self._tree.send("Runtime.evaluate", {"expression": expression})
        query = {"objectId": found["result"]["objectId"], "fetchRelatives": False}
        node: dict[str, Any] = self._tree.send("Accessibility.getPartialAXTree", query)["nodes"][0]
        return node

    def read_focus(self) -> Focus:
        """What has the focus. The role and the name are those that assistive technology gets."""
        node = self._read_node("document.activeElement ?? document.body")
        role, name = (node.get(key, {}).get("value", "") for key in ("role", "name"))
        return Focus(role, name, **self.page.evaluate(_READ_FOCUS))

    def expect_focus_in_sight(self) -> Focus:
        """The focus is on an element, which is on the screen and not below what stays in its place."""
        focus = self.read_focus()
        assert focus.place != "body", "The focus is lost."
        assert not focus.problem, str(focus)
        return focus

    def tab_to(
        self, role: str, name: str | re.Pattern[str], *, group: str = "", back: bool = False, limit: int = MAX_PRESSES
    ) -> KeyboardUser:
        """Press Tab until the element with this role and name has the focus. It can have the focus already."""
        passed: list[Focus] = []
        for _ in range(limit):
            focus = self.read_focus()
            assert not focus.problem, str(focus)
            if focus.role == role and _matches(focus.name, name) and group in focus.group:
                return self
            passed.append(focus)
            self.press("Shift+Tab" if back else "Tab")
        lines = "\n  ".join(map(str, passed))
        raise AssertionError(f"No {role} {name!r} has had the focus. Passed:\n  {lines}")

    def activate(
        self, role: str, name: str | re.Pattern[str], *, key: str = "Enter", back: bool = False
    ) -> KeyboardUser:
        """Go to a button or link and press it."""
        return self.tab_to(role, name, back=back).press(key)

    def fill(self, name: str | re.Pattern[str], text: str, *, role: str = "textbox") -> KeyboardUser:
        """Go to a field and type, in place of what it has."""
        return self.tab_to(role, name).press("Control+A").type(text)

    def fill_date(self, name: str | re.Pattern[str], digits: str) -> KeyboardUser:
        """Go to a date field and type month, day and year."""
        return self.tab_to("Date", name).type(digits)

    def choose(self, name: str | re.Pattern[str], option: str) -> KeyboardUser:
        """Go to a list and move down to an option."""
        self.tab_to("combobox", name)
        # Some lists have their options from the API.
        expect(self.page.locator(":focus").get_by_role("option", name=option, exact=True)).to_have_count(1)
        passed: list[str] = []
        while (shown := self.read_focus().option) != option:
            assert shown not in passed, f"No option {option!r} among {passed}"
            passed.append(shown)
            self.press("ArrowDown")
        return self

    def pick(self, group: str, option: str | re.Pattern[str]) -> KeyboardUser:
        """Go to a question and move to one of its answers."""
        self.tab_to("radio", re.compile(""), group=group)
        passed: list[str] = []
        while not _matches(name := self.read_focus().name, option):
            passed.append(name)
            assert len(passed) < MAX_PRESSES, f"No answer {option!r} among {passed}"
            self.press("ArrowDown")
        # The first answer has the focus before it is chosen.
        return self.press("Space")

    def check(self, name: str | re.Pattern[str]) -> KeyboardUser:
        """Go to a check box and check it."""
        return self.tab_to("checkbox", name).press("Space")

    def sign_in(self, email: str) -> KeyboardUser:
        """Sign in, and wait for the first page."""
        self.fill("Email", email).fill("Password", DEMO_PASSWORD).activate("button", "Sign in")
        expect(self.page.get_by_role("button", name="Sign out")).to_be_visible()
        return self

    def open_row(self, name: str) -> KeyboardUser:
        """Search all open referrals, and open the row of a patient."""
        self.expect_heading("Worklist").activate("link", re.compile("^All open"))
        expect(self.page.locator(".views a[aria-current]")).to_contain_text("All open")
        self.search(name, count=1)
        self.activate("link", re.compile(f"^{name}, Ana"))
        return self.expect_heading(name)

    def search(self, text: str, *, count: int) -> KeyboardUser:
        """Search the worklist, and wait until it has as many rows."""
        expect(self.page.locator(".worklist-card")).to_have_attribute("aria-busy", "false")
        self.press("/").expect_focused("searchbox", re.compile("^Search by name")).type(text)
        expect(self.page.get_by_role("rowheader").get_by_role("link")).to_have_count(count)
        return self

    def expect_heading(self, text: str) -> KeyboardUser:
        """Wait until the page with this heading is open and has loaded. Its heading has the focus."""
        heading = self.page.get_by_role("heading", level=1)
        expect(heading).to_contain_text(text)
        expect(heading).to_be_focused()
        # What is loaded later moves what is below it, and has the next buttons.
        expect(self.page.locator(".loading")).to_have_count(0)
        self.expect_focus_in_sight()
        return self

    def expect_dialog(self, name: str) -> KeyboardUser:
        """Wait until a dialog is open. It has the focus."""
        dialog = self.page.get_by_role("dialog", name=name)
        expect(dialog).to_be_visible()
        expect(dialog.locator(":focus")).to_have_count(1)
        self.expect_focus_in_sight()
        # A label belongs to the first element with its ID.
        assert self.page.evaluate(_FIND_REPEATED_IDS) == []
        return self

    def expect_focused(self, role: str, name: str | re.Pattern[str]) -> KeyboardUser:
        """Wait until the element with this role and name has the focus. It can be seen."""
        expect(self.page.get_by_role(role, name=name, exact=True)).to_be_focused()  # type: ignore[arg-type]
        self.expect_focus_in_sight()
        return self

    def expect_announced(self, text: str) -> KeyboardUser:
        """Wait until a live region announces this text. The focus does not move."""
        region = self.page.locator("[aria-live=polite]")
        expect(region).to_contain_text(text)
        node = self._read_node("document.querySelector('[aria-live=polite]')")
        assert {"name": "live", "value": {"type": "token", "value": "polite"}} in node["properties"]
        return self

    def expect_closed_dialog(self) -> KeyboardUser:
        """Wait until no dialog is open. The focus is on the page, where it can be seen."""
        expect(self.page.get_by_role("dialog")).to_have_count(0)
        self.expect_focus_in_sight()
        return self


def _matches(name: str, wanted: str | re.Pattern[str]) -> bool:
    return name == wanted if isinstance(wanted, str) else wanted.search(name) is not None
