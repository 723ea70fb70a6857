"""`python -m infra.cost`: write `docs/costs.md`, or print the cost of one size."""

import argparse
from dataclasses import fields, replace

from infra.cost.model import compute_additions
from infra.cost.page import PAGE, build_page, list_cost_rows
from infra.cost.workload import Workload


def main() -> None:
    """Write the page, or print one size."""
    parser = argparse.ArgumentParser(prog="python -m infra.cost", description=__doc__)
    parser.add_argument("--referrals", type=int, help="print the cost for so many active referrals")
    for each in fields(Workload):
        name = each.name.replace("_", "-")
        parser.add_argument(f"--{name}", type=float, help=f"see docs/costs.md (default: {each.default})")
    arguments = vars(parser.parse_args())
    referrals = arguments.pop("referrals")
    if referrals is None:
        PAGE.write_text(build_page(), encoding="utf-8")
        return
    workload = replace(Workload(), **{name: value for name, value in arguments.items() if value is not None})
    print(*list_cost_rows([referrals], workload), sep="\n")
    for setting, dollars in compute_additions(referrals, workload).items():
        print(f"{setting} adds {dollars:,.2f}")


if __name__ == "__main__":
    main()
