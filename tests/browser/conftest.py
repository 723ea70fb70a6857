"""Fixtures: a browser, and the product as `make run` starts it."""

import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser.demo_world import CENTER_COORDINATOR, COORDINATOR, NEW_REFERRALS, DemoWorld
from tests.browser.page_driver import PageMonitor, PageUser

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
TIMEOUT_MS = 15_000
# Runs before the scripts of the page, once per tab, so that a sign-out stays in effect.
_SIGN_IN_SCRIPT = """
if (origin !== "null" && !window.name) {
  window.name = "signed in";
  sessionStorage.setItem("cart-session", %s);
}"""
expect.set_options(timeout=TIMEOUT_MS)


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of Chromium. Without Chromium, browser tests are skipped, and in CI they fail."""
    path = next(filter(None, map(shutil.which, CHROMIUMS)), None)
    if path:
        return path
    reason = "Chromium is not installed, so the browser tests cannot run."
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def browser(chromium: str) -> Iterator[Browser]:
    """One Chromium for all tests. Each user gets a separate context."""
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield running
        running.close()


@pytest.fixture(scope="session")
def local_site(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the running product, with its own sample data."""
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
            yield _wait_for_address(process)
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=40)


def _wait_for_address(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    lines: list[str] = []
    for line in process.stdout:
        lines.append(line)
        if line.strip() == "ready":
            return next(row.split()[1] for row in lines if row.split()[:1] == ["Dashboard"])
    raise AssertionError(f"the product ended before it was ready: {''.join(lines)}")


@pytest.fixture(scope="session")
def demo_world(local_site: str) -> DemoWorld:
    """The members and referrals of the running site."""
    return DemoWorld(local_site)


@pytest.fixture(scope="module")
def call(browser: Browser, local_site: str) -> Iterator[Callable[..., Any]]:
    """A function that calls a JavaScript function of a module with JSON arguments."""
    page = browser.new_page()
    page.goto(local_site)

    def call_function(module: str, name: str, *arguments: Any) -> Any:
        return page.evaluate(
            """async ([module, name, parameters]) =>
                 (await import(new URL(`../${module}`, document.scripts[0].src)))[name](...parameters)""",
            [f"{module}.js", name, list(arguments)],
        )

    yield call_function
    page.close()


@pytest.fixture
def open_page(browser: Browser, local_site: str, demo_world: DemoWorld) -> Iterator[Callable[..., Page]]:
    """Open the dashboard in a new context. At the end, the test fails if a page had a problem."""
    monitors: list[PageMonitor] = []

    def open_in_new_context(path: str = "#/", *, by: str = "", width: int = 1280, scheme: str = "light") -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": 900},
            color_scheme=scheme,  # type: ignore[arg-type]
            reduced_motion="reduce",
        )
        if by:
            context.add_init_script(_SIGN_IN_SCRIPT % json.dumps(json.dumps(demo_world.get_session(by))))
        page = context.new_page()
        page.set_default_timeout(TIMEOUT_MS)
        page.on("request", demo_world.note_sign_out)
        monitors.append(PageMonitor(page, local_site))
        page.goto(f"{local_site}/{path}")
        return page

    yield open_in_new_context
    for monitor in monitors:
        monitor.page.context.close()
    assert [problem for monitor in monitors for problem in monitor.problems] == []


@pytest.fixture
def as_coordinator(open_page: Callable[..., Page]) -> PageUser:
    """A signed-in coordinator of a practice."""
    return PageUser(open_page(by=COORDINATOR))


@pytest.fixture
def as_center(open_page: Callable[..., Page]) -> PageUser:
    """A signed-in coordinator of the center to which the practice refers patients."""
    return PageUser(open_page(by=CENTER_COORDINATOR))


@pytest.fixture
def open_list(
    open_page: Callable[..., Page], demo_world: DemoWorld
) -> Callable[..., tuple[Page, list[str], list[str]]]:
    """Submit referrals whose names share a prefix, and open them as a center's list that is sorted by name.

    Returns the page, the names, and the addresses of the referrals.
    """

    def open_list_of(*endings: str, stage: str = "received", width: int = 1280) -> tuple[Page, list[str], list[str]]:
        start = "Q" + "".join(secrets.choice("bcdfghjklmnpqrstvwxyz") for _ in range(7))
        names = [f"{start}{ending}" for ending in endings]
        paths = [demo_world.create_referral(name, stage=stage) for name in names]
        page = open_page(NEW_REFERRALS, by=CENTER_COORDINATOR, width=width)
        page.get_by_role("searchbox").fill(start)
        expect(page.get_by_role("rowheader").get_by_role("link")).to_have_count(len(names))
        return page, names, paths

    return open_list_of
