"""The functions that have a bundle of their own, because their libraries are larger than the rest of the product.

Each has a lock file, a package at the top of the repository, and an entry in `infra/resources.json`. Chalice does
not know them.
"""

import shutil
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path

from infra.bundle import archive, binaries, bytecode, packages, slim
from infra.commit import ROOT

_MIB = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnBundle:
    """One of them.

    Attributes:
        function: Its logical name in the template.
        archive: The name of its zip.
        package: The folder with its code.
        code: What it needs of the product besides, as paths of modules.
        lock: The lock file of its packages.
        remove_unused: Removes what it does not need from the installed packages.
        modules: Compiled modules that the zip must contain.
        limit_bytes: The maximum size of the zip.
    """

    function: str
    archive: str
    package: str
    code: tuple[str, ...]
    lock: Path
    remove_unused: Callable[[Path], None]
    modules: AbstractSet[str]
    limit_bytes: int


CHECK = OwnBundle(
    function="DocumentCheck",
    archive="document-check.zip",
    package="document_check",
    code=(
        "chalicelib/__init__.py",
        "chalicelib/domain/__init__.py",
        *(
            f"chalicelib/domain/documents/{name}.py"
            for name in ("__init__", "check_events", "file_types", "limits", "reasons")
        ),
    ),
    lock=ROOT / "requirements-check.txt",
    remove_unused=slim.remove_unused_of_check,
    modules=frozenset({"document_check/handler.pyc", "pikepdf/__init__.pyc", "PIL/Image.pyc"}),
    limit_bytes=24 * _MIB,
)
"""Checks uploaded files. No person waits for its start. An import contract allows no more code than this."""

PACKET = OwnBundle(
    function="PacketPdf",
    archive="packet-pdf.zip",
    package="packet_pdf",
    code=(),
    lock=ROOT / "requirements-packet.txt",
    remove_unused=slim.remove_unused_of_packet,
    modules=frozenset({"packet_pdf/handler.pyc", "packet_pdf/render.pyc", "typst/__init__.pyc"}),
    limit_bytes=36 * _MIB,
)
"""Sets referrals as PDF. Its typesetter is one compiled file, which cannot be made smaller."""

OWN_BUNDLES = (CHECK, PACKET)


def build_own_bundle(own: OwnBundle, tree: Path, out: Path, *, architecture: str | None) -> None:
    """Write the zip of one function, and check it.

    Args:
        own: The function.
        tree: An empty folder to build in.
        out: The folder for the zip.
        architecture: Lambda's name of the processor. None selects this machine's processor.

    Raises:
        archive.BundleError: a file is missing in the bundle, or does not belong there.
    """
    shutil.copytree(ROOT / own.package, tree / own.package, ignore=shutil.ignore_patterns("__pycache__"))
    for name in own.code:
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tree / name)
    packages.install(own.lock, into=tree, architecture=architecture)
    own.remove_unused(tree)
    binaries.strip_symbols(tree)
    bytecode.compile_in_subprocess(tree)
    archive.pack(tree, out / own.archive)
    archive.check_archive(
        out / own.archive,
        distributions=packages.list_pinned(own.lock),
        limit_bytes=own.limit_bytes,
        modules=own.modules,
    )
