import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]

METRICS = (
    "cold import, ready to serve",
    "cold import, with the first list",
    "cold import, with the first submit",
    "cold import, with the first webhook",
    "bundle",
    "warm POST, its service left out / bare, p50",
    "warm POST a referral, p99",
    "warm POST a webhook",
    "warm GET a referral",
    "warm GET a list page",
    "find 5 of 250 centers",
    "find 5 of 10,000 centers",
    "warm GET a page of 10,000 centers",
    "load 41,903 ZIP codes",
    "memory of the ZIP codes",
    "submit, an item of",
    "amend a draft",
    "webhook, a stage change",
    "webhook, replayed",
    "a person's event",
    "referral page",
    "list page of",
    "counts of",
    "round trips, list of referrals",
    "round trips, webhook",
    "notices sweep",
    "100,000 notices due at once",
    "a notice of these",
    "client CPU, Query of",
    "client CPU, transaction of 4",
    "request CPU, POST a referral",
    "request CPU, POST a webhook",
    "request CPU, GET a list page",
)


def test_every_row_prints():
    """Whatever the clock shows: a quick run measures each thing at least once."""
    command = [sys.executable, "-m", "tests.bench", "--quick"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert result.returncode == 0, result.stderr[-2000:]
    rows = [line for line in result.stdout.splitlines() if line.startswith("| ")]
    absent = [m for m in METRICS if not any(row.startswith(f"| {m}") for row in rows)]
    assert absent == []
