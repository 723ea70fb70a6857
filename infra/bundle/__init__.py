"""Builds the production bundle and its template: `python -m infra.bundle`, or `make package`.

    packages   installs the locked third-party wheels for Lambda's processor
    slim       removes files of them that a function never reads
    binaries   removes parts of them that only a debugger reads
    bytecode   compiles the remaining files
    archive    writes one reproducible zip and checks it
    own_bundles  the functions with large libraries, each with a zip of its own
    template   completes chalice's template, with `aliases`, `existing` and `mail_identity`

docs/decisions/0005-packaging.md explains this design.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from chalicelib.routes import field_texts
from infra import site_texts
from infra.bundle import archive, binaries, bytecode, packages, slim, template
from infra.bundle.own_bundles import CHECK, OWN_BUNDLES, PACKET, build_own_bundle
from infra.commit import ROOT, read_commit

BUNDLE = "bundle.zip"
CHECK_BUNDLE, PACKET_BUNDLE = CHECK.archive, PACKET.archive
BUNDLES = (BUNDLE, *(own.archive for own in OWN_BUNDLES))
"""Every zip that the template names."""

TEMPLATE = "template.json"

_MIB = 1024 * 1024
# A cold start reads the whole bundle. Compiled extensions for other processors are about 10% larger.
_LIMITS_BYTES = {"production": 19 * _MIB // 2, "local": 21 * _MIB // 2}

_LOCK = ROOT / "requirements-run.txt"
_RESOURCES = ROOT / "infra" / "resources.json"
_SHIPPED = ("app.py", "chalicelib", ".chalice")


def build(out: Path, *, stage: str = "production", texts: Path | None = None) -> None:
    """Write `bundle.zip`, the bundles of single functions, and `template.json` into `out`.

    Args:
        out: The output folder. It is created if it does not exist.
        stage: A stage of `.chalice/config.json`. `local` builds for this machine's processor.
        texts: A folder with the operator's texts, which replace the shipped ones.

    Raises:
        archive.BundleError: a file is missing in the bundle, or does not belong there.
        site_texts.TextsError: a text is missing or cannot be read.
        subprocess.CalledProcessError: chalice or pip failed, and printed why.
    """
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        project, tree = Path(scratch, "project"), Path(scratch, "tree")
        _copy_project(project)
        if texts:
            site_texts.copy_texts(texts, project / "chalicelib" / "texts")
        field_texts.write_field_texts(project / "chalicelib" / "routes")
        raw = _chalice_package(project, stage)
        _copy_into_bundle(tree, project, stage)
        archive.pack(tree, out / BUNDLE)
        for own in OWN_BUNDLES:
            build_own_bundle(own, Path(scratch, own.package), out, architecture=_read_architecture(project, stage))
    archive.check_archive(
        out / BUNDLE, distributions=packages.list_pinned(_LOCK) - slim.UNUSED_PACKAGES, limit_bytes=_LIMITS_BYTES[stage]
    )
    _write_template(raw, out, stage)


def build_template(out: Path, *, stage: str = "production") -> None:
    """Write only `template.json` into `out`. This takes seconds, because no library is installed."""
    with tempfile.TemporaryDirectory() as scratch:
        project = Path(scratch, "project")
        _copy_project(project)
        _write_template(_chalice_package(project, stage), out, stage)


def _write_template(raw: template.Template, out: Path, stage: str) -> None:
    completed = template.complete_template(
        raw,
        bundle=f"./{BUNDLE}",
        own_bundles={own.function: f"./{own.archive}" for own in OWN_BUNDLES},
        commit=read_commit(),
        shifts_traffic=stage == "production",
    )
    (out / TEMPLATE).write_text(template.to_json(completed), encoding="utf-8")


def _copy_project(project: Path) -> None:
    project.mkdir()
    for name in _SHIPPED:
        if (ROOT / name).is_dir():
            # Only an editor reads the types of the dashboard.
            ignored = shutil.ignore_patterns("__pycache__", "deployed", "deployments", "*.d.ts")
            shutil.copytree(ROOT / name, project / name, ignore=ignored)
        else:
            shutil.copy(ROOT / name, project / name)
    # An empty file, because chalice would install packages without checking their hashes.
    # `packages` installs them instead.
    (project / "requirements.txt").touch()


def _chalice_package(project: Path, stage: str) -> template.Template:
    """Run chalice in the copy, without the AWS credentials and the region of the user."""
    subprocess.run(
        [
            *(str(Path(sys.executable).with_name("chalice")), "package", "--stage", stage),
            *("--merge-template", str(_RESOURCES), "out"),
        ],
        cwd=project,
        check=True,
        stdout=subprocess.DEVNULL,
        env=_build_clean_environment(),
    )
    raw: template.Template = json.loads((project / "out" / "sam.json").read_text("utf-8"))
    return raw


def _build_clean_environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return kept | {
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        # `chalicelib.settings.require_own_packager` refuses chalice without it.
        "CART_BUNDLE": "1",
    }


def _copy_into_bundle(tree: Path, project: Path, stage: str) -> None:
    with zipfile.ZipFile(project / "out" / "deployment.zip") as packaged:
        packaged.extractall(tree)
    packages.install(_LOCK, into=tree, architecture=_read_architecture(project, stage))
    slim.remove_unused(tree)
    binaries.strip_symbols(tree)
    bytecode.compile_in_subprocess(tree)


def _read_architecture(project: Path, stage: str) -> str | None:
    config = json.loads((project / ".chalice" / "config.json").read_text("utf-8"))
    architecture: str | None = config["stages"][stage].get("lambda_architecture")
    return architecture
