"""Removes files that a Lambda function never reads.

Every cold start unpacks and searches the bundle, and botocore alone contains the descriptions of more
than 400 services. This module lists by name what it removes. The deployment test runs the result.
"""

import gzip
import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

KEPT_AWS_SERVICES = ("cognito-idp", "dynamodb", "events", "kms", "lambda", "s3", "secretsmanager", "sesv2")

KEPT_OPERATIONS: Mapping[str, frozenset[str]] = {
    "cognito-idp": frozenset(
        {
            "AdminCreateUser",
            "AdminDeleteUser",
            "AdminGetUser",
            "AdminUserGlobalSignOut",
            "AssociateSoftwareToken",
            "ChangePassword",
            "ConfirmForgotPassword",
            "ForgotPassword",
            "GetUser",
            "GlobalSignOut",
            "InitiateAuth",
            "RespondToAuthChallenge",
            "SetUserMFAPreference",
            "VerifySoftwareToken",
        }
    ),
    "dynamodb": frozenset(
        {
            "BatchGetItem",
            "DeleteItem",
            "DescribeTable",
            "GetItem",
            "PutItem",
            "Query",
            "TransactWriteItems",
            "UpdateItem",
        }
    ),
    "events": frozenset({"PutEvents"}),
    "kms": frozenset({"Decrypt", "DescribeKey", "Encrypt", "GenerateDataKey", "ReEncrypt"}),
    "lambda": frozenset({"Invoke"}),
    # botocore itself sends HeadBucket, to find the region of a bucket after a redirect.
    "s3": frozenset({"CopyObject", "DeleteObject", "GetObject", "HeadBucket", "ListObjectVersions", "PutObject"}),
    "secretsmanager": frozenset({"GetSecretValue"}),
    "sesv2": frozenset({"GetAccount", "SendEmail"}),
}
"""The only operations of a service that the product calls, for services with many others."""

_PAGINATED = frozenset({"s3"})
"""The services whose lists the product reads with botocore's paginators."""

CHECK_AWS_SERVICES = ("events", "guardduty", "s3")
"""The services that the function that checks files uses."""

# Distributions that other packages require but the functions never import.
UNUSED_PACKAGES = frozenset({"boto3", "cffi", "pycparser", "s3transfer"})

# Modules that only lead from names of pydantic 1 to those of pydantic 2.
_OLD_NAMES_OF_PYDANTIC = (
    *("class_validators", "datetime_parse", "decorator", "env_settings", "error_wrappers", "generics", "json"),
    *("parse", "schema", "tools", "typing", "utils", "validators"),
)

