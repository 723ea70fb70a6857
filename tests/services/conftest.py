"""The services on tables of the template, without the API."""

import pytest

from chalicelib.store.stores import Stores
from tests.support.desk import Desk, open_desk


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
