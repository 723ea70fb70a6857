"""The bill of materials in the format of CycloneDX, and the licenses of all packages."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path
from typing import Any

from infra.supply_chain.findings import ReviewFinding

SHIPPED_LOCKS = ("requirements-run.txt", "requirements-check.txt", "requirements-packet.txt")
"""The locks of what runs in production. requirements-dev.txt has everything else."""

PERMISSIVE = frozenset(
    {
        "0BSD",
        "Apache-2.0",
        "BSD-2-Clause",
        "BSD-3-Clause",
        "CC0-1.0",
        "ISC",
        "MIT",
        "MIT-0",
        "MIT-CMU",
        "PSF-2.0",
        "Zlib",
    }
)
"""Licenses that ask for a notice only. All others are reviewed one by one."""

_SPDX_BY_CLASSIFIER = {
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD-3-Clause",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "MIT No Attribution License (MIT-0)": "MIT-0",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
}
_SPDX_BY_TEXT = {
    **{name: name for name in PERMISSIVE},
    "Apache 2.0": "Apache-2.0",
    "Apache License 2.0": "Apache-2.0",
    "MIT License": "MIT",
}
"""The first lines of the older field `License`, which may also have the whole text."""

_PIN = re.compile(r"^([a-z0-9][a-z0-9._-]*)==([^ ;\\]+)")
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class LockedPackage:
    """A package of a lock. `hashes` are those of all its files."""

    name: str
    version: str
    hashes: Sequence[str]

    @property
    def purl(self) -> str:
        """Its package URL."""
        return f"pkg:pypi/{self.name}@{self.version}"


def parse_lock(text: str) -> Sequence[LockedPackage]:
    """Parse a lock of `uv pip compile --generate-hashes`."""
    packages: list[LockedPackage] = []
    for line in text.splitlines():
        if pin := _PIN.match(line):
            packages.append(LockedPackage(pin[1], pin[2], []))
        if digest := _HASH.search(line):
            last = packages.pop()
            packages.append(LockedPackage(last.name, last.version, [*last.hashes, digest[1]]))
    return packages


def build_bill_of_materials(root: Path, version: str) -> dict[str, Any]:
    """Build the CycloneDX 1.5 document of what runs in production. The same lock gives the same document."""
    packages = {package.purl: package for lock in SHIPPED_LOCKS for package in parse_lock((root / lock).read_text())}
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {"component": {"type": "application", "name": "cart-referrals", "version": version}},
        "components": [_build_component(packages[purl]) for purl in sorted(packages)],
    }


def _build_component(package: LockedPackage) -> dict[str, Any]:
    return {
        "type": "library",
        "bom-ref": package.purl,
        "name": package.name,
        "version": package.version,
        "purl": package.purl,
        "licenses": [{"expression": read_license(package.name)}],
        # CycloneDX has one hash a component; a wheel exists for each platform, so the files are listed as references.
        "externalReferences": [
            {"type": "distribution", "url": package.purl, "hashes": [{"alg": "SHA-256", "content": digest}]}
            for digest in package.hashes
        ],
    }


def read_license(name: str) -> str:
    """Read the license of an installed package as an SPDX expression. `NOASSERTION` if it names none."""
    try:
        described: Any = metadata(name)  # Its stub lacks `get`.
    except PackageNotFoundError:
        return "NOASSERTION"
    if expression := described.get("License-Expression"):
        return str(expression)
    classifiers = [c.split(" :: ")[-1] for c in described.get_all("Classifier", []) if c.startswith("License ::")]
    names = [_SPDX_BY_CLASSIFIER.get(name, f"LicenseRef-{name}") for name in classifiers]
    text = str(described.get("License") or "").splitlines()
    return " OR ".join(names) or (_SPDX_BY_TEXT.get(text[0].strip(), "NOASSERTION") if text else "NOASSERTION")


def check_licenses(root: Path) -> Iterator[ReviewFinding]:
    """Find the packages whose license is not permissive, in all locks."""
    locks = [*SHIPPED_LOCKS, "requirements-dev.txt"]
    names = {package.name for lock in locks for package in parse_lock((root / lock).read_text())}
    yield from find_restrictive({name: read_license(name) for name in names})


def find_restrictive(licenses: Mapping[str, str]) -> Iterator[ReviewFinding]:
    """Find the packages that have no permissive alternative, by their expressions."""
    for name, expression in sorted(licenses.items()):
        alternatives = [set(re.split(r" AND ", each.strip(" ()"))) for each in expression.split(" OR ")]
        if not any(alternative <= PERMISSIVE for alternative in alternatives):
            yield ReviewFinding("licenses", expression, name)
