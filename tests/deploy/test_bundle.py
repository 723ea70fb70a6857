"""The content of the production bundle."""

import email
import json
import os
import re
import ssl
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import botocore
import pytest
from botocore import xform_name
from botocore.model import ServiceModel
from botocore.session import get_session

from chalicelib.routes.field_texts import load_field_texts
from infra import bundle
from infra.bundle import archive, packages, slim
from infra.bundle.own_bundles import OWN_BUNDLES
from infra.commit import ROOT
from packet_pdf.characters import FONTS

LIMIT_BYTES = 19 * 1024 * 1024 // 2
NOT_CALLED = {"Scan", "Sign", "Verify"}
"""Operations of DynamoDB and KMS with names that are words of the code, too."""
LOCK = ROOT / "requirements-run.txt"
PRINT_DOCUMENT = "import app, json; from chalicelib.routes import openapi; print(json.dumps(openapi.build_document()))"
UNCHECKED_HASH = (1).to_bytes(4, "little")


@pytest.fixture(scope="session")
def bundle_archive(dist):
    """The bundle, opened for reading."""
    with zipfile.ZipFile(dist / bundle.BUNDLE) as zip_file:
        yield zip_file


def test_the_bundle_is_small(dist):
    """Every cold start downloads and unpacks it."""
    assert (dist / bundle.BUNDLE).stat().st_size <= LIMIT_BYTES


def test_the_bundle_has_the_texts_of_the_openapi_document(bundle_archive):
    """It has no source that they could be read from."""
    texts = json.loads(bundle_archive.read("chalicelib/routes/field_texts.json"))

    assert texts == load_field_texts()


def test_the_bundle_describes_the_api_as_the_source_does(bundle_archive, tmp_path):
    """Docstrings that the OpenAPI document does not use are removed, and no others."""
    own = [name for name in bundle_archive.namelist() if name.startswith(("app.pyc", "chalicelib/"))]
    bundle_archive.extractall(tmp_path, own)

    documents = [
        subprocess.run(
            [sys.executable, "-I", "-c", f"import sys; sys.path.insert(0, {str(folder)!r}); {PRINT_DOCUMENT}"],
            check=True,
            capture_output=True,
            env={},
        ).stdout
        for folder in (tmp_path, ROOT)
    ]
    assert documents[0] == documents[1]
    assert len(documents[0]) > 500_000


def test_two_builds_are_identical(dist, tmp_path):
    """A rebuilt commit can be compared with the deployed one."""
    bundle.build(tmp_path)

    first, second = (folder / bundle.BUNDLE for folder in (dist, tmp_path))
    assert first.read_bytes() == second.read_bytes()


def test_the_template_without_the_bundles_is_the_template_of_the_package(dist, tmp_path):
    """The tests of the template read one that was written without them."""
    bundle.build_template(tmp_path)

    assert (tmp_path / bundle.TEMPLATE).read_bytes() == (dist / bundle.TEMPLATE).read_bytes()


def test_every_locked_distribution_except_the_unused_ones_is_included(bundle_archive):
    """Chalice would leave them out without a warning."""
    included = {info.partition("-")[0].lower() for info in bundle_archive.namelist() if ".dist-info/" in info}

    assert included == packages.list_pinned(LOCK) - slim.UNUSED_PACKAGES


def test_the_metadata_has_the_locked_name_and_version(bundle_archive):
    """Vulnerability scanners read it."""
    locked = set(re.findall(r"^([a-z0-9-]+==[^ ;]+)", LOCK.read_text(), re.MULTILINE))
    metadata_files = [name for name in bundle_archive.namelist() if name.endswith(".dist-info/METADATA")]
    for name in metadata_files:
        metadata = email.message_from_bytes(bundle_archive.read(name))
        assert f"{metadata['Name'].lower().replace('_', '-')}=={metadata['Version']}" in locked


def test_all_code_is_compiled_without_a_timestamp_check(bundle_archive):
    """A zip does not keep the times that such a check compares."""
    names = bundle_archive.namelist()
    compiled = [name for name in names if name.endswith(".pyc")]

    assert "app.pyc" in compiled
    assert not [name for name in names if name.endswith(".py")]
    for name in compiled:
        header = bundle_archive.read(name)[:8]
        assert header[4:] == UNCHECKED_HASH


