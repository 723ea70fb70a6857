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
from document_check.worker import LIBRARY_MISSING

_ROOT = Path(__file__).parents[1]


class BrokenCheckError(Exception):
    """The function cannot check any file: a library of its bundle cannot be loaded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxResult:
    """What a check found. `reason` is None if the file passed."""

    reason: RejectionReason | None
    pages: int = 0
    removed: tuple[str, ...] = ()


def check_in_sandbox(
    source: Path, file_type: FileType, cleaned: Path, *, seconds: float = CHECK_SECONDS
) -> SandboxResult:
    """Check a file in another process. A process that ends without an outcome means that the file is too complex.

    Raises:
        BrokenCheckError: no file can be checked. The run fails, which an operator sees, and no file is blamed.
    """
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
        if finished.returncode == LIBRARY_MISSING:
            raise BrokenCheckError
        outcome = json.loads(finished.stdout)
    except (subprocess.TimeoutExpired, ValueError):
        return SandboxResult(reason=RejectionReason.TOO_COMPLEX)
    if outcome["reason"]:
        return SandboxResult(reason=RejectionReason(outcome["reason"]))
    return SandboxResult(reason=None, pages=outcome["pages"], removed=tuple(outcome["removed"]))
