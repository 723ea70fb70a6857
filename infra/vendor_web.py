"""Updates the vendored libraries of the dashboard, and the manifest of the files that it serves.

The dashboard has no build step (docs/decisions/0006). The few libraries that it uses are committed under
`chalicelib/web/vendor/`. They are unchanged except for import names, which become relative so that no
import map is needed.

    python -m infra.vendor_web              download the pinned packages and write the manifest
    python -m infra.vendor_web --manifest   write the manifest, after any edit under chalicelib/web
    python -m infra.vendor_web --check      only check whether the manifest is up to date

For a new version, change its row in `PACKAGES`, including the integrity that
`npm view NAME@VERSION dist.integrity` prints, and run the first command. Set the same version in
`package.json`: the handwritten `.d.ts` files, which are never served, get the types for `make check`
from there.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import re
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

WEB = Path(__file__).resolve().parent.parent / "chalicelib" / "web"
VENDOR = WEB / "vendor"
MANIFEST = WEB / "manifest.json"

CONTENT_TYPES: Mapping[str, str] = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}

# Published import names, and the names under which the dashboard serves them.
IMPORTS: Mapping[str, str] = {
    "preact": "./preact.js",
    "preact/hooks": "./hooks.js",
    "@preact/signals-core": "./signals-core.js",
}

ICONS = (
    "arrow-left",
    "bell",
    "building-2",
    "check",
    "chevron-right",
    "circle-alert",
    "history",
    "inbox",
    "log-out",
    "pencil",
    "plus",
    "printer",
    "refresh-cw",
    "route",
    "search",
    "shield-alert",
    "stethoscope",
    "trash-2",
    "x",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NpmPackage:
    """One pinned npm package and the files that are used from it.

    Attributes:
        integrity: The hash that npm publishes for the archive. A different archive is rejected.
        files: Path inside the archive -> name under `vendor/`.
    """

    name: str
    version: str
    integrity: str
    license: str
    files: Mapping[str, str] = field(default_factory=dict)


PACKAGES = (
    NpmPackage(
        name="preact",
        version="11.2.0",
        integrity="sha512-/HfHI/7N84e6GrWBJ3J280z3mLaRJiDcSvj/A+y/4AbLnND/1UlGHe1sR6oYuTGwId0nP7dqDU9OnLxMPZ7xBg==",
        license="MIT",
        files={"package/dist/preact.mjs": "preact.js", "package/hooks/dist/hooks.mjs": "hooks.js"},
    ),
    NpmPackage(
        name="htm",
        version="3.1.1",
        integrity="sha512-983Vyg8NwUE7JkZ6NmOqpCZ+sh1bKv2iYTlUkzlWmA5JD2acKoxd4KVxbMmxX/85mtfdnDmTFoNKcg5DGAvxNQ==",
        license="Apache-2.0",
        files={"package/dist/htm.mjs": "htm.js"},
    ),
    NpmPackage(
        name="@preact/signals-core",
        version="1.14.5",
        integrity="sha512-vcRv7Ityz5JVmeiVqIluLFzT/PDS/AlhHUpw3/aUWqcVUs6bDGIPXE/6RSC4evBNWYvnniozg5Syfj33al3gkg==",
        license="MIT",
        files={"package/dist/signals-core.mjs": "signals-core.js"},
    ),
    NpmPackage(
        name="@preact/signals",
        version="2.11.4",
        integrity="sha512-Rb+5RPo9gWSaHtzJeauhHxiC8KP/IF2DEPkHPEOGOnuy2wnJzRqyeLRankUCYd6ADqtxS6GnWGv6Ie343d8aYw==",
        license="MIT",
        files={"package/dist/signals.mjs": "signals.js"},
    ),
    NpmPackage(
        name="@fontsource-variable/inter",
        version="5.3.0",
        integrity="sha512-OupL48va4JNofb97w6NYeF9S7W/kHNKM0Er8Dem5nqi4jeOLrVJDoE8tZEpnMJmtkvNbB1EIPPwHcdkF6b1oUA==",
        license="OFL-1.1",
        files={"package/files/inter-latin-wght-normal.woff2": "inter.css"},
    ),
    NpmPackage(
        name="lucide-static",
        version="1.62.0",
        integrity="sha512-WBZA/m2PvkFpMGHDtsBck5P2A9G4ehLlYu4GwwICcmEm1BvYVgj00lCDxKRWLlbMlOibLaiwdQ88G5pHkSWgwA==",
        license="ISC",
    ),
)

_IMPORT = re.compile(r'(?P<word>\bfrom|\bimport) ?"(?P<name>[^"./][^"]*)"')
_SHAPE = re.compile(r"<(?P<tag>path|circle|rect|line|polyline|ellipse) (?P<attrs>[^>]*?) */>")
_ATTRIBUTE = re.compile(r'([a-z0-9-]+)="([^"]*)"')


def rewrite_imports(script: str) -> str:
    """Replace the import names in a script with the names under which the dashboard serves them.

    Raises:
        KeyError: the script imports a package that is not vendored.
    """
    patched = _IMPORT.sub(lambda m: f'{m["word"]}"{IMPORTS[m["name"]]}"', script)
    return re.sub(r"\n?//# sourceMappingURL=.*\s*$", "\n", patched)


def parse_icon_shapes(svg: str) -> list[tuple[str, dict[str, str]]]:
    """Return the shapes of a Lucide icon, as (tag, attributes)."""
    return [(m["tag"], dict(_ATTRIBUTE.findall(m["attrs"]))) for m in _SHAPE.finditer(svg)]


def build_icons_module(svgs: Mapping[str, str], banner: str) -> str:
    """Return the JavaScript module with the shapes of the used icons."""
    rows = (
        f"  {json.dumps(name)}: {json.dumps(parse_icon_shapes(svg), separators=(',', ':'))},\n"
        for name, svg in sorted(svgs.items())
    )
    return f"{banner}export const shapes = {{\n{''.join(rows)}}};\n"


def build_font_face(woff2: bytes) -> str:
    """Return a style sheet that contains a variable font.

    A font file would be the only binary response of the API. Gateways differ in how they handle binary
    responses, but all of them pass on text unchanged.
    """
    data = base64.b64encode(woff2).decode()
    return (
        "@font-face{font-family:Inter;font-weight:100 900;font-display:swap;"
        f'src:url("data:font/woff2;base64,{data}")format("woff2")}}\n'
    )


def fetch_package(package: NpmPackage, folder: Path) -> tarfile.TarFile:
    """Download one pinned package with npm and open it.

    Raises:
        SystemExit: the archive does not match its pinned hash.
    """
    packed = subprocess.run(
        ["npm", "pack", "--silent", f"{package.name}@{package.version}"],  # noqa: S607 npm is found on the developer's PATH
        cwd=folder,
        check=True,
        capture_output=True,
        text=True,
    )
    archive = folder / packed.stdout.split()[-1]
    digest = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    if f"sha512-{digest}" != package.integrity:
        sys.exit(f"{package.name}@{package.version} does not match its pinned hash")
    return tarfile.open(archive)


def read_archive_member(archive: tarfile.TarFile, path: str) -> bytes:
    """Return the bytes of one file of an archive.

    Raises:
        SystemExit: the package no longer contains the file.
    """
    try:
        handle = archive.extractfile(path)
    except KeyError:
        handle = None
    if handle is None:
        sys.exit(f"{archive.name!s} has no {path}")
    return handle.read()


def build_banner(package: NpmPackage) -> str:
    """Return the first line of a vendored file: its package and its license."""
    return f"/*! {package.name} {package.version} | {package.license} | license text in vendor/licenses */\n"


def write_vendored_files(package: NpmPackage, archive: tarfile.TarFile) -> None:
    """Write the files of one package, and its license."""
    short = package.name.removeprefix("@").replace("/", "-")
    (VENDOR / "licenses" / f"{short}.txt").write_bytes(read_archive_member(archive, "package/LICENSE"))
    for path, name in package.files.items():
        content = read_archive_member(archive, path)
        served = build_font_face(content) if path.endswith(".woff2") else rewrite_imports(content.decode())
        (VENDOR / name).write_text(build_banner(package) + served)
    if package.name == "lucide-static":
        svgs = {icon: read_archive_member(archive, f"package/icons/{icon}.svg").decode() for icon in ICONS}
        (VENDOR / "icons.js").write_text(build_icons_module(svgs, build_banner(package)))


def hash_file(path: Path) -> str:
    """Return the SHA-256 of a file, in hex."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def build_checksums() -> str:
    """Return the checksums of the vendored files in the format of `sha256sum --check`."""
    handwritten = {".ts"}
    files = sorted(
        path
        for path in VENDOR.rglob("*")
        if path.is_file() and path.suffix not in handwritten and path.name != "SHA256SUMS"
    )
    return "".join(f"{hash_file(p)}  {p.relative_to(VENDOR).as_posix()}\n" for p in files)


