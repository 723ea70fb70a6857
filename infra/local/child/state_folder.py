"""The folder of the saved state: which checkpoints it has, and whether they are whole.

    current         the name of the newest checkpoint
    41/, 40/        that checkpoint and the one before it: one file per service, and `manifest`
    42.new/         a checkpoint that is being written, or was when the process was killed
    43.set-aside-…/ a checkpoint that was newer than the one that a person went back to
    live/           the current state while it runs

What cannot be read is never taken for empty: then nothing is changed, and a person decides.
"""

import hashlib
import json
import shutil
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

MANIFEST = "manifest"
MANIFEST_VERSION = 1
MIN_FREE_BYTES = 64 * 1024 * 1024
"""The free space that a run needs, besides twice the size of its newest checkpoint."""


class UnreadableStateError(Exception):
    """The saved state cannot be read. Nothing was changed. The message is shown to the user."""


class DiskFullError(Exception):
    """Too little space is free for the next checkpoint. The message is shown to the user."""


def find_newest_checkpoint(folder: Path, formats: Mapping[str, int]) -> Path | None:
    """Find the checkpoint with which to start. None if there is none yet.

    Args:
        folder: The folder of the saved state.
        formats: The newest format of each service that this version can read.

    Raises:
        UnreadableStateError: there was a checkpoint, and it cannot be read.
    """
    numbered = _list_checkpoints(folder)
    pointer = folder / "current"
    if not numbered and not pointer.exists():
        return None
    try:
        current = _read_pointer(pointer)
        _verify(current, formats)
    except _DamagedError as error:
        raise UnreadableStateError(_explain(folder, str(error), numbered, formats)) from error
    return current


def remove_leftovers(folder: Path, current: Path | None) -> None:
    """Keep the checkpoint, the one before it, and what a person may want to have. Remove the rest."""
    for leftover in folder.glob("*.new"):
        shutil.rmtree(leftover, ignore_errors=True)
    if current is None:
        return
    older = [each for each in _list_checkpoints(folder) if int(each.name) < int(current.name)]
    for each in _list_checkpoints(folder):
        is_whole = (each / MANIFEST).exists()
        if int(each.name) > int(current.name) and is_whole:
            each.rename(each.with_suffix(f".set-aside-{time.time_ns()}"))
        elif each not in {current, *older[-1:]}:
            shutil.rmtree(each)


def write_manifest(checkpoint: Path) -> None:
    """Write down what the checkpoint consists of. It is the last file of a checkpoint."""
    digests = {file.name: _compute_digest(file) for file in sorted(checkpoint.glob("*.json"))}
    saved_at = datetime.now(UTC).isoformat(timespec="seconds")
    manifest = {"version": MANIFEST_VERSION, "saved_at": saved_at, "files": digests}
    (checkpoint / MANIFEST).write_text(json.dumps(manifest, indent=1))


def require_space(folder: Path, newest: Path | None) -> None:
    """Check that the next checkpoint fits on the disk.

    Raises:
        DiskFullError: it may not fit.
    """
    size = sum(file.stat().st_size for file in newest.glob("*")) if newest else 0
    needed, free = MIN_FREE_BYTES + 2 * size, shutil.disk_usage(folder).free
    if free < needed:
        free_mb, needed_mb = free // 2**20, needed // 2**20
        raise DiskFullError(f"The disk of {folder} is full: {free_mb} MB are free, {needed_mb} MB are needed.")


class _DamagedError(Exception):
    """A file of the state is not as it was written. The message says which, and in what way."""


def _list_checkpoints(folder: Path) -> list[Path]:
    """List all complete checkpoints, oldest first."""
    found = [each for each in folder.iterdir() if each.is_dir() and each.name.isdecimal()] if folder.exists() else []
    return sorted(found, key=lambda each: int(each.name))


def _read_pointer(pointer: Path) -> Path:
    try:
        name = pointer.read_bytes().decode("ascii", "replace").strip()
    except OSError as error:
        raise _DamagedError(f"{pointer} is missing" if not pointer.exists() else f"{pointer}: {error}") from error
    if not name.isdecimal():
        raise _DamagedError(f"{pointer} is {'damaged' if name else 'empty'}")
    current = pointer.with_name(name)
    if not current.is_dir():
        raise _DamagedError(f"{current} is missing")
    return current


def _verify(checkpoint: Path, formats: Mapping[str, int]) -> None:
    """Check that all files of a checkpoint are there, whole, and of a format that we know."""
    files = {file.name: file for file in checkpoint.glob("*.json")}
    for name, digest in _read_digests(checkpoint).items():
        if name not in files:
            raise _DamagedError(f"{checkpoint / name} is missing")
        if _compute_digest(files[name]) != digest:
            raise _DamagedError(f"{files[name]} is {'empty' if not files[name].stat().st_size else 'damaged'}")
    for file in files.values():
        _verify_format(file, formats)


def _read_digests(checkpoint: Path) -> dict[str, str]:
    manifest = checkpoint / MANIFEST
    if not manifest.exists():
        # Written by a version before 0.4.0. Its files are checked as far as they show what is wrong.
        return {}
    content = _read_object(manifest)
    if content.get("version") != MANIFEST_VERSION:
        raise _DamagedError(f"{manifest} was written by a newer version of this product")
    files = content.get("files")
    if not isinstance(files, dict):
        raise _DamagedError(f"{manifest} is damaged")
    return files


def _verify_format(file: Path, formats: Mapping[str, int]) -> None:
    content = _read_object(file)
    version = content.get("__ministack_format__")
    if not isinstance(version, int) or not isinstance(content.get("payload"), dict):
        raise _DamagedError(f"{file} is damaged")
    if version > formats.get(file.stem, 0):
        raise _DamagedError(f"{file} was written by a newer version of this product")


def _read_object(file: Path) -> dict[str, Any]:
    try:
        content = json.loads(file.read_bytes())
    except OSError as error:
        raise _DamagedError(f"{file} is not readable: {error.strerror}") from error
    except ValueError as error:
        raise _DamagedError(f"{file} is {'damaged' if file.stat().st_size else 'empty'}") from error
    if not isinstance(content, dict):
        raise _DamagedError(f"{file} is damaged")
    return content


def _compute_digest(file: Path) -> str:
    try:
        with file.open("rb") as content:
            return hashlib.file_digest(content, "sha256").hexdigest()
    except OSError as error:
        raise _DamagedError(f"{file} is not readable: {error.strerror}") from error


def _explain(folder: Path, reason: str, numbered: list[Path], formats: Mapping[str, int]) -> str:
    """Say what is wrong, and what a person can do."""
    lines = [f"The saved data cannot be read: {reason}. Nothing was changed."]
    if "newer version" in reason:
        lines += ["Start the version of the product that wrote it, or update this one (git pull, make setup)."]
    for checkpoint in _list_whole(reversed(numbered), formats):
        lines += [
            f"A whole copy of {_format_time(checkpoint)} is in {checkpoint}. To continue with it:",
            f"  printf {checkpoint.name} > '{folder / 'current'}'",
        ]
        break
    lines += [f"To begin with new fictional data, move {folder.parent} to another place."]
    return "\n".join(lines)


def _list_whole(checkpoints: Iterator[Path], formats: Mapping[str, int]) -> Iterator[Path]:
    for checkpoint in checkpoints:
        try:
            _verify(checkpoint, formats)
        except _DamagedError:
            continue
        yield checkpoint


def _format_time(checkpoint: Path) -> str:
    modified = datetime.fromtimestamp(checkpoint.stat().st_mtime, UTC)
    return f"{modified:%Y-%m-%d %H:%M:%S} UTC"
