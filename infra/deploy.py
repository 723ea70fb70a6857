"""Deploys `dist/` to AWS: `python -m infra.deploy --help`.

It refuses what would lose data, shows all changes before it applies them, and protects the stack afterwards.
What an earlier stack left behind (tables, files, logs, the key, the user pool) is taken over with `--adopt`.
"""

import argparse
import datetime as dt
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError, WaiterError
from botocore.session import Session

from infra.bundle import BUNDLES, TEMPLATE, template
from infra.commit import ROOT
from infra.deployments import DeployError
from infra.deployments.domains import close_default_address, list_sender_problems, must_close_default_address
from infra.deployments.existing import adopt, find_existing_data, list_prefixes
from infra.deployments.guards import DeploymentPlan, list_refusals, list_replacements, list_template_problems
from infra.deployments.parameters import build_parameters, require_declared, resolve_values
from infra.deployments.protection import build_tags, protect_stack
from infra.deployments.static_names import list_kept_names, write_names
from infra.setting_outputs import is_setting_output

_NO_CHANGES_REASONS = ("didn't contain changes", "No updates are to be performed")
WAITER_CONFIG = {"Delay": 5, "MaxAttempts": 720}
_FAILED_FIRST_TIME = "ROLLBACK_COMPLETE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """What the operator said that this deployment is.

    Attributes:
        is_new: It creates a deployment with empty tables.
        adopts: It creates a stack that takes over existing tables.
        tags: Tags of the stack, in addition to the product's own.
    """

    is_new: bool = False
    adopts: bool = False
    tags: Mapping[str, str] = field(default_factory=dict)


_UPDATE = Intent()


@dataclass(frozen=True, slots=True)
class DeployedStack:
    """One deployment of the product, and the S3 bucket for its artifacts."""

    session: Session
    name: str
    bucket: str

    def create_change_set(self, dist: Path, parameters: Mapping[str, str], intent: Intent = _UPDATE) -> str | None:
        """Upload the files that `infra.bundle` wrote, and create a change set for them.

        Args:
            dist: The folder with the bundle and the template.
            parameters: Template parameters. The others keep their values.
            intent: Whether a new stack may be created, and may take over tables.

        Returns:
            The ID of the change set. None if nothing would change.

        Raises:
            DeployError: it would lose data, or the stack cannot be updated in its current state.
        """
        packaged: template.Template = json.loads((dist / TEMPLATE).read_text("utf-8"))
        require_declared(parameters, packaged)
        stack = self._describe_live_stack()
        existing = _read_parameters(stack or {})
        values = resolve_values(parameters, existing, packaged) | {"AWS::AccountId": self._get_account_id()}
        if stack is None:
            parameters = {**self._prepare_new(packaged, parameters, values, intent), **parameters}
            values |= parameters
        else:
            self._refuse(list_refusals(self._plan(values, intent, before=existing)))
            self._refuse(list_template_problems(self._get_template(), packaged))
            self._refuse(list_sender_problems(self.session, existing, values))
        write_names(packaged, values)
        _publish_settings(packaged, values)
        response = self._client.create_change_set(
            StackName=self.name,
            ChangeSetName=f"deploy-{dt.datetime.now(dt.UTC):%Y%m%d%H%M%S%f}",
            ChangeSetType="CREATE" if stack is None else "UPDATE",
            TemplateURL=self._upload(dist, packaged),
            Parameters=list(build_parameters(parameters, existing, packaged)),
            Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
            Tags=build_tags(intent.tags, _read_tags(stack), prefix=values["Prefix"]),
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
        self._refuse(list_replacements(self._describe_change_set(change_set)["Changes"]))
        return change_set

    def _prepare_new(
        self, packaged: template.Template, parameters: Mapping[str, str], values: Mapping[str, str], intent: Intent
    ) -> Mapping[str, str]:
        """Check a deployment without a stack. Return the parameters with which it takes over what exists."""
        names = list_kept_names(packaged, values)
        tables = [names[name] for name in template.list_resources_of_type(packaged, "AWS::DynamoDB::Table")]
        plan = self._plan(values, intent, tables=tables)
        self._refuse(list_refusals(plan))
        if self._get_status() == _FAILED_FIRST_TIME:
            self._client.delete_stack(StackName=self.name)
            self._wait("stack_delete_complete", StackName=self.name)
        return adopt(self.session, plan.existing, prefix=values["Prefix"], given=parameters) if plan.existing else {}

    def _plan(
        self,
        values: Mapping[str, str],
        intent: Intent,
        *,
        before: Mapping[str, str] | None = None,
        tables: list[str] | None = None,
    ) -> DeploymentPlan:
        is_new = before is None
        return DeploymentPlan(
            stack=self.name,
            before=before,
            after=values,
            may_create=intent.is_new,
            may_adopt=intent.adopts,
            existing=find_existing_data(self.session, tables or [], prefix=values["Prefix"]) if is_new else None,
            prefixes=list_prefixes(self.session) if is_new else (),
        )

    @staticmethod
    def _refuse(reasons: Iterator[str]) -> None:
        text = "\n".join(reasons)
        if text:
            raise DeployError(text)

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
        before = _read_parameters(self._describe_stack())
        self._client.execute_change_set(ChangeSetName=change_set)
        try:
            self._wait(f"stack_{kind}_complete", StackName=self.name)
        except WaiterError as error:
            raise DeployError("\n".join([self._get_status(), *self._list_failures()])) from error
        stack = self._describe_stack()
        parameters = _read_parameters(stack)
        outputs = {output["OutputKey"]: str(output["OutputValue"]) for output in stack["Outputs"]}
        if kind == "update" and must_close_default_address(before, parameters):
            close_default_address(self.session, outputs["RestAPIId"])
        if parameters["Deployment"] == "production":
            protect_stack(self._client, self.name)
        return outputs

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

    def _describe_live_stack(self) -> dict[str, Any] | None:
        """Describe the stack. None if it was never created, or its first deployment failed."""
        if self._get_status() in {"", "REVIEW_IN_PROGRESS", _FAILED_FIRST_TIME}:
            return None
        return self._describe_stack()

    def _get_template(self) -> template.Template:
        """Return the template of the stack, as it was uploaded."""
        body = self._client.get_template(StackName=self.name, TemplateStage="Original")["TemplateBody"]
        found: template.Template = json.loads(body) if isinstance(body, str) else body
        return found

    def _get_account_id(self) -> str:
        sts: Any = self.session.create_client("sts")
        return str(sts.get_caller_identity()["Account"])

    def _upload(self, dist: Path, packaged: template.Template) -> str:
        """Upload all files to the bucket, named by their content hash. Return the template's address."""
        bundles = {name: (dist / name).read_bytes() for name in BUNDLES}
        for function in template.list_resources_of_type(packaged, "AWS::Serverless::Function").values():
            name = function["Properties"]["CodeUri"].removeprefix("./")
            function["Properties"]["CodeUri"] = f"s3://{self.bucket}/{_build_object_key(bundles[name], name)}"
        template_content = template.to_json(packaged).encode()
        s3: Any = self.session.create_client("s3")
        for name, content in (*bundles.items(), (TEMPLATE, template_content)):
            s3.put_object(Bucket=self.bucket, Key=_build_object_key(content, name), Body=content)
        return f"{s3.meta.endpoint_url}/{self.bucket}/{_build_object_key(template_content, TEMPLATE)}"


