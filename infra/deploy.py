"""Deploy `dist/` to AWS: `python -m infra.deploy --help`.

Shows what would change before it changes anything. Tables and logs that an earlier stack left
behind under the same names are taken over, since the template never deletes them.
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

from infra.bundle import BUNDLE, ROOT, TEMPLATE, template

_NOTHING_CHANGES = ("didn't contain changes", "No updates are to be performed")
WAITER_CONFIG = {"Delay": 5, "MaxAttempts": 720}


class DeployError(Exception):
    """AWS refused it, or it failed and was rolled back. The text is for a person."""


@dataclass(frozen=True, slots=True)
class DeployedStack:
    """One deployment of the product, and the bucket that its artifacts are uploaded to."""

    session: Session
    name: str
    bucket: str

    def create_change_set(self, dist: Path, parameters: Mapping[str, str]) -> str | None:
        """Upload what `infra.bundle` wrote and create a change set for it.

        Args:
            dist: The folder with the bundle and the template.
            parameters: Of the template. Those left out stay as they are.

        Returns:
            The change set's id; None when nothing would change.

        Raises:
            DeployError: it cannot be deployed, at all or on what is there.
        """
        kept = self._list_kept_parameters()
        made = self._get_client.create_change_set(
            StackName=self.name,
            ChangeSetName=f"deploy-{dt.datetime.now(dt.UTC):%Y%m%d%H%M%S%f}",
            ChangeSetType="CREATE" if kept is None else "UPDATE",
            TemplateURL=self._upload(dist),
            Parameters=list(_build_parameters(parameters, kept or ())),
            Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
            ImportExistingResources=True,
        )
        change_set = str(made["Id"])
        try:
            self._wait("change_set_create_complete", ChangeSetName=change_set)
        except WaiterError as error:
            why = str(self._describe_change_set(change_set).get("StatusReason"))
            if any(words in why for words in _NOTHING_CHANGES):
                return None
            raise DeployError(why) from error
        return change_set

    def list_changes(self, change_set: str) -> Iterator[str]:
        """Say in a line each what a change set would do."""
        for change in self._describe_change_set(change_set)["Changes"]:
            resource = change["ResourceChange"]
            replaced = " (replaced)" if resource.get("Replacement") == "True" else ""
            kind, name = resource["ResourceType"], resource["LogicalResourceId"]
            yield f"{resource['Action']:8}{name}  {kind}{replaced}"

    def execute_change_set(self, change_set: str) -> dict[str, str]:
        """Carry out a change set and return the stack's outputs."""
        kind = "create" if self._get_status() == "REVIEW_IN_PROGRESS" else "update"
        self._get_client.execute_change_set(ChangeSetName=change_set)
        try:
            self._wait(f"stack_{kind}_complete", StackName=self.name)
        except WaiterError as error:
            raise DeployError("\n".join([self._get_status(), *self._list_failures()])) from error
        outputs = self._describe_stack()["Outputs"]
        return {output["OutputKey"]: output["OutputValue"] for output in outputs}

    def _list_failures(self) -> Iterator[str]:
        """Why resources failed, the first of which is the cause."""
        events = self._get_client.describe_stack_events(StackName=self.name)["StackEvents"]
        for event in reversed(events):
            if event["ResourceStatus"].endswith("_FAILED"):
                yield f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason')}"

    @property
    def _get_client(self) -> Any:
        return self.session.create_client("cloudformation")

    def _wait(self, for_what: str, **whom: str) -> None:
        self._get_client.get_waiter(for_what).wait(**whom, WaiterConfig=WAITER_CONFIG)

    def _describe_change_set(self, change_set: str) -> dict[str, Any]:
        pages = self._get_client.get_paginator("describe_change_set")
        described: dict[str, Any] = pages.paginate(ChangeSetName=change_set).build_full_result()
        return described

    def _describe_stack(self) -> dict[str, Any]:
        stack: dict[str, Any] = self._get_client.describe_stacks(StackName=self.name)["Stacks"][0]
        return stack

    def _get_status(self) -> str:
        """The stack's status; empty when there is none."""
        try:
            return str(self._describe_stack()["StackStatus"])
        except ClientError as error:
            if "does not exist" not in str(error):
                raise
            return ""

    def _list_kept_parameters(self) -> list[str] | None:
        """Which parameters the stack has a value for; None before it was ever created."""
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
        """Put both files into the bucket, named by their content; the template's address."""
        bundle = (dist / BUNDLE).read_bytes()
        packaged = json.loads((dist / TEMPLATE).read_text("utf-8"))
        for function in template.list_resources_of_type(packaged, "AWS::Serverless::Function").values():
            function["Properties"]["CodeUri"] = f"s3://{self.bucket}/{_build_object_key(bundle, BUNDLE)}"
        described = template.to_json(packaged).encode()
        s3: Any = self.session.create_client("s3")
        for name, content in ((BUNDLE, bundle), (TEMPLATE, described)):
            s3.put_object(Bucket=self.bucket, Key=_build_object_key(content, name), Body=content)
        return f"{s3.meta.endpoint_url}/{self.bucket}/{_build_object_key(described, TEMPLATE)}"


def _build_object_key(content: bytes, name: str) -> str:
    return f"{hashlib.sha256(content).hexdigest()}/{name}"


def _build_parameters(arguments: Mapping[str, str], kept_names: Iterable[str]) -> Iterator[dict[str, Any]]:
    for key, value in arguments.items():
        yield {"ParameterKey": key, "ParameterValue": value}
    # The revision comes with each template and is never an operator's to keep.
    for key in set(kept_names) - arguments.keys() - {"Commit"}:
        yield {"ParameterKey": key, "UsePreviousValue": True}


def _parse_parameter(stated: str) -> tuple[str, str]:
    name, separator, value = stated.partition("=")
    if not separator:
        raise argparse.ArgumentTypeError(f"{stated!r} is not NAME=VALUE")
    return name, value


def main() -> None:
    """Show the changes, ask, and carry them out."""
    parser = argparse.ArgumentParser(prog="python -m infra.deploy", description=__doc__)
    parser.add_argument("--stack", default="cart-referrals")
    parser.add_argument("--bucket", required=True, help="for the bundle; in the stack's region")
    parser.add_argument("--dist", type=Path, default=ROOT / "dist", help="default: dist")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.add_argument("parameters", nargs="*", type=_parse_parameter, metavar="NAME=VALUE")
    arguments = parser.parse_args()
    stack = DeployedStack(Session(), arguments.stack, arguments.bucket)
    try:
        change_set = stack.create_change_set(arguments.dist, dict(arguments.parameters))
        if change_set is None:
            parser.exit(0, "Nothing changes.\n")
        print(*stack.list_changes(change_set), sep="\n")
        if not arguments.yes and input("Go ahead? [y/N] ").strip().lower() != "y":
            parser.exit(1, "Nothing was changed.\n")
        for name, value in stack.execute_change_set(change_set).items():
            print(f"{name} = {value}")
    except (DeployError, BotoCoreError, ClientError) as error:
        parser.exit(1, f"{error}\n")


if __name__ == "__main__":
    main()
