"""A browser, and the product as `make run` starts it."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser.demo_world import CENTER_COORDINATOR, COORDINATOR, DemoWorld
from tests.browser.page_driver import PageUser, Watch

ROOT = Path(__file__).parents[2]
CHROMIUMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PATIENCE_MS = 15_000
# Before the page's own scripts, and once a tab: whoever signs out stays out.
_SIGNED_IN = """
if (origin !== "null" && !window.name) {
  window.name = "signed in";
  sessionStorage.setItem("cart-session", %s);
}"""
expect.set_options(timeout=PATIENCE_MS)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep these tests on one worker where xdist groups by mark: one site then serves all."""
    for item in items:
        if item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.xdist_group("browser"))


@pytest.fixture(scope="session")
def chromium() -> str:
    """Where Chromium is. Without one, browser tests are skipped; in CI they fail."""
    found = next(filter(None, map(shutil.which, CHROMIUMS)), None)
    if found:
        return found
    reason = "There is no Chromium on this machine, so nothing of the dashboard was driven."
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def browser(chromium: str) -> Iterator[Browser]:
    """One Chromium for all tests; each person has a context of their own in it."""
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield running
        running.close()


@pytest.fixture(scope="session")
def local_site(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the product, running on a fictional world of its own."""
    data_dir = tmp_path_factory.mktemp("local")
    with subprocess.Popen(
        [sys.executable, "-m", "infra.local"],
        cwd=ROOT,
        env=os.environ | {"PORT": "0", "DATA_DIR": str(data_dir)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            yield _address_once_ready(process)
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=40)


def _address_once_ready(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    printed: list[str] = []
    for line in process.stdout:
        printed.append(line)
        if line.strip() == "ready":
            return next(row.split()[1] for row in printed if row.split()[:1] == ["Dashboard"])
    raise AssertionError(f"the product ended before it was ready: {''.join(printed)}")


@pytest.fixture(scope="session")
def demo_world(local_site: str) -> DemoWorld:
    """Who and what there is on the site."""
    return DemoWorld(local_site)


@pytest.fixture
def open_page(browser: Browser, local_site: str, demo_world: DemoWorld) -> Iterator[Callable[..., Page]]:
    """Open the dashboard in a fresh context; at the end nothing may have gone wrong in it."""
    watches: list[Watch] = []

    def opened(path: str = "#/", *, by: str = "", width: int = 1280, scheme: str = "light") -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": 900},
            color_scheme=scheme,  # type: ignore[arg-type]
            reduced_motion="reduce",
        )
        if by:
            context.add_init_script(_SIGNED_IN % json.dumps(json.dumps(demo_world.session(by))))
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        watches.append(Watch(page, local_site))
        page.goto(f"{local_site}/{path}")
        return page

    yield opened
    for watch in watches:
        watch.page.context.close()
    assert [trouble for watch in watches for trouble in watch.troubles] == []


@pytest.fixture
def as_coordinator(open_page: Callable[..., Page]) -> PageUser:
    """The coordinator of a practice, signed in."""
    return PageUser(open_page(by=COORDINATOR))


@pytest.fixture
def as_center(open_page: Callable[..., Page]) -> PageUser:
    """The coordinator of the center that the practice refers to, signed in."""
    return PageUser(open_page(by=CENTER_COORDINATOR))