def test_compiled_extensions_are_for_arm64(bundle_archive):
    """arm64 is cheaper and starts faster."""
    extensions = [name for name in bundle_archive.namelist() if name.endswith(".so")]
    aarch64 = 183

    assert extensions
    for name in extensions:
        header = bundle_archive.read(name)[:20]
        assert header[:4] == b"\x7fELF"
        assert int.from_bytes(header[18:20], "little") == aarch64


def test_only_the_runtime_of_chalice_is_included(bundle_archive):
    """Its command line would add a second botocore, pip, and setuptools."""
    chalice_files = {name for name in bundle_archive.namelist() if name.startswith("chalice/")}

    assert chalice_files == {"chalice/__init__.pyc", "chalice/app.pyc"}


def test_no_development_files_are_included(bundle_archive):
    top_level = {name.partition("/")[0] for name in bundle_archive.namelist()}

    assert not top_level & {"tests", "infra", "docs", ".chalice", ".local", "requirements.txt"}
    assert not [name for name in bundle_archive.namelist() if name.endswith((".pyi", ".env", ".key"))]


def test_no_access_key_or_private_key_is_included(bundle_archive):
    """Production gets its credentials from its role."""
    key = re.compile(rb"(?:AKIA|ASIA)[A-Z0-9]{16}|-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----\n")
    product_files = [name for name in bundle_archive.namelist() if name.startswith(("app", "chalicelib/"))]

    assert product_files
    assert not [name for name in product_files if key.search(bundle_archive.read(name))]


def test_botocore_has_only_the_services_that_the_product_uses(bundle_archive):
    """The other 400 services are removed."""
    services = {
        name.split("/")[2]
        for name in bundle_archive.namelist()
        if name.startswith("botocore/data/") and name.count("/") > 2
    }

    assert services == set(slim.KEPT_AWS_SERVICES)


@pytest.mark.parametrize("service", sorted(slim.KEPT_OPERATIONS))
def test_botocore_keeps_the_operations_that_the_product_calls(service):
    """A client has a method for each; the names are looked for in the code."""
    words = {word for path in list_shipped_sources() for word in re.findall(r"\w+", path.read_text("utf-8"))}
    operations = get_session().get_service_model(service).operation_names

    called = {name for name in operations if xform_name(name) in words} - NOT_CALLED
    assert called <= slim.KEPT_OPERATIONS[service]


def list_shipped_sources():
    return [
        ROOT / "app.py",
        *(path for folder in ("chalicelib", "document_check") for path in (ROOT / folder).rglob("*.py")),
    ]


def test_botocore_keeps_the_operations_of_a_service_without_documentation(bundle_archive):
    (name,) = (
        name
        for name in bundle_archive.namelist()
        if name.startswith("botocore/data/dynamodb/") and name.endswith("service-2.json")
    )
    service = json.loads(bundle_archive.read(name))

    assert "TransactWriteItems" in service["operations"]
    assert "documentation" not in service["operations"]["TransactWriteItems"]


def test_every_root_certificate_of_botocore_is_kept(bundle_archive, tmp_path):
    """Only their descriptions are removed. A missing one would end calls to AWS on the day that it is needed."""
    shipped = tmp_path / "cacert.pem"
    shipped.write_bytes(bundle_archive.read("botocore/cacert.pem"))

    assert list_root_certificates(shipped) == list_root_certificates(Path(botocore.__file__).parent / "cacert.pem")


