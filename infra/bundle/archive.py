"""The bundle as one zip: the same bytes for the same content, and looked into before it goes."""

import zipfile
from pathlib import Path

# A zip cannot hold an earlier moment.
_ALWAYS_THEN = (1980, 1, 1, 0, 0, 0)
_READABLE_FILE = 0o100644
_UNIX = 3

_FOREIGN_FOLDERS = frozenset({"infra", "tests", ".chalice", ".local"})
_FOREIGN_ENDINGS = (".env", ".key", ".p12", ".pem", ".pyi")
_ROOT_CERTIFICATES = "botocore/cacert.pem"


class BundleError(Exception):
    """What was packed is not what should ship. The text is for a person."""


def pack(root: Path, archive: Path) -> None:
    """Write every file below `root` into `archive`."""
    with zipfile.ZipFile(archive, "w") as out:
        for path in sorted(path for path in root.rglob("*") if path.is_file()):
            entry = zipfile.ZipInfo(path.relative_to(root).as_posix(), _ALWAYS_THEN)
            entry.create_system = _UNIX
            entry.external_attr = _READABLE_FILE << 16
            out.writestr(entry, path.read_bytes(), zipfile.ZIP_DEFLATED, compresslevel=9)


def check_archive(archive: Path, *, distributions: set[str], limit_bytes: int) -> None:
    """Look for what must be in it and what must not.

    Chalice packages an application without its dependencies, and says nothing, when it finds
    no requirements; that would only show in production.

    Args:
        archive: What `pack` wrote.
        distributions: Those that must be in it, spelled as their `.dist-info` folders are.
        limit_bytes: How large it may be.

    Raises:
        BundleError: names all that is wrong.
    """
    with zipfile.ZipFile(archive) as bundle:
        names = bundle.namelist()
    problems = [*_list_missing(names, distributions), *_list_unwanted(names)]
    if archive.stat().st_size > limit_bytes:
        problems.append(f"{archive.stat().st_size:,} bytes, more than {limit_bytes:,}")
    if problems:
        raise BundleError("\n".join([f"{archive.name} cannot ship:", *problems]))


def _list_missing(names: list[str], distributions: set[str]) -> list[str]:
    there = {name.partition("-")[0].lower() for name in names if ".dist-info/" in name}
    needed = {"app.pyc", "chalicelib/__init__.pyc", "chalice/app.pyc"} - set(names)
    return [f"missing: {name}" for name in sorted(needed | (distributions - there))]


def _list_unwanted(names: list[str]) -> list[str]:
    return [
        f"does not belong: {name}"
        for name in names
        if name != _ROOT_CERTIFICATES
        and (
            _FOREIGN_FOLDERS & set(name.split("/")[:-1])
            or name.endswith(_FOREIGN_ENDINGS)
            or name.startswith("chalice/cli/")
        )
    ]
