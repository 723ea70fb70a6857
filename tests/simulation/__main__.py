"""`python -m tests.simulation`: searches for broken promises, and prints a table for each section."""

import argparse
import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from tests.simulation.section_processes import TimedResult, run_section_in_process
from tests.simulation.section_protocol import ENGINES, Budget
from tests.simulation.sections import SECTIONS
from tests.simulation.table import format_table, replace_results

# Before anything of AWS is imported: no real account may ever be within reach.
_OFFLINE = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
}
EXAMPLES = 5
PAGE = Path(__file__).parents[2] / "docs" / "simulation.md"


def main() -> None:
    """Run every section, or the selected ones."""
    asked = _arguments()
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ |= _OFFLINE
    budget = Budget(share=asked.share, seed=asked.seed, engine=asked.engine)
    holds = True
    for section in asked.only or SECTIONS:
        rows: list[TimedResult] = []
        for row in run_section_in_process(section, budget):
            rows.append(row)
            _print_verdict(row)
        results = f"{_format_run(asked.share)}\n\n{format_table(rows)}\n"
        print(f"\n### {section}\n\n{results}")
        if asked.write:
            PAGE.write_text(replace_results(PAGE.read_text("utf-8"), section, results), "utf-8")
        holds = holds and all(row.result.holds for row in rows)
    sys.exit(not holds)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=SECTIONS, help="some sections only")
    parser.add_argument("--share", type=float, default=1.0, help="the part of the full search")
    parser.add_argument("--engine", choices=ENGINES, default=ENGINES[0], help="of the tables")
    parser.add_argument("--write", action="store_true", help="keep the results of each section in docs/simulation.md")
    parser.add_argument("--seed", type=int, default=1, help="what is random follows from it")
    return parser.parse_args()


def _format_run(share: float) -> str:
    git = ["git", "rev-parse", "--short", "HEAD"]
    commit = subprocess.run(git, capture_output=True, text=True, check=False).stdout.strip()
    part = "" if share == 1 else f", {share:g} of the full search"
    python = f"Python {platform.python_version()}"
    return f"{datetime.now(UTC):%Y-%m-%d}, revision {commit}, {python}, {os.cpu_count()} cores{part}."


def _print_verdict(row: TimedResult) -> None:
    result = row.result
    verdict = "holds" if result.holds else "DOES NOT HOLD"
    print(f"{verdict}: {result.claim} ({result.tries:,} tries)", file=sys.stderr)
    for example in result.counterexamples[:EXAMPLES]:
        print(f"    {example}", file=sys.stderr)


if __name__ == "__main__":
    main()
