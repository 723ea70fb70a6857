"""A practice with 10,000 referrals: what the API would answer to its worklist, and how often it was asked."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from tests.browser.demo_world import COORDINATOR

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route

    from tests.browser.demo_world import DemoWorld

SIZE = 10_000
PAGE_ROWS = 100
OPENED = 9_950
"""The place of the row whose referral exists, so that it can be opened."""

_LIST = re.compile(r"/v1/referrals\?")
_COUNTS = re.compile(r"/v1/referrals/counts$")


class LongList:
    """Answers the worklist of a page with the rows of a real answer, many times over."""

    def __init__(self, demo_world: DemoWorld) -> None:
        """Ask the real API once, so that the rows cannot differ from its rows."""
        query = f"referrals?worklist=all_open&sort=worst_first&page=1&limit={PAGE_ROWS}"
        self._rows = demo_world.call_api("GET", query, by=COORDINATOR)["items"]
        self._counts = demo_world.call_api("GET", "referrals/counts", by=COORDINATOR)
        self.queries: list[dict[str, list[str]]] = []
        """The query of each list that was asked for."""
        self.counted = 0
        """How often the counts were asked for."""
        self._is_slow = False
        self._waiting: list[Route] = []

    def answer(self, page: Page) -> None:
        """Answer this page from here."""
        page.route(_LIST, self._answer_list)
        page.route(_COUNTS, self._answer_counts)

    def hold(self) -> None:
        """Answer no further list until `release`, like an API that is slow."""
        self._is_slow = True

    def release(self) -> None:
        """Answer the lists that wait, and every later one at once."""
        self._is_slow = False
        while self._waiting:
            self._answer_list(self._waiting.pop(0))

    def _answer_list(self, route: Route) -> None:
        if self._is_slow:
            self._waiting.append(route)
            return
        query = parse_qs(urlsplit(route.request.url).query)
        self.queries.append(query)
        start = (int(query["page"][0]) - 1) * PAGE_ROWS
        items = [self._build_row(n) for n in range(start, min(start + PAGE_ROWS, SIZE))]
        route.fulfill(json={"items": items, "total": SIZE, "next_cursor": None})

    def _answer_counts(self, route: Route) -> None:
        self.counted += 1
        sizes = {name: dict.fromkeys(self._counts[name], SIZE) for name in ("worklists", "phases")}
        route.fulfill(json=self._counts | sizes | {"total": SIZE})

    def _build_row(self, n: int) -> dict[str, Any]:
        """Neighbors come from the same row, so that the worst stay first."""
        row: dict[str, Any] = self._rows[n * len(self._rows) // SIZE]
        if n == OPENED:
            return row
        return row | {"referral_id": f"ref_{n:026}", "patient": row["patient"] | {"family_name": f"Patient{n:05}"}}
