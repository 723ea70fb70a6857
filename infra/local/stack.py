"""Creates tables, identities, keys, and mail settings in the local cloud, from production's template.

`infra/resources.json` defines all resources of production. This module creates only those that hold data,
with CloudFormation as in production. In a local run, the functions run in the process of this machine,
and their environment comes from the same template.
"""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from botocore.exceptions import ClientError, WaiterError
from botocore.session import get_session

Json: TypeAlias = dict[str, Any]

RESOURCES = Path(__file__).parents[1] / "resources.json"
STACK = "cart-local"
DATA_RESOURCE_PATTERN = re.compile(
    r"AWS::(DynamoDB|Cognito|KMS)::\w+|AWS::S3::Bucket|AWS::SES::(ConfigurationSet|EmailIdentity)"
)
_SUBSTITUTION = re.compile(r"\$\{([A-Za-z0-9]+)")
# A stack with one of these statuses was never completed, so it contains no data.
_INCOMPLETE_STATUSES = {"CREATE_IN_PROGRESS", "CREATE_FAILED", "ROLLBACK_COMPLETE", "ROLLBACK_FAILED"}


class StackError(Exception):
    """The local cloud could not load the template. The message is shown to the user."""


def build_data_template(resources: Json) -> Json:
    """Build the part of the template that holds data, with the functions' variables as outputs."""
    kept = {
        name: resource
        for name, resource in resources["Resources"].items()
        if DATA_RESOURCE_PATTERN.fullmatch(str(resource.get("Type", "")))
    }
    variables = resources["Globals"]["Function"]["Environment"]["Variables"]
    outputs = {_to_output_name(name): {"Value": value} for name, value in variables.items()}
    conditions = _list_referenced([kept, outputs], resources["Conditions"])
    parameters = _list_referenced([kept, outputs, conditions], resources["Parameters"])
    return {"Parameters": parameters, "Conditions": conditions, "Resources": kept, "Outputs": outputs}


def deploy(
    endpoint: str, *, public_url: str, mail_from: str, commit: str = "", mfa: str = "OPTIONAL"
) -> dict[str, str]:
    """Create the missing resources and update the changed ones. A second call changes nothing.

    `mfa` is the value of the parameter `Mfa`: whether people can or must use an authenticator app.

    Returns:
        The environment of the product's functions, as the template defines it.

    Raises:
        StackError: the local cloud rejected the template, or its effect on the existing data.
    """
    resources = json.loads(RESOURCES.read_text())
    template = build_data_template(resources)
    stack_parameters = {
        "AccountMail": "SES",
        "Commit": commit,
        "Deployment": "local",
        "IdentityEndpoint": endpoint,
        "MailFrom": mail_from,
        "Mfa": mfa,
        "PublicUrl": public_url,
        "StorageEndpoint": endpoint,
    }
    parameters = {name: value for name, value in stack_parameters.items() if name in template["Parameters"]}
    outputs = _LocalStack(endpoint).create_or_update(template, parameters)
    variables = resources["Globals"]["Function"]["Environment"]["Variables"]
    return {name: outputs.get(_to_output_name(name), "") for name in variables}


class _LocalStack:
    def __init__(self, endpoint: str) -> None:
        self._client: Any = get_session().create_client("cloudformation", endpoint_url=endpoint)

    def create_or_update(self, template: Json, parameters: Mapping[str, str]) -> dict[str, str]:
        """Create or update the stack, and return its outputs."""
        arguments = {
            "StackName": STACK,
            "TemplateBody": json.dumps(template),
            "Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
        }
        try:
            self._create_or_update(arguments)
            return self._read_outputs()
        except (ClientError, WaiterError) as error:
            raise StackError(
                f"The local cloud could not load infra/resources.json ({error}). "
                "If the data folder comes from an older version, move it and start again."
            ) from error

    def _create_or_update(self, arguments: Json) -> None:
        status = self._get_status()
        if status in _INCOMPLETE_STATUSES:
            self._client.delete_stack(StackName=STACK)
            self._wait("stack_delete_complete")
        if status is None or status in _INCOMPLETE_STATUSES:
            self._client.create_stack(**arguments)
            self._wait("stack_create_complete")
            return
        try:
            self._client.update_stack(**arguments)
        except ClientError as error:
            if "No updates are to be performed" not in str(error):
                raise
        else:
            self._wait("stack_update_complete")

    def _get_status(self) -> str | None:
        try:
            return str(self._describe()["StackStatus"])
        except ClientError as error:
            if "does not exist" in str(error):
                return None
            raise

    def _describe(self) -> Json:
        stack: Json = self._client.describe_stacks(StackName=STACK)["Stacks"][0]
        return stack

    def _read_outputs(self) -> dict[str, str]:
        outputs = self._describe().get("Outputs", [])
        return {output["OutputKey"]: output["OutputValue"] for output in outputs}

    def _wait(self, waiter_name: str) -> None:
        waiter = self._client.get_waiter(waiter_name)
        waiter.wait(StackName=STACK, WaiterConfig={"Delay": 0.1, "MaxAttempts": 600})


def _to_output_name(variable: str) -> str:
    """Convert `KMS_KEY_ID` to `KmsKeyId`, because output names may contain only letters and digits."""
    return variable.title().replace("_", "")


def _list_referenced(users: list[Json], available: Mapping[str, Json]) -> Json:
    """Return the entries of `available` to which the users refer, directly or through other entries."""
    found: set[str] = set()
    referenced = set(_list_names(users))
    while new := referenced & available.keys() - found:
        found |= new
        referenced = set(_list_names([available[name] for name in new]))
    return {name: entry for name, entry in available.items() if name in found}


def _list_names(node: Any) -> Iterator[str]:
    """List every name to which an intrinsic function in the node refers."""
    if isinstance(node, list):
        for part in node:
            yield from _list_names(part)
    elif isinstance(node, dict):
        for key, value in node.items():
            yield from _list_names_in(key, value)
            yield from _list_names(value)


def _list_names_in(key: str, value: Any) -> Iterator[str]:
    if key in {"Ref", "Condition"} and isinstance(value, str):
        yield value
    elif key == "Fn::If":
        yield value[0]
    elif key == "Fn::Sub":
        yield from _SUBSTITUTION.findall(value if isinstance(value, str) else value[0])