# Features that the product does not use, sources of modules that are also compiled, and files that only
# a type checker or an installer reads.
_REMOVED = (
    "aws_lambda_powertools/event_handler",
    "aws_lambda_powertools/logging/formatters",
    "aws_lambda_powertools/logging/utils.py",
    "aws_lambda_powertools/metrics/provider/datadog",
    "aws_lambda_powertools/shared/cache_dict.py",
    "aws_lambda_powertools/shared/cookies.py",
    "aws_lambda_powertools/shared/dynamodb_deserializer.py",
    "aws_lambda_powertools/shared/headers_serializer.py",
    "aws_lambda_powertools/utilities/[!_j]*/",  # Everything except `jmespath_utils`.
    "annotated_types/test_cases.py",
    "bin",
    "botocore/crt/auth.py",
    "botocore/stub.py",
    "cryptography/fernet.py",
    "cryptography/hazmat/asn1",
    "cryptography/hazmat/primitives/hpke.py",
    "cryptography/hazmat/primitives/serialization/pkcs*.py",
    "cryptography/hazmat/primitives/twofactor",
    "cryptography/x509/ocsp.py",
    "dateutil/easter.py",
    "dateutil/tz/win.py",
    "dateutil/utils.py",
    "dateutil/zoneinfo",
    "icalendar/cli.py",
    "icalendar/tests",
    "icalendar/timezone/equivalent_timezone_ids.py",
    "joserfc/drafts",
    "pydantic/_internal/_decorators_v1.py",
    "pydantic/_internal/_validate_call.py",
    "pydantic/alias_generators.py",
    *(f"pydantic/{name}.py" for name in _OLD_NAMES_OF_PYDANTIC),
    "pydantic/color.py",
    "pydantic/deprecated/[!_]*.py",
    "pydantic/experimental",
    "pydantic/mypy.py",
    "pydantic/v1",
    "pydantic/validate_call_decorator.py",
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
# botocore writes its documentation when it creates a client. Empty docstrings work too, and they keep
# 16 modules and an HTML parser out of every cold start.
_EMPTY_DOCSTRINGS = """
class _EmptyDocstring(str):
    def __new__(cls, *_args, **_kwargs):
        return super().__new__(cls)

    def __init__(self, *_args, **_kwargs):
        pass


ClientMethodDocstring = WaiterDocstring = PaginatorDocstring = _EmptyDocstring
"""
# Vulnerability scanners read this file. They do not need the README in it.
_KEPT_METADATA = "METADATA"


class SlimError(Exception):
    """The layout of a dependency changed, so the list is out of date. The message is shown to the user."""


def remove_unused(site: Path) -> None:
    """Remove the files of an installed tree that the functions do not need.

    Raises:
        SlimError: a file to remove does not exist. It may have a new name and would ship unnoticed.
    """
    for pattern in _REMOVED:
        paths = list(site.glob(pattern))
        if not paths:
            raise SlimError(f"No file matches {pattern} anymore. Update infra/bundle/slim.py.")
        for path in paths:
            _remove(path)
    for info in site.glob("*.dist-info"):
        name = info.name.partition("-")[0].lower()
        if name in UNUSED_PACKAGES:
            _remove(site / name)
            _remove(info)
        else:
            _slim_metadata(info)
    _slim_botocore(site / "botocore")


def remove_unused_of_check(site: Path) -> None:
    """Remove what the function that checks files does not need."""
    for pattern in ("bin", "**/*.pyi", "**/*.typed", "lxml/includes", "lxml/isoschematron"):
        for path in site.glob(pattern):
            _remove(path)
    for info in site.glob("*.dist-info"):
        _slim_metadata(info)
    _slim_botocore(site / "botocore", kept=CHECK_AWS_SERVICES)


def remove_unused_of_packet(site: Path) -> None:
    """Remove what the function that sets PDFs does not need."""
    for pattern in ("bin", "**/*.pyi", "**/*.typed"):
        for path in site.glob(pattern):
            _remove(path)
    for info in site.glob("*.dist-info"):
        _slim_metadata(info)


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


def _slim_botocore(botocore: Path, *, kept: tuple[str, ...] = KEPT_AWS_SERVICES) -> None:
    docs, data = botocore / "docs", botocore / "data"
    for path in docs.iterdir():
        if path.name != "utils.py":  # botocore.handlers needs this module.
            _remove(path)
    (docs / "__init__.py").touch()
    (docs / "docstring.py").write_text(_EMPTY_DOCSTRINGS, encoding="utf-8")
    for service in (path for path in data.iterdir() if path.is_dir()):
        if service.name in kept:
            _slim_service(service)
        else:
            _remove(service)
    endpoints = data / "endpoints.json"
    _write(endpoints, _slim_endpoints(_read(endpoints), kept))
    _remove_comments(botocore / "cacert.pem")


def _remove_comments(certificates: Path) -> None:
    """Keep every root certificate, without its description: a fifth of the file are fingerprints in hexadecimal."""
    lines = certificates.read_text(encoding="utf-8").splitlines()
    kept = [line for line in lines if line and not line.startswith("#")]
    certificates.write_text("\n".join([*kept, ""]), encoding="utf-8")


def _slim_service(service: Path) -> None:
    """Keep the newest version of an API, without its documentation and examples."""
    *older, newest = sorted(service.iterdir())
    for version in older:
        _remove(version)
    operations = KEPT_OPERATIONS.get(service.name)
    unused = ("examples", "waiters") if service.name in _PAGINATED else ("examples", "paginators", "waiters")
    for path in sorted(newest.iterdir()):
        content = _read(path)
        path.unlink()
        if path.name.startswith(unused):
            continue
        if operations and path.name.startswith("service-2.json"):
            content = _keep_operations(content, operations)
        _write(newest / path.name.removesuffix(".gz"), _remove_documentation(content))


def _keep_operations(service: dict[str, Any], operations: frozenset[str]) -> dict[str, Any]:
    """Keep some operations of an API, and the shapes that they use."""
    kept = {name: operation for name, operation in service["operations"].items() if name in operations}
    if kept.keys() != operations:
        raise SlimError(f"Not in the API anymore: {sorted(operations - kept.keys())}. Update infra/bundle/slim.py.")
    shapes: dict[str, Any] = {}
    waiting = [*_list_shapes(kept)]
    while waiting:
        name = waiting.pop()
        if name not in shapes:
            shapes[name] = service["shapes"][name]
            waiting += _list_shapes(shapes[name])
    return {**service, "operations": kept, "shapes": shapes}


def _list_shapes(node: Any) -> Iterator[str]:
    """List the names of the shapes to which a description refers."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "shape" and isinstance(value, str):
                yield value
            else:
                yield from _list_shapes(value)
    elif isinstance(node, list):
        for value in node:
            yield from _list_shapes(value)


def _slim_endpoints(endpoints: dict[str, Any], kept: tuple[str, ...]) -> dict[str, Any]:
    for partition in endpoints["partitions"]:
        services = partition["services"]
        partition["services"] = {name: services[name] for name in kept if name in services}
    return endpoints


def _remove_documentation(node: Any) -> Any:
    """Remove documentation strings. A field with the name `documentation` has a value that is not a string."""
    if isinstance(node, dict):
        # botocore reads the documentation of these parameters of a client, so it stays.
        return {
            key: value if key == "clientContextParams" else _remove_documentation(value)
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
