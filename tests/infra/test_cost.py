"""The cost model, and its page."""

import re
import subprocess
import sys
from dataclasses import replace

import pytest

from chalicelib.metrics import Metric, RouteFamily
from infra.bundle.alarm_list import ALARMS, Level
from infra.cost import model, prices
from infra.cost.model import compute_additions, compute_cost, count_alarm_metrics
from infra.cost.page import PAGE, build_page
from infra.cost.workload import Workload


def test_the_page_is_up_to_date():
    """To update it, run `python -m infra.cost`."""
    assert PAGE.read_text("utf-8") == build_page()


def test_every_price_has_a_source_of_aws_and_a_date():
    for price in prices.PRICES:
        assert price.source.startswith("https://aws.amazon.com/")
        assert re.fullmatch(r"20\d\d(-[01]\d)?", price.as_of)
        assert price.dollars > 0


def test_the_page_shows_every_price():
    page = build_page()

    assert [price.what for price in prices.PRICES if f"| {price.what} |" not in page] == []


@pytest.mark.parametrize(
    ("referrals", "email", "data", "api", "logs"),
    # Worked by hand: 6 emails at $0.10 per 1,000 and 12 reports at $0.60 per million; 238 WRU and 392 RRU; 65 requests.
    [(100_000, 60.72, 19.7875, 29.8, 6.695), (10_000_000, 6072, 1977.51, 2750, 669.5)],
)
def test_the_model_agrees_with_the_study_of_operations(referrals, email, data, api, logs):
    """61, 20, 30 and 7 dollars for 100,000 active referrals; 6,070, 1,980, 2,750 and 670 for 10 million."""
    cost = compute_cost(referrals)

    assert cost.email == pytest.approx(email)
    assert cost.data == pytest.approx(data, rel=0.001)
    assert cost.api == pytest.approx(api, rel=0.01)
    assert cost.logs == pytest.approx(logs)


def test_requests_beyond_a_tier_cost_the_price_of_the_next():
    """1,000 million requests: 333 at $3.50 and 667 at $2.80."""
    no_work = replace(Workload(), gb_seconds=0, requests=1)
    at_rest = compute_cost(0, no_work).api

    gateway = compute_cost(1_000_000_000, no_work).api - at_rest - 1000 * prices.RUN.dollars

    assert gateway == pytest.approx(333 * 3.50 + 667 * 2.80)


def test_nothing_costs_little_more_than_the_key_at_rest():
    """The key, and the alarms beyond ten."""
    cost = compute_cost(0)

    assert cost.fixed == pytest.approx(1 + 0.10 * (count_alarm_metrics(Level.ESSENTIAL) - 10))
    assert cost.total < 1.70


def test_the_cost_grows_with_each_part_of_the_workload():
    """So no part is left out of the sum."""
    usual = compute_cost(2_000_000)

    for name in ("wru", "rru", "requests", "emails", "events_per_email", "gb_seconds", "log_kb", "stored_kb"):
        more = replace(Workload(), **{name: getattr(Workload(), name) * 2})
        assert compute_cost(2_000_000, more).total > usual.total, name
    for name in ("active_months", "referrals_per_member"):
        more = replace(Workload(), **{name: getattr(Workload(), name) / 2})
        assert compute_cost(2_000_000, more).total > usual.total, name


def test_the_alarms_are_counted_by_their_metrics():
    """CloudWatch charges for each metric of an alarm."""
    assert count_alarm_metrics(*Level) == len(ALARMS) - 2 + 2 + 9
    assert count_alarm_metrics(Level.ESSENTIAL) == sum(alarm.level is Level.ESSENTIAL for alarm in ALARMS)


def test_the_custom_metrics_are_counted_with_their_dimensions():
    """Each family has its own latency and its own three endings."""
    assert model.count_custom_metrics() == 4 * len(RouteFamily) + 10 + (len(Metric) - 5) + 3


def test_every_addition_is_for_a_parameter_of_the_template(template):
    settings = compute_additions(100_000)
    names = {name for setting in settings for name in re.findall(r"\w+(?==|,|$)", setting)} - {"full", "true", "AUDIT"}

    assert {name for name in names if not name.isdigit()} <= set(template["Parameters"])
    assert all(dollars >= 0 for dollars in settings.values())


def test_the_sizes_are_allowed_values_of_the_parameters(template):
    """A value of the table can be given to the deployment."""
    rows = dict(re.findall(r"^\| `(\w+)`[^|]* \| (.*) \|$", build_page(), flags=re.MULTILINE))

    names = ("ApiRate", "ApiBurst", "WebhookRate", "WebhookBurst", "ApiConcurrency", "OutboxConcurrency")
    for name in (*names, "JobConcurrency", "MailRate"):
        parameter = template["Parameters"][name]
        values = [int(value.replace(",", "")) for value in rows[name].split(" | ")]
        assert parameter["MinValue"] <= min(values) <= max(values) <= parameter["MaxValue"]
        assert values == sorted(values)


def test_one_size_can_be_printed():
    printed = subprocess.run(
        [sys.executable, "-m", "infra.cost", "--referrals", "100000", "--emails", "0"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout

    assert "| 100,000 | 63 | 0 |" in printed
    assert "Monitoring=full adds" in printed
