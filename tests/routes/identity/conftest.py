"""A clinic whose people sign in with a strict user pool."""

import pytest

from tests.support.shared_clinic import open_shared_clinic
from tests.support.sign_in_driver import open_sign_in_driver


@pytest.fixture(scope="module")
def sign_in_clinic(tmp_path_factory):
    """The clinic that the tests of a module share."""
    with open_shared_clinic(tmp_path_factory.mktemp("clinic")) as clinic:
        yield clinic


@pytest.fixture(params=["OFF", "OPTIONAL", "ON"])
def every_mfa(sign_in_clinic, request):
    """A person who signs in, for each value of `Mfa`. With `ON`, the person has an authenticator."""
    with open_sign_in_driver(sign_in_clinic, request.param) as driver:
        if request.param == "ON":
            driver.enroll()
        yield driver


@pytest.fixture
def optional_mfa(sign_in_clinic):
    """A person who can use an authenticator, and does not."""
    with open_sign_in_driver(sign_in_clinic, "OPTIONAL") as driver:
        yield driver


@pytest.fixture
def required_mfa(sign_in_clinic):
    """A person who must use an authenticator, and has none yet."""
    with open_sign_in_driver(sign_in_clinic, "ON") as driver:
        yield driver
