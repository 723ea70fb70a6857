"""Whether the function runs, and whether its dependencies answer."""

import pytest

from chalicelib import wiring
from chalicelib.version import VERSION


@pytest.fixture
def mail(shared_api, monkeypatch):
    """A mail service that answers about its account, which moto's cannot."""
    monkeypatch.setattr(wiring.get_aws_client("sesv2"), "get_account", dict)


def unreachable(*_service):
    raise ConnectionError("secret-host.internal")


def test_health_calls_no_dependency(shared_api, monkeypatch):
    """It can be read while every dependency is down."""
    monkeypatch.setattr(wiring, "get_stores", lambda: 1 / 0)

    answer = shared_api.anyone.get("/health")

    assert answer.status == 200
    assert answer.json == {"status": "ok", "version": VERSION, "commit": None}


def test_health_shows_the_revision(shared_api, monkeypatch):
    """The commit that was packaged, where it is known."""
    monkeypatch.setenv("COMMIT", "0123abc")
    wiring.get_settings.cache_clear()

    assert shared_api.anyone.get("/health").json["commit"] == "0123abc"
    monkeypatch.undo()
    wiring.get_settings.cache_clear()


def test_ready_means_that_every_dependency_answers(shared_api, mail):
    """Tables, key, identity service and mail."""
    answer = shared_api.anyone.get("/health/ready")

    assert answer.status == 200
    assert answer.json == {"ready": True, "dependencies": {"tables": True, "key": True, "identity": True, "mail": True}}


@pytest.mark.parametrize(
    ("dependency", "broken"), [("tables", "get_stores"), ("identity", "get_token_verifier"), ("mail", "get_aws_client")]
)
def test_a_dependency_that_does_not_answer_is_named(shared_api, mail, monkeypatch, dependency, broken):
    """503, with the dependency's name and no detail of its error."""
    monkeypatch.setattr(wiring, broken, unreachable)

    answer = shared_api.anyone.get("/health/ready")

    assert answer.status == 503
    assert answer.headers["content-type"] == "application/json"
    assert answer.json["ready"] is answer.json["dependencies"][dependency] is False
    assert "secret-host" not in answer.text
