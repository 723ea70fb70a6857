"""Run a check in a process of its own, so that a file that takes too much time or memory ends only that process."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from chalicelib.domain.documents.file_types import FileType
from chalicelib.domain.documents.limits import CHECK_SECONDS
from chalicelib.domain.documents.reasons import RejectionReason

_ROOT = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxResult:
    """What a check found. `reason` is None if the file passed."""

    reason: RejectionReason | None
    pages: int = 0
    removed: tuple[str, ...] = ()


def check_in_sandbox(
    source: Path, file_type: FileType, cleaned: Path, *, seconds: float = CHECK_SECONDS
) -> SandboxResult:
    """Check a file in another process. A process that ends without an outcome means that the file is too complex."""
    try:
        finished = subprocess.run(  # noqa: S603 fixed arguments; the paths are ours
            [sys.executable, "-m", "document_check.worker", str(source), file_type, str(cleaned)],
            # Nothing of this function's environment, such as its credentials, reaches the libraries.
            env={"PATH": os.defpath, "PYTHONPATH": os.pathsep.join([str(_ROOT), *filter(None, sys.path)])},
            cwd=_ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=seconds,
            check=False,
        )
        outcome = json.loads(finished.stdout)
    except (subprocess.TimeoutExpired, ValueError):
        return SandboxResult(reason=RejectionReason.TOO_COMPLEX)
    if outcome["reason"]:
        return SandboxResult(reason=RejectionReason(outcome["reason"]))
    return SandboxResult(reason=None, pages=outcome["pages"], removed=tuple(outcome["removed"]))
