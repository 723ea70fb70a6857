"""HL7's published example resources, with which the tests call the CDS Hooks services. Nothing of them ships.

    python -m infra.fhir_examples    download the pinned packages into build/fhir-examples

The packages are only on npm, and npm cannot install them: they name packages that it does not have. So they
are packed, not installed, and their integrity is checked here. For a new version, change its row in
`PACKAGES`, including the integrity that `npm view NAME@VERSION dist.integrity` prints.
"""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

CACHE = Path(__file__).resolve().parent.parent / "build" / "fhir-examples"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExamplePackage:
    """A package of examples.

    Attributes:
        folder: The folder of its examples.
        integrity: The SHA-512 of the package, as npm writes it.
    """

    name: str
    version: str
    folder: str
    integrity: str

    @property
    def file(self) -> Path:
        """Where the package is kept."""
        return CACHE / f"{self.name}-{self.version}.tgz"


MCODE = ExamplePackage(
    name="hl7.fhir.us.mcode",
    version="4.0.0",
    folder="package/example/",
    integrity="sha512-HJogFi9rQetIUE8gqKFq2tt4I8ukdH3PUCQO5jBiKxYUgh+vrlXvkWkt/XuYOzpNPdfRmsj3LG4UJm5o1g2OlA==",
)
R4 = ExamplePackage(
    name="hl7.fhir.r4.examples",
    version="4.0.1",
    folder="package/",
    integrity="sha512-DXBdIZOeQaSKIgCU7w6HOC7sw/6BzylmipLkBW4f//pT+Bc94x+8LImwTdvaNThPJoOzpBzvxAzNqjeu3X/zLw==",
)
PACKAGES = (MCODE, R4)


class ExamplesNotAvailableError(Exception):
    """npm is not installed, or the package cannot be downloaded now."""


def download_package(package: ExamplePackage) -> Path:
    """Download a package unless it is here, and check its integrity.

    Raises:
        ExamplesNotAvailableError: it is not here, and cannot be downloaded now.
        ValueError: it is not the pinned package.
    """
    if not package.file.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        wanted = f"{package.name}@{package.version}"
        try:
            subprocess.run(
                ["npm", "pack", "--silent", f"--pack-destination={CACHE}", wanted],  # noqa: S607 npm is found on the developer's PATH
                check=True,
                capture_output=True,
            )
        except (OSError, subprocess.CalledProcessError) as e:
            raise ExamplesNotAvailableError(f"{wanted} cannot be downloaded with npm") from e
    digest = base64.b64encode(hashlib.sha512(package.file.read_bytes()).digest()).decode()
    if f"sha512-{digest}" != package.integrity:
        raise ValueError(f"{package.file} is not the pinned package. Delete it, and check the new one.")
    return package.file


def read_examples(package: ExamplePackage, kinds: Collection[str]) -> Iterator[Mapping[str, Any]]:
    """Read the examples of some kinds of resources, in the order of the package."""
    with tarfile.open(download_package(package)) as archive:
        for member in archive:
            kind = member.name.removeprefix(package.folder).partition("-")[0]
            if member.name.startswith(package.folder) and kind in kinds:
                content = archive.extractfile(member)
                if content is not None:
                    yield json.load(content)


if __name__ == "__main__":
    for each in PACKAGES:
        download_package(each)
