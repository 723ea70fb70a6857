"""`python -m tests.bench`: measures, and prints one table."""

import argparse
import os
import platform
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from tests.bench.paired import FULL, QUICK
from tests.bench.part_processes import measure_in_process
from tests.bench.table import MetricRow, format_table

# Before anything of AWS is imported: no real account may ever be within reach.
_OFFLINE = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
}


def main() -> None:
    """Measure every part."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="show that every row prints")
    plan = QUICK if parser.parse_args().quick else FULL
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ |= _OFFLINE
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        counts, recorded = measure_in_process("in_memory", plan, scratch)
        os.environ |= recorded.environment
        rows: list[MetricRow] = [
            *measure_in_process("cold", plan, scratch, recorded),
            *measure_in_process("warm", plan, recorded),
            *measure_in_process("centers", plan, recorded),
            *counts,
            *measure_in_process("counts", plan, scratch),
            *measure_in_process("client", plan, recorded),
            *measure_in_process("morning", plan, scratch),
            *measure_in_process("round_trips", plan, scratch),
        ]
    print(_heading(quick=plan.quick), format_table(rows), sep="\n\n")


def _heading(*, quick: bool) -> str:
    what = "A quick run: its times mean nothing" if quick else "Medians of paired runs"
    python = f"Python {platform.python_version()}"
    return f"{what}. {datetime.now(UTC):%Y-%m-%d}, {python}, {os.cpu_count()} cores."


if __name__ == "__main__":
    main()
