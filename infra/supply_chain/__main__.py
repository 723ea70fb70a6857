"""Runs all checks of the supply chain: `python -m infra.supply_chain`. Needs no network."""

import json
import sys
from pathlib import Path

from chalicelib.version import VERSION
from infra.supply_chain.findings import list_problems, load_reviews
from infra.supply_chain.packages import build_bill_of_materials, check_licenses
from infra.supply_chain.sources import check_risky_calls, check_secrets
from infra.supply_chain.template import check_template

ROOT = Path(__file__).parents[2]
BILL_OF_MATERIALS = "sbom.cdx.json"
CHECKS = {
    "bandit": check_risky_calls,
    "licenses": check_licenses,
    "secrets": check_secrets,
    "template": check_template,
}


def main() -> int:
    """Print what was not reviewed, write the bill of materials, and return the exit code."""
    findings = [finding for check in CHECKS.values() for finding in check(ROOT)]
    problems = list_problems(findings, load_reviews(), CHECKS)
    for problem in problems:
        print(problem, file=sys.stderr)
    bill = ROOT / "dist" / BILL_OF_MATERIALS
    bill.parent.mkdir(exist_ok=True)
    bill.write_text(json.dumps(build_bill_of_materials(ROOT, VERSION), indent=1) + "\n")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
