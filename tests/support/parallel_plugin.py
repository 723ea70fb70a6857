"""Shares the tests between the workers of `pytest -n 2 --dist loadfile`, so that both have work until the end.

A file stays on one worker, as with every `loadfile`, so that what its tests share is created once. The
browser tests all use one running product, so they stay together too. The slow folders start first: a long
file that starts last leaves the other worker without work.
"""

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from xdist.scheduler import LoadFileScheduling

_BROWSER_TESTS = "tests/browser/"
_SLOW_FOLDERS = (_BROWSER_TESTS, "tests/deploy/", "tests/bench/", "tests/simulation/", "tests/infra/")
"""The slowest first. Other tests run in the process of the worker, and each takes some milliseconds."""


def get_work_unit(node_id: str) -> str:
    """Return the file of a test, or the folder if all its files must run on the same worker."""
    return _BROWSER_TESTS if node_id.startswith(_BROWSER_TESTS) else node_id.partition("::")[0]


def sort_slowest_first(node_ids: list[str]) -> list[str]:
    """Sort tests by folder, and then the files with the most tests first. Otherwise the order is kept."""
    size_by_file = Counter(node_id.partition("::")[0] for node_id in node_ids)

    def get_key(node_id: str) -> tuple[int, int]:
        folders = [place for place, folder in enumerate(_SLOW_FOLDERS) if node_id.startswith(folder)]
        return (folders[0] if folders else len(_SLOW_FOLDERS), -size_by_file[node_id.partition("::")[0]])

    return sorted(node_ids, key=get_key)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Sort the tests in a worker. The controller shares them in this order."""
    if hasattr(config, "workerinput"):
        item_by_id = {item.nodeid: item for item in items}
        items[:] = [item_by_id[node_id] for node_id in sort_slowest_first(list(item_by_id))]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> "LoadFileScheduling | None":
    """Share the tests by work unit, in the order of the workers."""
    from xdist.scheduler import LoadFileScheduling

    class _WorkUnitScheduling(LoadFileScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            return get_work_unit(nodeid)

    if config.getvalue("dist") != "loadfile":
        return None
    config.option.loadscopereorder = False
    return _WorkUnitScheduling(config, log)
