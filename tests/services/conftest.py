"""The services on the template's tables, without the API."""

import pytest

from chalicelib.services.identity.access_tokens import AccessTokenVerifier
from chalicelib.store.all_stores import Stores
from tests.support import tokens
from tests.support.issuer import JwksIssuer
from tests.support.service_driver import ServiceDriver, open_service_driver, refer_first


@pytest.fixture
def services(stores: Stores) -> ServiceDriver:
    """Two practices and two centers with their members, and no referral yet."""
    return open_service_driver(stores)


@pytest.fixture
def submitted_services(services: ServiceDriver) -> ServiceDriver:
    """The services after one referral was submitted."""
    return refer_first(services)


@pytest.fixture
def issuer() -> JwksIssuer:
    """An issuer with one key."""
    return JwksIssuer()


@pytest.fixture
def verifier(issuer: JwksIssuer) -> AccessTokenVerifier:
    """A verifier of the issuer's tokens that has not read any keys yet."""
    return AccessTokenVerifier(issuer=tokens.ISSUER, client_id=tokens.CLIENT_ID, fetch_keys=issuer)
