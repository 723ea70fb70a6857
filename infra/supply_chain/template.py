"""Policies that every resource of the template must meet."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from infra.supply_chain.findings import ReviewFinding

Resource: TypeAlias = Mapping[str, Any]
_BLOCKED = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")
_ACTIONS_WITHOUT_RESOURCE = {"ses:GetAccount", "xray:PutTelemetryRecords", "xray:PutTraceSegments"}
"""Source: "Actions, resources, and condition keys" of X-Ray and SES v2 (read 2026-11)."""

_KEEPS_DATA = {"AWS::Cognito::UserPool", "AWS::DynamoDB::Table", "AWS::KMS::Key", "AWS::S3::Bucket"}


def check_template(root: Path) -> Iterator[ReviewFinding]:
    """Check the template and the policies of the functions."""
    yield from find_violations(json.loads((root / "infra/resources.json").read_text())["Resources"])
    for file in sorted((root / ".chalice").glob("policy-*.json")):
        for rule in _list_statement_violations(json.loads(file.read_text())):
            yield ReviewFinding("template", rule, file.name)


def find_violations(resources: Mapping[str, Resource]) -> Iterator[ReviewFinding]:
    """Find the resources that break a policy."""
    for name, resource in resources.items():
        for rule in _list_violations(name, resource, resources):
            yield ReviewFinding("template", rule, name)


def _list_violations(name: str, resource: Resource, resources: Mapping[str, Resource]) -> Iterator[str]:
    kind, properties = resource.get("Type"), resource.get("Properties", {})
    if kind in _KEEPS_DATA and resource.get("DeletionPolicy") != "Retain":
        yield "data-outlives-stack"
    if kind == "AWS::S3::Bucket":
        yield from _list_bucket_violations(name, properties, resources)
    elif kind == "AWS::DynamoDB::Table":
        yield from _list_table_violations(properties)
    elif kind == "AWS::KMS::Key" and properties.get("EnableKeyRotation") is not True:
        yield "key-rotates"
    elif kind == "AWS::Logs::LogGroup" and "RetentionInDays" not in properties:
        yield "logs-end"
    elif kind == "AWS::SNS::Topic" and "KmsMasterKeyId" not in properties:
        yield "topic-is-encrypted"
    elif kind == "AWS::SQS::Queue" and not {"KmsMasterKeyId", "SqsManagedSseEnabled"} & properties.keys():
        yield "queue-is-encrypted"
    elif kind == "AWS::Lambda::Url" or "FunctionUrlConfig" in properties:
        yield "no-function-url"
    yield from _list_statement_violations({} if kind == "AWS::KMS::Key" else properties)


def _list_bucket_violations(name: str, bucket: Resource, resources: Mapping[str, Resource]) -> Iterator[str]:
    blocked = bucket.get("PublicAccessBlockConfiguration", {})
    if not all(blocked.get(each) is True for each in _BLOCKED):
        yield "bucket-is-private"
    if "BucketEncryption" not in bucket:
        yield "bucket-is-encrypted"
    policies = [
        each["Properties"]["PolicyDocument"]
        for each in resources.values()
        if each.get("Type") == "AWS::S3::BucketPolicy" and each["Properties"]["Bucket"] == {"Ref": name}
    ]
    denied = [s for policy in policies for s in policy["Statement"] if s["Effect"] == "Deny"]
    if not any(s.get("Condition") == {"Bool": {"aws:SecureTransport": "false"}} for s in denied):
        yield "bucket-needs-tls"


def _list_table_violations(table: Resource) -> Iterator[str]:
    # A condition of the template is an object: tests of the template check what it is in production.
    if not table.get("PointInTimeRecoverySpecification", {}).get("PointInTimeRecoveryEnabled"):
        yield "table-has-backups"
    if not table.get("DeletionProtectionEnabled"):
        yield "table-is-protected"


def _list_statement_violations(node: Any) -> Iterator[str]:
    """List what IAM statements anywhere below allow too broadly."""
    if isinstance(node, list):
        for each in node:
            yield from _list_statement_violations(each)
    elif isinstance(node, dict):
        if node.get("Effect") == "Allow":
            if any(action == "*" or action.endswith(":*") for action in _to_list(node.get("Action", []))):
                yield "no-action-wildcard"
            if "*" in _to_list(node.get("Resource", [])) and not _is_without_resource(node):
                yield "no-resource-wildcard"
        for each in node.values():
            yield from _list_statement_violations(each)


def _is_without_resource(statement: Resource) -> bool:
    """Whether IAM supports no narrower resource for all actions of a statement."""
    return set(_to_list(statement.get("Action", []))) <= _ACTIONS_WITHOUT_RESOURCE


def _to_list(value: Any) -> list[str]:
    return [each for each in (value if isinstance(value, list) else [value]) if isinstance(each, str)]
