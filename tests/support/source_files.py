"""The files of the repository, for tests that check rules about all of them."""

import ast
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
SHIPPED = (ROOT / "app.py", *sorted((ROOT / "chalicelib").rglob("*.py")))


def relative(path: Path) -> str:
    """Return a path from the root of the repository."""
    return path.relative_to(ROOT).as_posix()


def parse(path: Path) -> ast.Module:
    """Parse a module."""
    return ast.parse(path.read_text("utf-8"))


def list_tracked_files(suffixes: set[str] | None = None) -> list[Path]:
    """The files of the repository that are on disk."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True)
    paths = [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]
    return [path for path in paths if suffixes is None or path.suffix in suffixes]
