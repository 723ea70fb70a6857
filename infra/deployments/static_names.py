"""Writes the names of what outlives a stack as plain text.

CloudFormation takes over an existing resource (`ImportExistingResources`) only if its name in the template is a
literal. In the template of `make package` the names depend on parameters; a deployment knows their values.
"""

import re
from collections.abc import Mapping
from typing import Any

Template = dict[str, Any]

NAME_PROPERTIES = {
    "AWS::DynamoDB::Table": "TableName",
    "AWS::Logs::LogGroup": "LogGroupName",
    "AWS::S3::Bucket": "BucketName",
    "AWS::SES::EmailIdentity": "EmailIdentity",
}
"""The property with the name, for each type of resource that outlives its stack and has a name."""

_VARIABLE = re.compile(r"\$\{([^}]+)\}")


def list_kept_names(template: Template, values: Mapping[str, str]) -> dict[str, str]:
    """Return the names of the resources that outlive the stack, by logical name.

    Args:
        template: The template, with or without plain names.
        values: The values of its parameters, and of `AWS::AccountId`.
    """
    return {
        name: evaluate(resource["Properties"][NAME_PROPERTIES[resource["Type"]]], values)
        for name, resource in template["Resources"].items()
        if resource.get("DeletionPolicy") == "Retain" and resource.get("Type") in NAME_PROPERTIES
    }


def write_names(template: Template, values: Mapping[str, str]) -> None:
    """Replace the names of the resources that outlive the stack by plain text."""
    for name, text in list_kept_names(template, values).items():
        resource = template["Resources"][name]
        resource["Properties"][NAME_PROPERTIES[resource["Type"]]] = text


def evaluate(node: Any, values: Mapping[str, str]) -> str:
    """Evaluate an expression that depends on parameters only, as CloudFormation does.

    Raises:
        ValueError: it is of another kind.
    """
    match node:
        case str():
            return node
        case {"Ref": str() as name}:
            return values[name]
        case {"Fn::Sub": str() as text}:
            return _VARIABLE.sub(lambda found: values[found.group(1)], text)
        case {"Fn::Select": [int() as index, {"Fn::Split": [str() as separator, inner]}]}:
            return evaluate(inner, values).split(separator)[index]
    raise ValueError(f"not a name: {node}")