def list_root_certificates(path):
    """As a connection reads them."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(path)
    return context.get_ca_certs(binary_form=True)


def test_of_lambda_only_the_operation_that_the_product_calls_is_kept(bundle_archive):
    """With every shape that it uses, so that a client can be created and call it."""
    (name,) = (n for n in bundle_archive.namelist() if re.fullmatch(r"botocore/data/lambda/.*/service-2\.json", n))
    service = json.loads(bundle_archive.read(name))
    model = ServiceModel(service, "lambda")

    assert model.operation_names == ["Invoke"]
    invoke = model.operation_model("Invoke")
    shapes: list[Any] = [invoke.input_shape, invoke.output_shape, *invoke.error_shapes]
    assert all(member.type_name for shape in shapes for member in shape.members.values())


def test_the_function_that_sets_pdfs_has_its_own_bundle(dist):
    """With its template and fonts, and without anything else of the product."""
    with zipfile.ZipFile(dist / bundle.PACKET_BUNDLE) as zip_file:
        names = set(zip_file.namelist())
        template = zip_file.read("packet_pdf/packet.typ")

    assert {name.split("/")[0] for name in names} == {"packet_pdf", "typst", "typst-0.15.2.dist-info"}
    assert template == (ROOT / "packet_pdf" / "packet.typ").read_bytes()
    fonts = {path.name for path in FONTS.glob("*.ttf")}
    assert {name.rpartition("/")[2] for name in names if name.endswith(".ttf")} == fonts
    assert {f"packet_pdf/fonts/licenses/{font}-LICENSE" for font in ("droid", "nanum", "noto")} <= names


@pytest.mark.parametrize("own", OWN_BUNDLES, ids=lambda own: own.function)
def test_the_bundle_of_a_single_function_fits_lambda(dist, own):
    """Lambda takes at most 250 MB unpacked; the product's own limit for the zip is lower."""
    archive_path = dist / own.archive

    with zipfile.ZipFile(archive_path) as zip_file:
        unpacked = sum(entry.file_size for entry in zip_file.infolist())
    assert unpacked < 250 * 1000 * 1000
    assert archive_path.stat().st_size <= own.limit_bytes


@pytest.mark.parametrize(
    ("unwanted", "distributions", "limit_bytes", "message"),
    [
        # Chalice itself does not detect this mistake.
        (None, {"pydantic"}, LIMIT_BYTES, "missing: pydantic"),
        ("chalice/cli/__init__.pyc", set(), LIMIT_BYTES, "does not belong: chalice/cli/__init__.pyc"),
        ("tests/test_app.pyc", set(), LIMIT_BYTES, "does not belong: tests/test_app.pyc"),
        ("chalicelib/.env", set(), LIMIT_BYTES, "does not belong: chalicelib/.env"),
        ("chalicelib/center.key", set(), LIMIT_BYTES, "does not belong: chalicelib/center.key"),
        (None, set(), 10, "bytes, more than 10"),
    ],
    ids=["missing-dependency", "chalice-tools", "test", "settings", "key", "too-large"],
)
def test_a_wrong_bundle_is_rejected_with_its_problem(tmp_path, unwanted, distributions, limit_bytes, message):
    path = tmp_path / "bundle.zip"
    with zipfile.ZipFile(path, "w") as out:
        for name in filter(None, ("app.pyc", "chalicelib/__init__.pyc", "chalice/app.pyc", unwanted)):
            out.writestr(name, "")

    with pytest.raises(archive.BundleError, match=re.escape(message)):
        archive.check_archive(path, distributions=distributions, limit_bytes=limit_bytes)


def test_a_missing_file_to_remove_stops_the_build(tmp_path):
    """It may have a new name, under which it would ship."""
    with pytest.raises(slim.SlimError, match="No file matches aws_lambda_powertools"):
        slim.remove_unused(tmp_path)


@pytest.mark.parametrize("command", ["package", "local"])
def test_the_commands_of_the_framework_are_refused(tmp_path, command):
    """They would package no libraries and no tables. The message says what to use instead, and nothing is written."""
    arguments = [str(tmp_path / "out")] if command == "package" else ["--port", "0"]
    done = subprocess.run(
        [str(Path(sys.executable).with_name("chalice")), command, *arguments],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if name != "CART_BUNDLE"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    # The parent process of `chalice local` ends with 0, whatever happens in its worker.
    assert done.returncode != 0 or command == "local"
    assert "Use `make package`" in done.stderr
    assert list(tmp_path.iterdir()) == []
