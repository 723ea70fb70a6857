"""The settings of a local run, without any settings of the user.

A laptop often has real AWS credentials, a profile, a proxy, or a container daemon. None of them may
reach the local cloud or the product that uses it. Dropping them here prevents that a fictional referral
is ever written to a real AWS account.
"""

import os
from collections.abc import Mapping, MutableMapping
from pathlib import Path

REGION = "us-east-1"
_PERSONAL_PREFIXES = ("AWS_", "BOTO_", "COGNITO_", "DYNAMODB_", "SES_")
_PROXY_VARIABLES = {"http_proxy", "https_proxy", "all_proxy", "no_proxy", "ftp_proxy"}

# The AWS settings that replace them.
_DUMMY_AWS_SETTINGS = {
    "AWS_ACCESS_KEY_ID": "local",
    "AWS_SECRET_ACCESS_KEY": "local",
    "AWS_DEFAULT_REGION": REGION,
    "AWS_REGION": REGION,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
}


def remove_personal_settings(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment without its credentials, profiles, proxies, and endpoints."""
    return {
        name: value
        for name, value in environ.items()
        if not name.upper().startswith(_PERSONAL_PREFIXES) and name.lower() not in _PROXY_VARIABLES
    }


def build_product_environment(endpoint: str) -> dict[str, str]:
    """Build the settings with which the product reaches the local cloud only."""
    return _DUMMY_AWS_SETTINGS | {
        "AWS_ENDPOINT_URL": endpoint,
        # Only Lambda reads metrics, and several requests share this process.
        "POWERTOOLS_METRICS_DISABLED": "true",
    }


def build_cloud_environment(data_dir: Path, *, enforce_policies: bool, saving: bool = True) -> dict[str, str]:
    """Build the complete environment of the local cloud's process. It inherits nothing."""
    scratch = str(data_dir / "tmp")
    return _DUMMY_AWS_SETTINGS | {
        "PATH": os.defpath,
        "HOME": scratch,
        "LANG": "C.UTF-8",
        "LOG_LEVEL": "WARNING",
        "PERSIST_STATE": "1",
        "AUTH": str(enforce_policies).lower(),
        # The IoT and SFTP listeners ignore BIND_HOST and would listen on every interface.
        "BIND_HOST": "127.0.0.1",
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        # If ministack finds a container daemon, it removes containers there.
        "DOCKER_HOST": "unix:///nowhere",
        "MINISTACK_REGION": REGION,
        # Files of documents are written at once, and not only with the next checkpoint.
        "S3_PERSIST": str(int(saving)),
        "S3_DATA_DIR": str(data_dir / "objects") if saving else scratch,
    }


def apply_environment(settings: Mapping[str, str], environ: MutableMapping[str, str] = os.environ) -> None:
    """Apply these settings to this process and its child processes, and remove all personal settings."""
    for name in set(environ) - set(remove_personal_settings(environ)):
        del environ[name]
    environ.update(settings)
