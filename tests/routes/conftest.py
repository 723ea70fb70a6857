"""What the tests of routes share."""

import pytest

from tests.support.world import open_world


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory):
    """Two practices and two centers with somebody in every role, for a whole module."""
    with open_world(tmp_path_factory.mktemp("world")) as clinic:
        yield clinic
