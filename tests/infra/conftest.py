"""The production bundle and template, built once however many processes share the tests."""

import fcntl
import json

import pytest

from infra import bundle


@pytest.fixture(scope="session")
def dist(tmp_path_factory, worker_id):
    """What `make package` writes."""
    own = tmp_path_factory.getbasetemp()
    out = (own if worker_id == "master" else own.parent) / "dist"
    with (out.parent / "dist.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (out / bundle.TEMPLATE).exists():
            bundle.build(out)
    return out


@pytest.fixture(scope="session")
def template(dist):
    """The packaged template."""
    return json.loads((dist / bundle.TEMPLATE).read_text())


@pytest.fixture(scope="session")
def production(template):
    """The packaged template, as its conditions make it in production."""
    return _in_production(template)


def _in_production(node):
    match node:
        case {"Fn::If": ["InProduction", chosen, _]}:
            return _in_production(chosen)
        case dict():
            return {key: _in_production(value) for key, value in node.items()}
        case list():
            return [_in_production(value) for value in node]
    return node
