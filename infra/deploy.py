"""Deploys `dist/` to AWS: `python -m infra.deploy --help`.

It shows all changes before it applies them. If an earlier stack left tables and logs with the same names,
the new stack takes them over, because the template never deletes them.
"""

import argparse
import datetime as dt
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError, WaiterError
from botocore.session import Session

from infra.bundle import BUNDLES, TEMPLATE, template
from infra.commit import ROOT
from infra.setting_outputs import is_setting_output

_NO_CHANGES_REASONS = ("didn't contain changes", "No updates are to be performed")
WAITER_CONFIG = {"Delay": 5, "MaxAttempts": 720}


class DeployError(Exception):
    """AWS rejected the deployment, or it failed and was rolled back. The message is shown to the user."""


@dataclass(frozen=True, slots=True)
class DeployedStack:
    """One deployment of the product, and the S3 bucket for its artifacts."""

    session: Session
    name: str
    bucket: str

    def create_change_set(self, dist: Path, parameters: Mapping[str, str]) -> str | None:
        """Upload the files that `infra.bundle` wrote, and create a change set for them.

        Args:
            dist: The folder with the bundle and the template.
            parameters: Template parameters. The others keep their values.

        Returns:
            The ID of the change set. None if nothing would change.

        Raises:
            DeployError: the stack cannot be deployed, or cannot be updated in its current state.
        """
        existing = self._list_existing_parameters()
        response = self._client.create_change_set(
            StackName=self.name,
            ChangeSetName=f"deploy-{dt.datetime.now(dt.UTC):%Y%m%d%H%M%S%f}",
            ChangeSetType="CREATE" if existing is None else "UPDATE",
            TemplateURL=self._upload(dist),
            Parameters=list(_build_parameters(parameters, existing or ())),
            Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
            ImportExistingResources=True,
        )
        change_set = str(response["Id"])
        try:
            self._wait("change_set_create_complete", ChangeSetName=change_set)
        except WaiterError as error:
            reason = str(self._describe_change_set(change_set).get("StatusReason"))
            if any(text in reason for text in _NO_CHANGES_REASONS):
                return None
            raise DeployError(reason) from error
        return change_set

    def list_changes(self, change_set: str) -> Iterator[str]:
        """List what a change set would change, one line per resource."""
        for change in self._describe_change_set(change_set)["Changes"]:
            resource = change["ResourceChange"]
            replaced = " (replaced)" if resource.get("Replacement") == "True" else ""
            kind, name = resource["ResourceType"], resource["LogicalResourceId"]
            yield f"{resource['Action']:8}{name}  {kind}{replaced}"

    def execute_change_set(self, change_set: str) -> dict[str, str]:
        """Apply a change set and return the stack's outputs."""
        kind = "create" if self._get_status() == "REVIEW_IN_PROGRESS" else "update"
        self._client.execute_change_set(ChangeSetName=change_set)
        try:
            self._wait(f"stack_{kind}_complete", StackName=self.name)
        except WaiterError as error:
            raise DeployError("\n".join([self._get_status(), *self._list_failures()])) from error
        outputs = self._describe_stack()["Outputs"]
        return {output["OutputKey"]: output["OutputValue"] for output in outputs}

    def _list_failures(self) -> Iterator[str]:
        """List why resources failed. The first entry is the cause."""
        events = self._client.describe_stack_events(StackName=self.name)["StackEvents"]
        for event in reversed(events):
            if event["ResourceStatus"].endswith("_FAILED"):
                yield f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason')}"

    @property
    def _client(self) -> Any:
        return self.session.create_client("cloudformation")

    def _wait(self, waiter_name: str, **arguments: str) -> None:
        self._client.get_waiter(waiter_name).wait(**arguments, WaiterConfig=WAITER_CONFIG)

    def _describe_change_set(self, change_set: str) -> dict[str, Any]:
        pages = self._client.get_paginator("describe_change_set")
        description: dict[str, Any] = pages.paginate(ChangeSetName=change_set).build_full_result()
        return description

    def _describe_stack(self) -> dict[str, Any]:
        stack: dict[str, Any] = self._client.describe_stacks(StackName=self.name)["Stacks"][0]
        return stack

    def _get_status(self) -> str:
        """Return the stack's status. Empty if the stack does not exist."""
        try:
            return str(self._describe_stack()["StackStatus"])
        except ClientError as error:
            if "does not exist" not in str(error):
                raise
            return ""

    def _list_existing_parameters(self) -> list[str] | None:
        """List the parameters that have a value in the stack. None if the stack was never created."""
        status = self._get_status()
        if status == "ROLLBACK_COMPLETE":
            raise DeployError(
                f"The first deployment of {self.name} failed and left an empty stack. Delete it "
                f"(aws cloudformation delete-stack --stack-name {self.name}) and deploy again."
            )
        if status in {"", "REVIEW_IN_PROGRESS"}:
            return None
        return [parameter["ParameterKey"] for parameter in self._describe_stack().get("Parameters", ())]

    def _upload(self, dist: Path) -> str:
        """Upload all files to the bucket, named by their content hash. Return the template's address."""
        bundles = {name: (dist / name).read_bytes() for name in BUNDLES}
        packaged = json.loads((dist / TEMPLATE).read_text("utf-8"))
        for function in template.list_resources_of_type(packaged, "AWS::Serverless::Function").values():
            name = function["Properties"]["CodeUri"].removeprefix("./")
            function["Properties"]["CodeUri"] = f"s3://{self.bucket}/{_build_object_key(bundles[name], name)}"
        template_content = template.to_json(packaged).encode()
        s3: Any = self.session.create_client("s3")
        for name, content in (*bundles.items(), (TEMPLATE, template_content)):
            s3.put_object(Bucket=self.bucket, Key=_build_object_key(content, name), Body=content)
        return f"{s3.meta.endpoint_url}/{self.bucket}/{_build_object_key(template_content, TEMPLATE)}"


