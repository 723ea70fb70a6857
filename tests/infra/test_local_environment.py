"""The environment of a local run: no setting of the user reaches the product or the local cloud."""

import os
from pathlib import Path

from infra.local import environment

USER_SETTINGS = {
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


def test_no_aws_or_proxy_setting_of_the_user_reaches_the_product():
    """The dummy settings and the address of the local cloud replace them. Other settings stay."""
    kept = {"PATH": "/bin", "EDITOR": "vi", "DOCKER_HOST": USER_SETTINGS["DOCKER_HOST"]}
    product = environment.build_product_environment("http://127.0.0.1:9")
    process = USER_SETTINGS | kept

    environment.apply_environment(product, process)

    assert process == kept | product
    assert process["AWS_ENDPOINT_URL"] == "http://127.0.0.1:9"
    assert process["AWS_ACCESS_KEY_ID"] == "local"


def test_the_product_reads_no_credentials_of_the_user():
    """It reads neither the credential files nor the metadata service of the machine."""
    product = environment.build_product_environment("http://127.0.0.1:9")

    files = {product["AWS_SHARED_CREDENTIALS_FILE"], product["AWS_CONFIG_FILE"]}
    assert files == {os.devnull}
    assert product["AWS_EC2_METADATA_DISABLED"] == "true"


def test_the_cloud_inherits_no_variable(monkeypatch):
    for name in USER_SETTINGS:
        monkeypatch.setenv(name, "from the user")

    cloud = environment.build_cloud_environment(Path("/data"), enforce_policies=False)

    assert "from the user" not in cloud.values()


def test_the_cloud_opens_no_extra_port():
    """Its MQTT and SFTP listeners would be open to the whole network."""
    cloud = environment.build_cloud_environment(Path("/data"), enforce_policies=False)

    assert (cloud["BIND_HOST"], cloud["IOT_MTLS_ENABLED"], cloud["SFTP_ENABLED"]) == ("127.0.0.1", "0", "0")
