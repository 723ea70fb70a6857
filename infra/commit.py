"""Reads the git commit of this checkout. `GET /health` shows it."""

import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[1]


def read_commit() -> str:
    """Return the commit, marked as dirty if files differ from it. Return an empty string without git."""
    try:
        completed = subprocess.run(
            ["git", "-C", str(ROOT), "describe", "--always", "--dirty", "--exclude=*"],  # noqa: S607
            check=False,
            capture_output=True,
            text=True,
        )
    except FileNotFoundError:
        return ""
    return completed.stdout.strip()
