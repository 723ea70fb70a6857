"""The credentials of payers, in AWS Secrets Manager."""

import json

import pytest
from botocore.exceptions import ClientError
from botocore.session import get_session

from chalicelib import wiring
from chalicelib.domain.coverage.payers import find_payer
from chalicelib.domain.coverage.rows import PayerAnswer
from chalicelib.errors import UnavailableError
from chalicelib.services.coverage.payer_secrets import CredentialsError, PayerSecrets, parse_credentials
from infra.payers import setups
from infra.payers.server import run_simulator
from tests.support.payer_answers import a_question
from tests.support.payers import build_ids


@pytest.fixture
def client(aws):
    return get_session().create_client("secretsmanager")


@pytest.fixture
def secrets(client):
    return PayerSecrets(client=lambda: client)


def test_a_login_is_read_from_its_secret(client, secrets):
    client.create_secret(Name="cart-payer-credentials/a", SecretString='{"username": "A", "password": "b"}')

    assert secrets.read_credentials("cart-payer-credentials/a").login == ("A", "b")


def test_a_replaced_secret_counts_at_once(client, secrets):
    client.create_secret(Name="s", SecretString='{"authorization": "Bearer 1"}')
    assert secrets.read_credentials("s").authorization == "Bearer 1"
    client.put_secret_value(SecretId="s", SecretString='{"authorization": "Bearer 2"}')

    assert secrets.read_credentials("s").authorization == "Bearer 2"


def test_a_payer_without_a_secret_needs_none(secrets):
    assert secrets.read_credentials(None).login is None


def test_a_missing_secret_is_an_error(secrets):
    with pytest.raises(CredentialsError, match="does not exist"):
        secrets.read_credentials("cart-payer-credentials/none")


def test_a_deleted_secret_is_an_error(client, secrets):
    client.create_secret(Name="s", SecretString="x")
    client.delete_secret(SecretId="s")

    with pytest.raises(CredentialsError, match="does not exist"):
        secrets.read_credentials("s")


def test_a_secret_without_text_is_an_error(client, secrets):
    client.create_secret(Name="s", SecretBinary=b"bytes")

    with pytest.raises(CredentialsError, match="no text"):
        secrets.read_credentials("s")


@pytest.mark.parametrize("code", ["AccessDeniedException", "DecryptionFailure"])
def test_a_secret_that_we_may_not_read_is_an_error(code):
    class Refusing:
        exceptions = get_session().create_client("secretsmanager", region_name="us-east-1").exceptions

        def get_secret_value(self, **_):
            raise ClientError({"Error": {"Code": code}}, "GetSecretValue")

    with pytest.raises(CredentialsError, match=code):
        PayerSecrets(client=Refusing).read_text("s")


def test_a_service_that_does_not_respond_is_unavailable():
    class Failing:
        exceptions = get_session().create_client("secretsmanager", region_name="us-east-1").exceptions

        def get_secret_value(self, **_):
            from botocore.exceptions import EndpointConnectionError

            raise EndpointConnectionError(endpoint_url="https://secretsmanager.example")

    with pytest.raises(UnavailableError):
        PayerSecrets(client=Failing).read_text("s")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({}, "no credential"),
        ({"trusted_ca": "PEM"}, "no credential"),
        ({"username": "A"}, "needs a password"),
        ({"certificate": "PEM"}, "needs a private key"),
        ({"authorization": "Bearer a\r\nX: y"}, "header"),
        ({"authorization": " "}, "header"),
        ({"authorization": "Bearer \u00e9"}, "header"),
        ({"authorization": 7}, "not a text"),
        ({"token": "hidden"}, "not a JSON object"),
        (["hidden"], "not a JSON object"),
    ],
)
def test_credentials_that_cannot_be_used_are_refused_without_being_shown(values, message):
    with pytest.raises(CredentialsError, match=message) as error:
        parse_credentials(json.dumps(values))

    assert "hidden" not in str(error.value)
    assert error.value.__cause__ is None


def test_the_product_asks_the_payers_that_its_settings_name(aws, settings_env, monkeypatch, client):
    monkeypatch.setenv("PAYERS_SECRET", setups.PAYERS_SECRET)
    wiring.reset()
    with run_simulator() as payers:
        setups.store_secrets(client, "http://127.0.0.1:1")
        setups.store_secrets(client, payers.url)
        payer = find_payer(wiring.get_payer_directory().list_all(), "Example Health")
        assert payer
        outcome = wiring.open_payer_connection(payer).ask(a_question(member_id="XEX0001"), ids=build_ids()).outcome
    assert isinstance(outcome, PayerAnswer)
    assert [row.code for row in outcome.rows][:2] == ["1", "1"]
    assert abs(outcome.answered_at - wiring.read_clock()).total_seconds() < 600
