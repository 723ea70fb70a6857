import os
from pathlib import Path

import pytest

from infra.local import environment

A_PERSONS_OWN = {
    "AWS_PROFILE": "production",
    "AWS_ACCESS_KEY_ID": "AKIAREAL",
    "AWS_SESSION_TOKEN": "real",
    "AWS_ENDPOINT_URL_DYNAMODB": "https://real.example",
    "AWS_CA_BUNDLE": "/somewhere/ca.pem",
    "AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/real",
    "https_proxy": "http://proxy.example",
    "NO_PROXY": "",
    "DOCKER_HOST": "unix:///var/run/docker.sock",
}


def test_nothing_of_a_persons_aws_reaches_the_product():
    """Only the dummies and the local cloud's address are left, and what is not about AWS."""
    process = A_PERSONS_OWN | {"PATH": "/bin", "EDITOR": "vi"}

    environment.apply_environment(environment.build_product_environment("http://127.0.0.1:9"), process)

    assert not {*A_PERSONS_OWN.values()} - {A_PERSONS_OWN["DOCKER_HOST"]} & {*process.values()}
    assert process["AWS_ENDPOINT_URL"] == "http://127.0.0.1:9"
    assert process["AWS_ACCESS_KEY_ID"] == "local"
    assert (process["PATH"], process["EDITOR"]) == ("/bin", "vi")


def test_no_file_of_a_persons_credentials_is_read():
    """Nor the address that hands out the credentials of a machine."""
    product = environment.build_product_environment("http://127.0.0.1:9")

    files = {product["AWS_SHARED_CREDENTIALS_FILE"], product["AWS_CONFIG_FILE"]}
    assert files == {os.devnull}
    assert product["AWS_EC2_METADATA_DISABLED"] == "true"


@pytest.mark.parametrize("name", A_PERSONS_OWN)
def test_the_cloud_inherits_nothing(name, monkeypatch):
    """Its environment is made from nothing."""
    monkeypatch.setenv(name, "a person's own")

    cloud = environment.build_cloud_environment(Path("/data"), enforce_policies=False)

    assert "a person's own" not in cloud.values()


def test_the_cloud_opens_no_port_of_its_own_accord():
    """Its MQTT and SFTP listeners would be open to the whole network."""
    cloud = environment.build_cloud_environment(Path("/data"), enforce_policies=False)

    assert (cloud["BIND_HOST"], cloud["IOT_MTLS_ENABLED"], cloud["SFTP_ENABLED"]) == ("127.0.0.1", "0", "0")
