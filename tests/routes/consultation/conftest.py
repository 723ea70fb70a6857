"""The tests of consultations share one world: each has its own referral and its own times."""

import pytest


@pytest.fixture
def api(shared_api):
    """Two practices and two centers."""
    return shared_api
