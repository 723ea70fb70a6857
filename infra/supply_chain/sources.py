"""Secrets and risky calls in the committed files."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from infra.supply_chain.findings import ReviewFinding

SECRET_PATTERNS = {
    "aws-access-key": re.compile(rb"\bA(?:K|S)IA[0-9A-Z]{16}\b"),
    "aws-secret-key": re.compile(rb"(?i)aws.{0,20}secret.{0,20}['\"=: ][A-Za-z0-9/+]{40}\b"),
    "private-key": re.compile(rb"-----BEGIN [A-Z ]{0,20}PRIVATE KEY-----\s+[A-Za-z0-9+/]{20}"),
    "private-jwk": re.compile(rb"\"d\": ?\"[A-Za-z0-9_-]{40,}\""),
    "github-token": re.compile(rb"\b(?:gh[pousr]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{40,})"),
    "gitlab-token": re.compile(rb"\bglpat-[A-Za-z0-9_-]{20}"),
    "slack-token": re.compile(rb"\bxox[baprs]-[A-Za-z0-9-]{20,}"),
    "stripe-key": re.compile(rb"\b[rs]k_live_[A-Za-z0-9]{16,}"),
    "google-key": re.compile(rb"\bAIza[0-9A-Za-z_-]{35}"),
    "registry-token": re.compile(rb"\b(?:npm_[A-Za-z0-9]{36}|pypi-AgE[A-Za-z0-9_-]{40,})"),
    "json-web-token": re.compile(rb"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}"),
    "webhook-secret": re.compile(rb"\bwhsec_[A-Za-z0-9+/]{24,}"),
    "password-in-url": re.compile(rb"\b[a-z][a-z0-9+.-]*://[^\s/:@'\"<>{}$]+:[^\s/:@'\"<>{}$]{6,}@"),
}
CODE_FOLDERS = ("app.py", "chalicelib", "document_check", "infra", "packet_pdf")


def check_secrets(root: Path) -> Iterator[ReviewFinding]:
    """Find what looks like a credential in a committed file."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=root, check=True, capture_output=True).stdout  # noqa: S607
    for name in filter(None, listed.decode().split("\0")):
        file = root / name
        if file.is_file():
            yield from find_secrets(name, file.read_bytes())


def find_secrets(name: str, content: bytes) -> Iterator[ReviewFinding]:
    """Find what looks like a credential."""
    for rule, pattern in SECRET_PATTERNS.items():
        if pattern.search(content):
            yield ReviewFinding("secrets", rule, name)


def check_risky_calls(root: Path) -> Iterator[ReviewFinding]:
    """Find what bandit finds in the code that ships, and in the tools."""
    yield from run_bandit(root, *CODE_FOLDERS)


def run_bandit(root: Path, *folders: str) -> Iterator[ReviewFinding]:
    """Run bandit.

    Raises:
        RuntimeError: bandit did not run, or could not read a file.
    """
    command = [sys.executable, "-m", "bandit", "--quiet", "--format", "json", "--recursive", *folders]
    done = subprocess.run(command, cwd=root, check=False, capture_output=True, text=True)
    if not done.stdout.startswith("{"):
        raise RuntimeError(f"bandit failed: {done.stderr.strip()[-500:]}")
    report: dict[str, Any] = json.loads(done.stdout)
    if report["errors"]:
        raise RuntimeError(f"bandit could not read {report['errors']}")
    for result in report["results"]:
        yield ReviewFinding("bandit", result["test_id"], result["filename"].removeprefix("./"))
