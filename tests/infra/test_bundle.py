"""What the production bundle holds, and what it does not."""

import email
import json
import re
import sys
import zipfile

import pytest

from infra import bundle
from infra.bundle import archive, packages, slim

LIMIT_BYTES = 9 * 1024 * 1024
LOCK = bundle.ROOT / "requirements-run.txt"
BYTECODE_CHECKED_AGAINST_NOTHING = (1).to_bytes(4, "little")


@pytest.fixture(scope="session")
def bundle_archive(dist):
    """The bundle, open."""
    with zipfile.ZipFile(dist / bundle.BUNDLE) as opened:
        yield opened


def test_it_is_small(dist):
    """Every cold start fetches and unpacks it."""
    assert (dist / bundle.BUNDLE).stat().st_size <= LIMIT_BYTES


def test_it_is_the_same_bytes_every_time(dist, tmp_path):
    """So that a rebuilt revision can be compared with what is deployed."""
    bundle.build(tmp_path)

    first, second = (folder / bundle.BUNDLE for folder in (dist, tmp_path))
    assert first.read_bytes() == second.read_bytes()


def test_every_locked_distribution_is_in_it(bundle_archive):
    """Chalice would leave them out without a word; what nothing imports is left out on purpose."""
    there = {info.partition("-")[0].lower() for info in bundle_archive.namelist() if ".dist-info/" in info}

    assert there == packages.list_pinned(LOCK) - slim.UNUSED_PACKAGES


def test_versions_are_those_of_the_lock(bundle_archive):
    """A scanner for known weaknesses finds each name and version."""
    locked = set(re.findall(r"^([a-z0-9-]+==[^ ;]+)", LOCK.read_text(), re.MULTILINE))
    metadata = [name for name in bundle_archive.namelist() if name.endswith(".dist-info/METADATA")]
    for name in metadata:
        told = email.message_from_bytes(bundle_archive.read(name))
        assert f"{told['Name'].lower().replace('_', '-')}=={told['Version']}" in locked


def test_all_code_is_compiled(bundle_archive):
    """For this Python, and without a check against times that a zip does not keep."""
    names = bundle_archive.namelist()
    compiled = [name for name in names if name.endswith(".pyc")]

    assert "app.pyc" in compiled
    assert not [name for name in names if name.endswith(".py")]
    for name in compiled:
        header = bundle_archive.read(name)[:8]
        assert header[4:] == BYTECODE_CHECKED_AGAINST_NOTHING


def test_extensions_are_for_the_processor_of_the_functions(bundle_archive):
    """arm64, which is cheaper and starts sooner."""
    extensions = [name for name in bundle_archive.namelist() if name.endswith(".so")]
    aarch64 = 183

    assert extensions
    for name in extensions:
        header = bundle_archive.read(name)[:20]
        assert header[:4] == b"\x7fELF"
        assert int.from_bytes(header[18:20], "little") == aarch64


def test_it_holds_the_runtime_of_chalice_and_not_its_tools(bundle_archive):
    """The command line would bring a second botocore, pip and setuptools."""
    ours = {name for name in bundle_archive.namelist() if name.startswith("chalice/")}

    assert ours == {"chalice/__init__.pyc", "chalice/app.pyc"}


def test_it_holds_nothing_of_development(bundle_archive):
    """No tests, no tools, no settings, no local data."""
    top = {name.partition("/")[0] for name in bundle_archive.namelist()}

    assert not top & {"tests", "infra", "docs", ".chalice", ".local", "requirements.txt"}
    assert not [name for name in bundle_archive.namelist() if name.endswith((".pyi", ".env", ".key"))]


def test_it_holds_no_secret(bundle_archive):
    """Nor an access key: production's come from its role."""
    access_key = re.compile(rb"(?:AKIA|ASIA)[A-Z0-9]{16}|-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----\n")
    ours = [name for name in bundle_archive.namelist() if name.startswith(("app", "chalicelib/"))]

    assert ours
    assert not [name for name in ours if access_key.search(bundle_archive.read(name))]


def test_botocore_knows_the_services_that_the_code_uses(bundle_archive):
    """And none of the four hundred others."""
    services = {
        name.split("/")[2]
        for name in bundle_archive.namelist()
        if name.startswith("botocore/data/") and name.count("/") > 2
    }

    assert services == set(slim.KEPT_AWS_SERVICES)


def test_botocore_knows_what_a_service_takes(bundle_archive):
    """Only prose is gone from the descriptions."""
    (name,) = (
        name
        for name in bundle_archive.namelist()
        if name.startswith("botocore/data/dynamodb/") and name.endswith("service-2.json")
    )
    service = json.loads(bundle_archive.read(name))

    assert "TransactWriteItems" in service["operations"]
    assert "documentation" not in service["operations"]["TransactWriteItems"]


def test_a_bundle_without_dependencies_is_refused(tmp_path):
    """The mistake that Chalice itself lets through."""
    made = tmp_path / "bundle.zip"
    with zipfile.ZipFile(made, "w") as out:
        for name in ("app.pyc", "chalicelib/__init__.pyc", "chalice/app.pyc"):
            out.writestr(name, "")

    with pytest.raises(archive.BundleError, match="missing: pydantic"):
        archive.check_archive(made, distributions={"pydantic"}, limit_bytes=LIMIT_BYTES)


@pytest.mark.parametrize(
    "name", ["chalice/cli/__init__.pyc", "tests/test_app.pyc", "chalicelib/.env", "chalicelib/center.key"]
)
def test_a_bundle_with_what_should_not_ship_is_refused(tmp_path, name):
    """Named, so that it can be found."""
    made = tmp_path / "bundle.zip"
    with zipfile.ZipFile(made, "w") as out:
        for each in ("app.pyc", "chalicelib/__init__.pyc", "chalice/app.pyc", name):
            out.writestr(each, "")

    with pytest.raises(archive.BundleError, match="does not belong: " + re.escape(name)):
        archive.check_archive(made, distributions=set(), limit_bytes=LIMIT_BYTES)


def test_a_bundle_that_is_too_large_is_refused(tmp_path):
    """Before it is deployed, not when people wait for it."""
    made = tmp_path / "bundle.zip"
    with zipfile.ZipFile(made, "w") as out:
        for each in ("app.pyc", "chalicelib/__init__.pyc", "chalice/app.pyc"):
            out.writestr(each, "")

    with pytest.raises(archive.BundleError, match="bytes, more than 10"):
        archive.check_archive(made, distributions=set(), limit_bytes=10)


def test_a_renamed_part_of_a_dependency_stops_the_build(tmp_path):
    """Else what it was renamed to would ship."""
    with pytest.raises(slim.SlimError, match="Nothing matches aws_lambda_powertools"):
        slim.remove_unused(tmp_path)


def test_the_bundle_runs_on_the_python_that_compiled_it(template):
    """Another one would compile everything again at each cold start."""
    runtimes = {
        each["Properties"]["Runtime"]
        for each in template["Resources"].values()
        if each["Type"] == "AWS::Serverless::Function"
    }

    assert runtimes == {f"python{sys.version_info.major}.{sys.version_info.minor}"}
