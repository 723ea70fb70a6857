"""`python -m infra.bundle`: writes the bundle and the template, and prints their sizes."""

import argparse
from pathlib import Path

from infra.bundle import BUNDLES, TEMPLATE, archive, build, slim
from infra.commit import ROOT
from infra.site_texts import TextsError


def main() -> None:
    """Build for one stage."""
    parser = argparse.ArgumentParser(prog="python -m infra.bundle", description=__doc__)
    parser.add_argument(
        "--stage",
        default="production",
        choices=["production", "local"],
        help="production is for arm64, local is for this machine's processor (default: production)",
    )
    parser.add_argument("--out", type=Path, default=ROOT / "dist", help="output folder (default: dist)")
    parser.add_argument("--texts", type=Path, help="folder with your own texts (default: the shipped ones)")
    arguments = parser.parse_args()
    try:
        build(arguments.out, stage=arguments.stage, texts=arguments.texts)
    except (archive.BundleError, slim.SlimError, TextsError) as error:
        parser.exit(1, f"{error}\n")
    for name in (*BUNDLES, TEMPLATE):
        print(f"{arguments.out / name}  {(arguments.out / name).stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
