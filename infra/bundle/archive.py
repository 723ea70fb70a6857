"""Writes the bundle as one reproducible zip, and checks its content before it ships."""

import zipfile
from collections.abc import Set as AbstractSet
from pathlib import Path

# A fixed time, the earliest that a zip can store.
_FIXED_TIME = (1980, 1, 1, 0, 0, 0)
_READABLE_FILE = 0o100644
_UNIX = 3

_UNWANTED_FOLDERS = frozenset({"infra", "tests", ".chalice", ".local"})
_UNWANTED_SUFFIXES = (".env", ".key", ".p12", ".pem", ".pyi")
_ROOT_CERTIFICATES = "botocore/cacert.pem"


class BundleError(Exception):
    """The bundle must not ship. The message is shown to the user."""


def pack(root: Path, archive: Path) -> None:
    """Write every file below `root` into `archive`."""
    with zipfile.ZipFile(archive, "w") as out:
        for path in sorted(path for path in root.rglob("*") if path.is_file()):
            entry = zipfile.ZipInfo(path.relative_to(root).as_posix(), _FIXED_TIME)
            entry.create_system = _UNIX
            entry.external_attr = _READABLE_FILE << 16
            out.writestr(entry, path.read_bytes(), zipfile.ZIP_DEFLATED, compresslevel=9)


_ENTRY_MODULES = frozenset({"app.pyc", "chalicelib/__init__.pyc", "chalice/app.pyc"})


def check_archive(
    archive: Path, *, distributions: set[str], limit_bytes: int, modules: AbstractSet[str] = _ENTRY_MODULES
) -> None:
    """Check that the archive has everything that it needs and nothing else.

    If chalice finds no requirements, it packages an application without its dependencies and prints
    no warning. Without this check, the error would only appear in production.

    Args:
        archive: The file that `pack` wrote.
        distributions: The distributions that it must contain, with the spelling of their `.dist-info` folders.
        limit_bytes: The maximum size.
        modules: Compiled modules that it must contain.

    Raises:
        BundleError: lists all problems.
    """
    with zipfile.ZipFile(archive) as bundle:
        names = bundle.namelist()
    problems = [*_list_missing(names, distributions, modules), *_list_unwanted(names)]
    if archive.stat().st_size > limit_bytes:
        problems.append(f"{archive.stat().st_size:,} bytes, more than {limit_bytes:,}")
    if problems:
        raise BundleError("\n".join([f"{archive.name} cannot ship:", *problems]))


def _list_missing(names: list[str], distributions: set[str], modules: AbstractSet[str]) -> list[str]:
    included = {name.partition("-")[0].lower() for name in names if ".dist-info/" in name}
    missing_files = modules - set(names)
    return [f"missing: {name}" for name in sorted(missing_files | (distributions - included))]


def _list_unwanted(names: list[str]) -> list[str]:
    return [
        f"does not belong: {name}"
        for name in names
        if name != _ROOT_CERTIFICATES
        and (
            _UNWANTED_FOLDERS & set(name.split("/")[:-1])
            or name.endswith(_UNWANTED_SUFFIXES)
            or name.startswith("chalice/cli/")
        )
    ]
