"""Installs the third-party packages of the bundle, exactly as locked.

Chalice could download them. However, for a different architecture it passes only names and versions to
pip, without hashes. Here, pip checks every file against the lock file.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

_LAMBDA_MACHINES = {"arm64": "aarch64", "x86_64": "x86_64"}
_OLDEST_GLIBC_MINOR = 17


def install(lock: Path, *, into: Path, architecture: str | None) -> None:
    """Install only the wheels that `lock` pins. Build nothing from source.

    Args:
        lock: A requirements file in which every line has its hashes.
        into: The root folder of the bundle.
        architecture: Lambda's name of the processor. None selects this machine's processor.
    """
    wheel_options = _build_wheel_options(architecture) if architecture else []
    subprocess.run(
        [
            *(sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input"),
            *("install", "--quiet", "--quiet", "--require-hashes", "--no-deps", "--no-compile"),
            *("--only-binary", ":all:", *wheel_options, "--target", str(into)),
            *("--requirement", str(lock)),
        ],
        check=True,
        env=os.environ | {"PIP_ROOT_USER_ACTION": "ignore"},
    )


def list_pinned(lock: Path) -> set[str]:
    """List the distributions that `lock` pins, with the spelling of their `.dist-info` folders."""
    names = re.findall(r"^([A-Za-z0-9._-]+)==", lock.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[-_.]+", "_", name).lower() for name in names}


def _build_wheel_options(architecture: str) -> Iterator[str]:
    yield from ("--implementation", "cp", "--python-version", _read_python_version())
    machine = _LAMBDA_MACHINES[architecture]
    for minor in range(_find_newest_glibc_minor(), _OLDEST_GLIBC_MINOR - 1, -1):
        yield from ("--platform", f"manylinux_2_{minor}_{machine}")
    yield from ("--platform", f"manylinux2014_{machine}")


def _read_python_version() -> str:
    return f"{sys.version_info.major}.{sys.version_info.minor}"


def _find_newest_glibc_minor() -> int:
    """Python 3.11 runs on Amazon Linux 2 (glibc 2.26), later versions on Amazon Linux 2023 (glibc 2.34)."""
    return 26 if sys.version_info < (3, 12) else 34
