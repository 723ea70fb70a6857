"""Fixtures of every suite: an offline process with its own AWS."""

import gc
import os
from collections.abc import Iterator
from typing import Any

import hypothesis
import pytest

# Before anything of AWS is imported: no real account may ever be within reach.
os.environ |= {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
    "POWERTOOLS_LOG_LEVEL": "INFO",
}
for unwanted in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL", "AWS_CA_BUNDLE"):
    os.environ.pop(unwanted, None)

from chalicelib.store.all_stores import Stores
from tests.support import aws_fakes as cloud
from tests.support import stores as store_tools
from tests.support import tokens
from tests.support.api_client import ApiClient
from tests.support.api_driver import ApiDriver

pytest_plugins = ["tests.support.parallel_plugin", "tests.support.stale_reads_plugin"]

# A slow machine is not a counterexample.
hypothesis.settings.register_profile("tests", deadline=None)
hypothesis.settings.load_profile("tests")

# Tests create many objects and few cycles: the default looks for cycles after each 700 objects.
gc.set_threshold(50_000, 20, 20)


def pytest_collection_finish() -> None:
    """Look for cycles only in what tests create; what was imported stays until the end."""
    gc.collect()
    gc.freeze()


@pytest.fixture
def aws() -> Iterator[None]:
    """The AWS services that we use, empty, in this process."""
    from moto import mock_aws

    from tests.support.moto_patches import patch_moto

    patch_moto()
    with mock_aws():
        yield


@pytest.fixture(scope="module")
def kms_key_id() -> Iterator[str]:
    """The tables of the template, created once per module; returns the key id."""
    from moto import mock_aws

    with mock_aws():
        cloud.create_tables()
        cloud.verify_sender()
        yield cloud.create_key()


@pytest.fixture
def stores(kms_key_id: str) -> Stores:
    """Every table of the template, empty, without an API."""
    cloud.clear_tables()
    return store_tools.create_cold_stores(kms_key_id)


@pytest.fixture
def settings_env(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> Iterator[None]:
    """The environment of a function, with the tests' own token issuer."""
    from chalicelib import wiring

    for name, value in cloud.build_environment(tokens.write_jwks(tmp_path / "jwks.json")).items():
        monkeypatch.setenv(name, value)
    wiring.reset()
    yield
    wiring.reset()


@pytest.fixture
def api(aws: None, settings_env: None, monkeypatch: pytest.MonkeyPatch) -> ApiDriver:
    """Two practices and two centers with their people, and the API."""
    from tests.support.new_worlds import open_new_world

    return open_new_world(monkeypatch)


@pytest.fixture
def site(api: ApiDriver) -> ApiClient:
    """The API as a coordinator of the first practice uses it."""
    return api.practice
