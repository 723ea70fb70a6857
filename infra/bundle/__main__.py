"""`python -m infra.bundle`: writes the bundle and the template, and says how large they are."""

import argparse
from pathlib import Path

from infra.bundle import BUNDLE, ROOT, TEMPLATE, archive, build, slim


def main() -> None:
    """Build for one stage."""
    parser = argparse.ArgumentParser(prog="python -m infra.bundle", description=__doc__)
    parser.add_argument("--stage", default="production", choices=["production", "local"])
    parser.add_argument("--out", type=Path, default=ROOT / "dist", help="default: dist")
    arguments = parser.parse_args()
    try:
        build(arguments.out, stage=arguments.stage)
    except (archive.BundleError, slim.SlimError) as error:
        parser.exit(1, f"{error}\n")
    for name in (BUNDLE, TEMPLATE):
        print(f"{arguments.out / name}  {(arguments.out / name).stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