def build_manifest() -> str:
    """Return the manifest: the path under `web/`, which is also the public name -> type and SHA-256."""
    rows = {
        path.relative_to(WEB).as_posix(): {
            "type": CONTENT_TYPES[path.suffix],
            "sha256": hash_file(path),
        }
        for path in sorted(p for p in WEB.rglob("*") if p.suffix in CONTENT_TYPES)
    }
    return json.dumps(rows, indent=2, sort_keys=True) + "\n"


def main() -> None:
    """Run the command line described at the top."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    choice = parser.add_mutually_exclusive_group()
    choice.add_argument("--manifest", action="store_true", help="only write manifest.json")
    choice.add_argument("--check", action="store_true", help="exit with code 1 if manifest.json is out of date")
    options = parser.parse_args()
    if options.check:
        is_current = MANIFEST.read_text() == build_manifest()
        sys.exit(0 if is_current else "manifest.json is out of date. Run: python -m infra.vendor_web --manifest")
    if not options.manifest:
        (VENDOR / "licenses").mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory() as folder:
            for package in PACKAGES:
                with fetch_package(package, Path(folder)) as archive:
                    write_vendored_files(package, archive)
        (VENDOR / "SHA256SUMS").write_text(build_checksums())
    MANIFEST.write_text(build_manifest())


if __name__ == "__main__":
    main()
