"""The template with which values are compressed before they are encrypted: what stored values have in common.

A new version: `python -m tests.support.plaintext_template > chalicelib/store/plaintext_template_<version>.txt`, and
raise `TEMPLATE_VERSION` of `chalicelib/store/platform/compression.py`. Earlier templates stay, because stored values
need them.
"""

import json
import os
import re
import sys
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

from chalicelib.store.platform.envelope_encryption import EnvelopeEncryption
from tests.support.canaries import build_canary_body
from tests.support.log_capture import discard_logs
from tests.support.release_story import write_history
from tests.support.shared_clinic import open_shared_clinic

_MAX_BYTES = 8_000
"""A longer template costs more time for each value than it saves."""

_WORD = re.compile(r"[a-z_]{2,}")
"""Values of a closed list, such as a status. Everything else may be about a person."""


def blank(value: Any) -> Any:
    """Replace everything that differs from patient to patient."""
    match value:
        case dict():
            return {name: blank(each) for name, each in value.items() if not name.startswith("mem_")}
        case list():
            return [blank(each) for each in value]
        case str() if not _WORD.fullmatch(value):
            return "20" if re.match(r"20\d\d-", value) else ""
        case int() | float() if not isinstance(value, bool):
            return 0
    return value


def record_values(folder: Path) -> Counter[str]:
    """Play a history through the API, and count what is encrypted, with all values blank."""
    counts: Counter[str] = Counter()
    encrypt = EnvelopeEncryption.encrypt

    def count_and_encrypt(self: EnvelopeEncryption, plaintext: bytes, **where: str) -> bytes:
        if plaintext[:1] == b"{":
            counts[json.dumps(blank(json.loads(plaintext)), separators=(",", ":"))] += 1
        return encrypt(self, plaintext, **where)

    with patch.object(EnvelopeEncryption, "encrypt", count_and_encrypt), open_shared_clinic(folder) as clinic:
        write_history(clinic)
        clinic.practice.post("/v1/referrals", build_canary_body())
    return counts


def main() -> None:
    """Print the template: what is frequent and long is last, because it is cheapest there."""
    os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
    discard_logs()
    with TemporaryDirectory() as folder:
        counts = record_values(Path(folder))
    # One example for each set of member names is enough.
    longest = {tuple(json.loads(text)): text for text in sorted(counts, key=lambda text: (len(text), text))}
    texts = sorted(longest.values(), key=lambda text: (counts[text] * len(text), text))
    sys.stdout.write("".join(texts)[-_MAX_BYTES:])


if __name__ == "__main__":
    main()
