"""Protects a stack in production: against its deletion, and against updates that replace or delete what holds data."""

import json
from collections.abc import Mapping
from typing import Any

_STATEFUL_TYPES = (
    "AWS::Cognito::UserPool",
    "AWS::DynamoDB::Table",
    "AWS::KMS::Key",
    "AWS::S3::Bucket",
)

STACK_POLICY = json.dumps(
    {
        "Statement": [
            {"Effect": "Allow", "Principal": "*", "Action": "Update:*", "Resource": "*"},
            {
                "Effect": "Deny",
                "Principal": "*",
                "Action": ["Update:Delete", "Update:Replace"],
                "Resource": "*",
                "Condition": {"StringEquals": {"ResourceType": list(_STATEFUL_TYPES)}},
            },
        ]
    }
)
"""Refuses an update that would replace or delete a table, bucket, key or user pool, no matter who starts it."""


def protect_stack(client: Any, stack: str) -> None:
    """Turn on termination protection, and set the stack policy. Does nothing that is done already."""
    client.update_termination_protection(StackName=stack, EnableTerminationProtection=True)
    client.set_stack_policy(StackName=stack, StackPolicyBody=STACK_POLICY)


def build_tags(given: Mapping[str, str], existing: Mapping[str, str], *, prefix: str) -> list[dict[str, str]]:
    """Build the tags of the stack, which AWS copies to its resources, for example for a bill per deployment."""
    own = {"application": "cart-referrals", "deployment": prefix.removesuffix("-")}
    return [{"Key": key, "Value": value} for key, value in (dict(existing) | dict(given) | own).items()]