def _build_object_key(content: bytes, name: str) -> str:
    return f"{hashlib.sha256(content).hexdigest()}/{name}"


def _build_parameters(arguments: Mapping[str, str], existing: Iterable[str]) -> Iterator[dict[str, Any]]:
    for key, value in arguments.items():
        yield {"ParameterKey": key, "ParameterValue": value}
    # Each template has its own commit, so the previous value must not be used.
    for key in set(existing) - arguments.keys() - {"Commit"}:
        yield {"ParameterKey": key, "UsePreviousValue": True}


def _parse_parameter(argument: str) -> tuple[str, str]:
    name, separator, value = argument.partition("=")
    if not separator:
        raise argparse.ArgumentTypeError(f"{argument!r} must have the form NAME=VALUE")
    return name, value


def main() -> None:
    """Show the changes, ask for confirmation, and apply them."""
    parser = argparse.ArgumentParser(prog="python -m infra.deploy", description=__doc__)
    parser.add_argument("--stack", default="cart-referrals", help="name of the stack (default: cart-referrals)")
    parser.add_argument("--bucket", required=True, help="S3 bucket for the bundle, in the stack's region")
    parser.add_argument("--dist", type=Path, default=ROOT / "dist", help="folder of the bundle (default: dist)")
    parser.add_argument("--yes", action="store_true", help="apply without asking")
    parser.add_argument(
        "parameters",
        nargs="*",
        type=_parse_parameter,
        metavar="NAME=VALUE",
        help="template parameters; the others keep their values",
    )
    arguments = parser.parse_args()
    stack = DeployedStack(Session(), arguments.stack, arguments.bucket)
    try:
        change_set = stack.create_change_set(arguments.dist, dict(arguments.parameters))
        if change_set is None:
            parser.exit(0, "No changes.\n")
        print(*stack.list_changes(change_set), sep="\n")
        if not arguments.yes and input("Apply these changes? [y/N] ").strip().lower() != "y":
            parser.exit(1, "No changes made.\n")
        for name, value in stack.execute_change_set(change_set).items():
            if not is_setting_output(name):
                print(f"{name} = {value}")
    except (DeployError, BotoCoreError, ClientError) as error:
        parser.exit(1, f"{error}\n")


if __name__ == "__main__":
    main()
