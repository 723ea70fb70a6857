"""Whether it runs, and whether what it depends on answers."""

import pytest

from chalicelib import wiring
from chalicelib.version import VERSION


@pytest.fixture
def mail(shared_api, monkeypatch):
    """A mail service that tells of its account, which moto's cannot."""
    monkeypatch.setattr(wiring.get_aws_client("sesv2"), "get_account", dict)


def unreachable(*_service):
    raise ConnectionError("secret-host.internal")


def test_health_touches_nothing(shared_api, monkeypatch):
    """That the function runs can be told with every dependency away."""
    monkeypatch.setattr(wiring, "get_stores", lambda: 1 / 0)

    answer = shared_api.anyone.get("/health")

    assert answer.status == 200
    assert answer.json == {"status": "ok", "version": VERSION, "commit": None}


def test_health_tells_which_revision_runs(shared_api, monkeypatch):
    """The commit that was packaged, where it is known."""
    monkeypatch.setenv("COMMIT", "0123abc")
    wiring.get_settings.cache_clear()

    assert shared_api.anyone.get("/health").json["commit"] == "0123abc"
    monkeypatch.undo()
    wiring.get_settings.cache_clear()


def test_ready_is_when_every_dependency_answers(shared_api, mail):
    """Tables, key, identity service and mail."""
    answer = shared_api.anyone.get("/health/ready")

    assert answer.status == 200
    assert answer.json == {"ready": True, "dependencies": {"tables": True, "key": True, "identity": True, "mail": True}}


@pytest.mark.parametrize(
    ("dependency", "broken"), [("tables", "get_stores"), ("identity", "get_token_verifier"), ("mail", "get_aws_client")]
)
def test_what_does_not_answer_is_named(shared_api, mail, monkeypatch, dependency, broken):
    """503, with which dependency it is, and not a word of what is wrong with it."""
    monkeypatch.setattr(wiring, broken, unreachable)

    answer = shared_api.anyone.get("/health/ready")

    assert answer.status == 503
    assert answer.headers["content-type"] == "application/json"
    assert answer.json["ready"] is answer.json["dependencies"][dependency] is False
    assert "secret-host" not in answer.text
