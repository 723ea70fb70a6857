"""The bundle that ships, if this machine can run it."""

import importlib.machinery
import importlib.util
import subprocess
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
SHIPPED = ROOT / "dist" / "bundle.zip"
FOR_THIS_MACHINE = ROOT / "build" / "bench" / "bundle.zip"

_PACKED_BY = ("requirements-run.txt", "infra/bundle")
_HASH_IN_PYC = slice(8, 16)


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle of the current code."""

    archive: Path

    @property
    def mebibytes(self) -> float:
        """Return its size."""
        return self.archive.stat().st_size / 2**20

    def unpack(self, folder: Path) -> Path:
        """Unpack it as Lambda does: where nothing can be written."""
        with zipfile.ZipFile(self.archive) as packed:
            packed.extractall(folder)
        for path in [folder, *(path for path in folder.rglob("*") if path.is_dir())]:
            path.chmod(0o555)
        return folder


def is_current(archive: Path) -> Bundle | None:
    """Return the bundle, unless something was changed since it was packed."""
    if not archive.exists() or _packing_changed(archive):
        return None
    with zipfile.ZipFile(archive) as packed:
        names = set(packed.namelist())
        same = all(_is_packed(packed, names, path) for path in _sources())
    return Bundle(archive) if same else None


def find_or_build_bundle(*, may_build: bool) -> Bundle | None:
    """Return a current bundle with extensions for this processor; build it if needed and allowed."""
    for archive in (SHIPPED, FOR_THIS_MACHINE):
        bundle = is_current(archive)
        if bundle and _runs_here(archive):
            return bundle
    return _built() if may_build else None


def _built() -> Bundle | None:
    # Imports the application; only a run that has to pack pays for it.
    from infra import bundle

    try:
        bundle.build(FOR_THIS_MACHINE.parent, stage="local")
    except (bundle.archive.BundleError, bundle.slim.SlimError, subprocess.CalledProcessError) as e:
        print(f"no bundle for this machine: {e}")
        return None
    return Bundle(FOR_THIS_MACHINE)


def _runs_here(archive: Path) -> bool:
    with zipfile.ZipFile(archive) as packed:
        compiled = [name for name in packed.namelist() if "/_pydantic_core" in name]
        magic = packed.read("app.pyc")[:4]
    here = any(name.endswith(importlib.machinery.EXTENSION_SUFFIXES[0]) for name in compiled)
    return here and magic == importlib.util.MAGIC_NUMBER


def _sources() -> Iterator[Path]:
    yield ROOT / "app.py"
    for path in (ROOT / "chalicelib").rglob("*"):
        if path.is_file() and "__pycache__" not in path.parts:
            yield path


def _is_packed(packed: zipfile.ZipFile, names: set[str], path: Path) -> bool:
    name = path.relative_to(ROOT).as_posix()
    if path.suffix != ".py":
        return name in names and zlib.crc32(path.read_bytes()) == packed.getinfo(name).CRC
    compiled = f"{name}c"
    if compiled not in names:
        return False
    return packed.read(compiled)[_HASH_IN_PYC] == importlib.util.source_hash(path.read_bytes())


def _packing_changed(archive: Path) -> bool:
    packed_at = archive.stat().st_mtime
    paths = [ROOT / name for name in _PACKED_BY]
    files = [*paths, *(file for path in paths for file in path.rglob("*.py"))]
    return any(file.stat().st_mtime > packed_at for file in files if file.is_file())
