"""Take away what a Lambda function never reads.

Every start of a function unpacks and searches what ships, and botocore alone brings the
descriptions of more than four hundred services. What goes is listed here by name; the
deployment test runs what is left.
"""

import gzip
import json
import shutil
from pathlib import Path
from typing import Any

KEPT_AWS_SERVICES = ("cognito-idp", "dynamodb", "kms", "sesv2")

# Distributions that others require and the functions never import.
UNUSED_PACKAGES = frozenset({"boto3", "cffi", "pycparser", "s3transfer"})

# Features that nothing here uses, sources of what is there compiled, and what only a type
# checker or an installer reads.
_DROPPED = (
    "aws_lambda_powertools/event_handler",
    "aws_lambda_powertools/metrics/provider/datadog",
    "aws_lambda_powertools/utilities/[!_j]*/",  # All but `jmespath_utils`.
    "annotated_types/test_cases.py",
    "bin",
    "botocore/crt/auth.py",
    "botocore/stub.py",
    "cryptography/fernet.py",
    "dateutil/easter.py",
    "dateutil/tz/win.py",
    "dateutil/zoneinfo",
    "icalendar/cli.py",
    "icalendar/tests",
    "pydantic/color.py",
    "pydantic/deprecated/[!_]*.py",
    "pydantic/experimental",
    "pydantic/mypy.py",
    "pydantic/v1",
    "tzdata/zoneinfo/*.tab",
    "tzdata/zoneinfo/*.zi",
    "tzdata/zoneinfo/leap*",
    "urllib3/contrib/emscripten",
    "urllib3/contrib/pyopenssl.py",
    "urllib3/contrib/socks.py",
    "urllib3/http2/connection.py",
    "**/*.pyi",
    "**/*.typed",
)
# botocore writes its own manual while a client is made. Empty words do as well, and keep
# sixteen modules and an HTML parser out of every cold start.
_NO_MANUAL = """
class _NoWords(str):
    def __new__(cls, *_args, **_kwargs):
        return super().__new__(cls)

    def __init__(self, *_args, **_kwargs):
        pass


ClientMethodDocstring = WaiterDocstring = PaginatorDocstring = _NoWords
"""
# What a scanner for known weaknesses reads; a README in it is of no use to anyone.
_KEPT_METADATA = "METADATA"


class SlimError(Exception):
    """A dependency is no longer laid out as this list believes. The text is for a person."""


def remove_unused(site: Path) -> None:
    """Remove from an installed tree what the functions do not need.

    Raises:
        SlimError: something to remove is not there, so that its like may ship unnoticed.
    """
    for pattern in _DROPPED:
        found = list(site.glob(pattern))
        if not found:
            raise SlimError(f"Nothing matches {pattern} any more; see infra/bundle/slim.py.")
        for path in found:
            _remove(path)
    for info in site.glob("*.dist-info"):
        name = info.name.partition("-")[0].lower()
        if name in UNUSED_PACKAGES:
            _remove(site / name)
            _remove(info)
        else:
            _slim_metadata(info)
    _slim_botocore(site / "botocore")


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()


def _slim_metadata(info: Path) -> None:
    header, _, _readme = (info / _KEPT_METADATA).read_text(encoding="utf-8").partition("\n\n")
    _remove(info)
    info.mkdir()
    (info / _KEPT_METADATA).write_text(header + "\n", encoding="utf-8")


def _slim_botocore(botocore: Path) -> None:
    manual, data = botocore / "docs", botocore / "data"
    for path in manual.iterdir():
        if path.name != "utils.py":  # Which botocore.handlers needs.
            _remove(path)
    (manual / "__init__.py").touch()
    (manual / "docstring.py").write_text(_NO_MANUAL, encoding="utf-8")
    for service in (path for path in data.iterdir() if path.is_dir()):
        if service.name in KEPT_AWS_SERVICES:
            _slim_service(service)
        else:
            _remove(service)
    endpoints = data / "endpoints.json"
    _write(endpoints, _slim_endpoints(_read(endpoints)))


def _slim_service(service: Path) -> None:
    """Keep the newest version of an API, without its prose and examples."""
    *older, newest = sorted(service.iterdir())
    for version in older:
        _remove(version)
    for path in sorted(newest.iterdir()):
        content = _read(path)
        path.unlink()
        if not path.name.startswith("examples"):
            _write(newest / path.name.removesuffix(".gz"), _remove_documentation(content))


def _slim_endpoints(endpoints: dict[str, Any]) -> dict[str, Any]:
    for partition in endpoints["partitions"]:
        services = partition["services"]
        partition["services"] = {name: services[name] for name in KEPT_AWS_SERVICES if name in services}
    return endpoints


def _remove_documentation(node: Any) -> Any:
    """Drop documentation strings; a member that is called `documentation` is not a string."""
    if isinstance(node, dict):
        return {
            key: _remove_documentation(value)
            for key, value in node.items()
            if not (key == "documentation" and isinstance(value, str))
        }
    if isinstance(node, list):
        return [_remove_documentation(value) for value in node]
    return node


def _read(path: Path) -> Any:
    raw = path.read_bytes()
    return json.loads(gzip.decompress(raw) if path.suffix == ".gz" else raw)


def _write(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content, separators=(",", ":")), encoding="utf-8")
