"""The services on tables of the template, without the API."""

import pytest

from chalicelib.services.identity.access_tokens import TokenVerifier
from chalicelib.store.all_stores import Stores
from tests.support import tokens
from tests.support.desk import Desk, open_desk
from tests.support.issuer import Issuer


@pytest.fixture
def desk(stores: Stores) -> Desk:
    """Two practices and two centers with their people, and no referral yet."""
    return open_desk(stores)


@pytest.fixture
def referred(desk: Desk) -> Desk:
    """The desk after one referral was submitted."""
    desk.refer()
    desk.now = desk.now.replace(second=30)
    return desk


@pytest.fixture
def issuer() -> Issuer:
    """An issuer with one key."""
    return Issuer()


@pytest.fixture
def verifier(issuer: Issuer) -> TokenVerifier:
    """What verifies its tokens, and has read nothing yet."""
    return TokenVerifier(issuer=tokens.ISSUER, client_id=tokens.CLIENT_ID, fetch_keys=issuer)
