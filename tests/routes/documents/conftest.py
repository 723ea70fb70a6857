"""What the tests of documents share."""

import pytest

from tests.support.document_driver import open_document_driver


@pytest.fixture
def documents(shared_api):
    """The documents of a new referral."""
    with open_document_driver(shared_api) as driver:
        yield driver
