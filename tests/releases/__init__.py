"""The rows of each release, which every later release must read: `<version>.json.gz`, as `freeze` writes them.

Each document was written by the code of its release.
"""

import gzip
import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent


def list_releases() -> list[str]:
    """List the releases whose rows are kept, oldest first."""
    versions = [path.name.removesuffix(".json.gz") for path in FOLDER.glob("*.json.gz")]
    return sorted(versions, key=lambda version: [int(part) for part in version.split(".")])


def read_document(release: str) -> dict[str, Any]:
    """Read the rows of a release, for `release_story.load_rows`."""
    document: dict[str, Any] = json.loads(gzip.decompress((FOLDER / f"{release}.json.gz").read_bytes()))
    return document


def write_document(document: dict[str, Any]) -> Path:
    """Keep the rows of a release."""
    path = FOLDER / f"{document['release']}.json.gz"
    path.write_bytes(gzip.compress(json.dumps(document, separators=(",", ":")).encode(), mtime=0))
    return path
