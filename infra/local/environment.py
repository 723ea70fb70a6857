"""The settings of a local run. They hold nothing of the person who runs it.

A laptop often has real AWS credentials, a profile, a proxy or a container daemon at hand. None
of them may reach the local cloud or the product that talks to it: what is dropped here is what
keeps a fictional referral from ever being written to somebody's real account.
"""

import os
from collections.abc import Mapping, MutableMapping
from pathlib import Path

REGION = "us-east-1"
_OF_THE_PERSON = ("AWS_", "BOTO_", "COGNITO_", "DYNAMODB_", "SES_")
_PROXIES = {"http_proxy", "https_proxy", "all_proxy", "no_proxy", "ftp_proxy"}

# What every AWS library here is told instead.
_DUMMIES = {
    "AWS_ACCESS_KEY_ID": "local",
    "AWS_SECRET_ACCESS_KEY": "local",
    "AWS_DEFAULT_REGION": REGION,
    "AWS_REGION": REGION,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
}


def remove_personal_settings(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment less every credential, profile, proxy and endpoint in it."""
    return {
        name: value
        for name, value in environ.items()
        if not name.upper().startswith(_OF_THE_PERSON) and name.lower() not in _PROXIES
    }


def build_product_environment(endpoint: str) -> dict[str, str]:
    """How the product reaches the local cloud, and nothing else."""
    return _DUMMIES | {
        "AWS_ENDPOINT_URL": endpoint,
        # Only Lambda reads metrics, and several requests share this process.
        "POWERTOOLS_METRICS_DISABLED": "true",
    }


def build_cloud_environment(data_dir: Path, *, enforce_policies: bool) -> dict[str, str]:
    """The whole environment of the local cloud's process: nothing is inherited but PATH."""
    scratch = str(data_dir / "tmp")
    return _DUMMIES | {
        "PATH": os.defpath,
        "HOME": scratch,
        "LANG": "C.UTF-8",
        "LOG_LEVEL": "WARNING",
        "PERSIST_STATE": "1",
        "AUTH": str(enforce_policies).lower(),
        # Each of these would listen on every interface, whatever BIND_HOST says.
        "BIND_HOST": "127.0.0.1",
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        # It would tidy up the containers of a daemon that it finds.
        "DOCKER_HOST": "unix:///nowhere",
        "MINISTACK_REGION": REGION,
        "S3_DATA_DIR": scratch,
    }


def apply_environment(settings: Mapping[str, str], environ: MutableMapping[str, str] = os.environ) -> None:
    """Make this process, and what it starts, run under these settings alone."""
    kept = remove_personal_settings(environ)
    for name in set(environ) - set(kept):
        del environ[name]
    environ.update(settings)
