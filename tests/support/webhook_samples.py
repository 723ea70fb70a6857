"""Runs the code that signs a delivery as a person does: paste the secret, and start it."""

import subprocess
import sys
from pathlib import Path

from chalicelib.routes.webhooks.samples import EXAMPLE_SECRET

COMMANDS = {"curl": ("sh", "send.sh"), "python": (sys.executable, "send.py"), "javascript": ("node", "send.mjs")}
"""The program for each language, and the name of the file that it gets."""

TIMEOUT_S = 120


def run_sample(language: str, code: str, *, secret: str, folder: Path) -> str:
    """Run a sample with a secret in it, and return what it prints."""
    program, name = COMMANDS[language]
    assert code.count(EXAMPLE_SECRET) == 1
    (folder / name).write_text(code.replace(EXAMPLE_SECRET, secret), encoding="utf-8")
    done = subprocess.run([program, name], cwd=folder, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout
