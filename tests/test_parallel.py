"""How the tests are shared between two workers."""

import random

from tests.support.parallel_plugin import get_work_unit, sort_slowest_first


def test_the_tests_of_a_file_are_one_work_unit():
    """What they share is created once."""
    assert get_work_unit("tests/domain/test_a.py::test_x[1]") == get_work_unit("tests/domain/test_a.py::test_y")
    assert get_work_unit("tests/domain/test_a.py::test_x") != get_work_unit("tests/domain/test_b.py::test_x")


def test_all_browser_tests_are_one_work_unit():
    """They all use one running product."""
    node_ids = ["tests/browser/test_handback.py::test_x", "tests/browser/test_security.py::test_y"]

    assert len({get_work_unit(node_id) for node_id in node_ids}) == 1


def test_slow_folders_and_large_files_start_first():
    """The order in which they were collected does not matter."""
    expected = [
        "tests/browser/test_a.py::test_x",
        "tests/deploy/test_a.py::test_x",
        "tests/infra/test_a.py::test_x",
        *[f"tests/domain/test_many.py::test_{number}" for number in range(3)],
        "tests/domain/test_few.py::test_x",
    ]
    shuffled = random.sample(expected, k=len(expected))

    result = sort_slowest_first(shuffled)

    assert [get_work_unit(node_id) for node_id in result] == [get_work_unit(node_id) for node_id in expected]
    assert sorted(result) == sorted(expected)
