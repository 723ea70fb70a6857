"""The package, `GET /health`, the OpenAPI document, and the changelog have the same version number."""

import re
import tomllib
from importlib.metadata import version
from pathlib import Path

from chalicelib.version import VERSION

ROOT = Path(__file__).parents[1]


def test_the_package_gets_its_version_from_the_code():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())

    assert settings["project"]["dynamic"] == ["version"]
    assert settings["tool"]["setuptools"]["dynamic"]["version"] == {"attr": "chalicelib.version.VERSION"}
    assert version("cart-referrals") == VERSION, "run `make setup` to reinstall the package"


def test_health_and_the_openapi_document_show_the_version(site):
    assert site.get("/health").json["version"] == VERSION
    assert site.get("/v1/openapi.json").json["info"]["version"] == VERSION


def test_the_newest_version_in_the_changelog_is_the_version_of_the_code():
    headings = re.findall(r"^## (.+)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    released = [heading for heading in headings if heading != "Unreleased"]

    assert re.fullmatch(rf"{re.escape(VERSION)} \(\d{{4}}-\d{{2}}-\d{{2}}\)", released[0])
