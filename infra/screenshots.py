"""Takes the screenshots of README: `python -m infra.screenshots`.

It starts the product on this machine with new sample data, signs in as a coordinator of a practice,
and takes a picture of the worklist and of a referral in monitoring.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, expect, sync_playwright

from infra.world.people import DEMO_PASSWORD

ROOT = Path(__file__).parents[1]
IMAGES = ROOT / "docs" / "images"
COORDINATOR = "coordinator@willow.example"
CHROMIUMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
WIDTH, HEIGHT = 1280, 860


@contextmanager
def run_site() -> Iterator[str]:
    """The address of the product, which runs with new sample data until the end of the block."""
    with (
        tempfile.TemporaryDirectory() as data_dir,
        subprocess.Popen(
            [sys.executable, "-m", "infra.local"],
            cwd=ROOT,
            env=os.environ | {"PORT": "0", "DATA_DIR": data_dir},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process,
    ):
        try:
            yield _wait_for_address(process)
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=40)


def _wait_for_address(process: subprocess.Popen[str]) -> str:
    address = ""
    for line in process.stdout or ():
        words = line.split()
        if words[:1] == ["Dashboard"]:
            address = words[1]
        if words == ["ready"]:
            return address
    raise RuntimeError("The product ended before it was ready.")


def sign_in(page: Page) -> None:
    """Sign in as the coordinator, and wait for the worklist."""
    page.get_by_label("Email").fill(COORDINATOR)
    page.get_by_label("Password").fill(DEMO_PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("table")).to_be_visible()


def take_screenshot(page: Page, name: str) -> None:
    """Save a picture of the page once everything on it has loaded."""
    page.mouse.move(0, 0)  # so that no row has the hover style
    page.wait_for_load_state("networkidle")
    expect(page.locator(".loading")).to_have_count(0)
    page.evaluate("document.fonts.ready")
    page.screenshot(path=IMAGES / f"{name}.png")


def main() -> None:
    """Take both screenshots."""
    chromium = next(filter(None, map(shutil.which, CHROMIUMS)), None)
    if chromium is None:
        sys.exit(f"No Chromium found. Install one of: {', '.join(CHROMIUMS)}.")
    with run_site() as site, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(
            viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="light", reduced_motion="reduce"
        )
        page.goto(site)
        sign_in(page)
        take_screenshot(page, "worklist")
        page.goto(f"{site}/#/worklist/monitoring")
        expect(page).to_have_title(re.compile("Worklist: Monitoring"))
        page.get_by_role("rowheader").get_by_role("link").first.click()
        expect(page.get_by_role("region", name="Timeline").get_by_role("listitem").first).to_be_visible()
        take_screenshot(page, "referral")
        browser.close()


if __name__ == "__main__":
    main()