def _publish_settings(packaged: template.Template, values: Mapping[str, str]) -> None:
    """Let functions get a new version when a parameter changes. Its alias would keep the settings of the old one.

    The logical name of a version depends on the template and not on the values of parameters.
    """
    text = json.dumps(dict(values), sort_keys=True)
    variables = packaged["Globals"]["Function"]["Environment"]["Variables"]
    variables["SETTINGS_DIGEST"] = hashlib.sha256(text.encode()).hexdigest()[:16]


def _read_parameters(stack: Mapping[str, Any]) -> dict[str, str]:
    return {each["ParameterKey"]: each["ParameterValue"] for each in stack.get("Parameters", ())}


def _read_tags(stack: Mapping[str, Any] | None) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in (stack or {}).get("Tags", ())}


def _build_object_key(content: bytes, name: str) -> str:
    return f"{hashlib.sha256(content).hexdigest()}/{name}"


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
    parser.add_argument("--new", action="store_true", help="create a deployment with empty tables")
    parser.add_argument(
        "--adopt", action="store_true", help="create a stack for the tables, files, key and user pool that exist"
    )
    parser.add_argument(
        "--tag", action="append", default=[], type=_parse_parameter, metavar="KEY=VALUE", help="tag of the stack"
    )
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
        intent = Intent(is_new=arguments.new, adopts=arguments.adopt, tags=dict(arguments.tag))
        change_set = stack.create_change_set(arguments.dist, dict(arguments.parameters), intent)
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
