"""The page `docs/costs.md`: the model's tables, with its prices and assumptions."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields

from infra.bundle import capacity
from infra.commit import ROOT
from infra.cost import model, prices
from infra.cost.workload import PEAK, SENDING_SHARE, WORKING_DAYS, WORKING_SECONDS, Workload

PAGE = ROOT / "docs" / "costs.md"
SIZES = (1_000, 10_000, 100_000, 1_000_000, 10_000_000)

_INTRODUCTION = """\
# Costs and sizes

Do not edit this page. `python -m infra.cost` writes it, and `python -m infra.cost --referrals 25000` prints
the figures of one size. Prices are list prices of US East (N. Virginia), in US dollars a month, without tax,
support and discounts.
"""

_COST_TEXT = """\
## Cost by size

A year after the first referral, with the default parameters. In each further year storage grows by three
quarters of this figure, because rows of referrals that ended are kept.
"""

_ADDITION_TEXT = """\
## What each parameter adds

`BackupDays` is computed for six years of monthly copies, after six years; each copy is a full one.
`BackupCopyVault` is what the same copies cost in another region; `MultiRegionKey` is one replica of the key there.
`Monitoring=full` is the most: a custom metric costs only in the hours in which it is written, so a clinic
that works 40 hours a week pays a quarter of that part.
[Operations](operations.md#protection-that-a-parameter-turns-on) says what each does.
"""

_SIZE_TEXT = """\
## Sizes

Set these parameters before you reach a size, and ask AWS for the quotas of the account first. The busiest
minutes are counted as four times the average of a working hour; emails as if those of a day were sent within
an hour.
"""

_WORKLOAD_TEXT = """\
## Assumptions

What one active referral uses in a month. The program takes others with its options.
"""

_PRICE_TEXT = """\
## Prices

Each with the page of AWS that states it, and the newest date for which a copy of that page, or a text that
quotes it, could be read with this figure. Check those of "2025" first.
"""


def build_page() -> str:
    """Build the whole page, in Markdown."""
    parts = [
        _INTRODUCTION,
        _COST_TEXT,
        "\n".join(list_cost_rows(SIZES)) + "\n",
        _ADDITION_TEXT,
        "\n".join(_list_addition_rows()) + "\n",
        _SIZE_TEXT,
        "\n".join(_list_size_rows()) + "\n",
        _WORKLOAD_TEXT,
        "\n".join(_list_workload_rows()) + "\n",
        _PRICE_TEXT,
        "\n".join(_list_price_rows()) + "\n",
    ]
    return "\n".join(parts)


def list_cost_rows(sizes: Iterable[int], workload: Workload = Workload()) -> Iterator[str]:  # noqa: B008 it is frozen
    """List the rows of the table of costs."""
    columns = [each.name for each in fields(model.MonthlyCost)]
    names = {"api": "API and Lambda", "sign_in": "sign-in", "storage": "storage"}
    yield from _head("active referrals", "total", *(names.get(name, name) for name in columns))
    for referrals in sizes:
        cost = model.compute_cost(referrals, workload)
        yield _row(f"{referrals:,}", _round(cost.total), *(_round(getattr(cost, name)) for name in columns))


def _list_addition_rows() -> Iterator[str]:
    yield from _head("parameter", *(f"{size:,}" for size in SIZES))
    by_size = [model.compute_additions(size) for size in SIZES]
    for setting in by_size[0]:
        yield _row(f"`{setting}`", *(_round(additions[setting]) for additions in by_size))


def _list_size_rows() -> Iterator[str]:
    yield from _head("", *(f"{size:,}" for size in SIZES))
    workload = Workload()
    rates = [size * workload.requests / WORKING_SECONDS * PEAK for size in SIZES]
    api = [_choose(rate * 1.2, capacity.PARAMETERS["ApiRate"]["Default"], 10_000) for rate in rates]
    yield _row("requests a second, busiest minutes", *(_round(rate) for rate in rates))
    yield _row("`ApiRate`", *(f"{rate:,}" for rate in api))
    yield _row("`ApiBurst`", *(f"{min(5_000, 2 * rate):,}" for rate in api))
    yield _row("`WebhookRate`", *(f"{max(200, rate):,}" for rate in api))
    yield _row("`WebhookBurst`", *(f"{min(5_000, 2 * max(200, rate)):,}" for rate in api))
    at_once = [_choose(rate * 0.2, 0, 10_000) for rate in rates]
    yield _row("`ApiConcurrency`, if other functions share the account", *(f"{max(20, n):,}" for n in at_once))
    yield _row("`OutboxConcurrency`", "1", "1", "2", "5", "10")
    yield _row("`JobConcurrency`", "1", "1", "2", "4", "4")
    yield _row("quota: concurrent runs of Lambda (1,000)", *(f"{max(1_000, 4 * n):,}" for n in at_once))
    daily = [size * workload.emails / WORKING_DAYS for size in SIZES]
    yield _row("quota: emails in 24 hours", *(f"{_choose(emails * 2, 200, 10**9):,}" for emails in daily))
    rates_of_mail = [_choose(emails / 3600 / SENDING_SHARE, 14, 10_000) for emails in daily]
    yield _row("`MailRate`, and the quota of emails a second", *(f"{rate:,}" for rate in rates_of_mail))
    writes = [size * workload.wru / WORKING_SECONDS * PEAK for size in SIZES]
    yield _row("WRU a second, of all tables (40,000 for each)", *(_round(rate) for rate in writes))


def _list_workload_rows() -> Iterator[str]:
    yield from _head("of one active referral, in a month", "figure")
    workload = Workload()
    names = {
        "wru": "write units of DynamoDB",
        "rru": "read units of DynamoDB",
        "requests": "requests",
        "emails": "emails",
        "events_per_email": "reports of SES about each email",
        "gb_seconds": "GB-seconds of Lambda for each request",
        "log_kb": "KB of log lines for each request",
        "stored_kb": "KB that are stored for good",
        "active_months": "months for which a referral is active",
        "referrals_per_member": "active referrals for each person who signs in",
    }
    for each in fields(Workload):
        yield _row(names[each.name], f"{getattr(workload, each.name):g}")


def _list_price_rows() -> Iterator[str]:
    yield from _head("what", "dollars", "for", "as of", "source")
    for price in prices.PRICES:
        dollars = f"{price.dollars:.10f}".rstrip("0")
        dollars += "0" * (2 - len(dollars.partition(".")[2]))
        yield _row(price.what, dollars, price.unit, price.as_of, f"<{price.source}>")


def _choose(needed: float, least: int, most: int) -> int:
    """Round up to a figure that a person would write: 1, 2 or 5 with zeros."""
    if needed <= least:
        return least
    power: int = 10 ** math.floor(math.log10(needed))
    return min(most, next(step * power for step in (1, 2, 5, 10) if step * power >= needed))


def _round(figure: float) -> str:
    """Round to two digits, as an estimate deserves; below 10 to a tenth."""
    if figure < 10:
        return f"{figure:.1f}".removesuffix(".0")
    power = 10 ** (math.floor(math.log10(figure)) - 1)
    return f"{round(figure / power) * power:,.0f}"


def _head(*cells: str) -> Sequence[str]:
    return _row(*cells), _row(*["---"] * len(cells))


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"
