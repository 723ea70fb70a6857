"""What the tests of routes share."""

import pytest

from tests.support.shared_clinic import open_shared_clinic


@pytest.fixture(scope="module")
def shared_api(tmp_path_factory: pytest.TempPathFactory):
    """Two practices and two centers with a member in every role, for a whole module."""
    with open_shared_clinic(tmp_path_factory.mktemp("world")) as clinic:
        yield clinic
