"""Mistakes that would lose data, or let the product run on empty tables. Each is refused with what to do instead."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from infra.bundle.existing import KEY_PARAMETER
from infra.deployments.existing import ExistingData
from infra.deployments.index_rules import EXPLANATION, list_index_problems

Template = Mapping[str, Any]

_NEVER_CHANGED = ("Prefix", "Deployment")
_KEPT_TYPES = ("AWS::DynamoDB::Table", "AWS::KMS::Key", "AWS::S3::Bucket", "AWS::Cognito::UserPool")
"""Types of resources that hold what cannot be made again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentPlan:
    """What is about to be deployed.

    Attributes:
        stack: The name of the stack.
        before: The parameters of the stack; None if there is none yet.
        after: The values of all parameters of the template.
        may_create: Whether the operator said that this is a new deployment.
        may_adopt: Whether the operator said that it takes over existing tables.
        existing: The tables with the names of the template, if there is no stack.
        prefixes: The deployments in the account and region, if there is no stack.
    """

    stack: str
    before: Mapping[str, str] | None
    after: Mapping[str, str]
    may_create: bool
    may_adopt: bool
    existing: ExistingData | None
    prefixes: Sequence[str]


def list_refusals(plan: DeploymentPlan) -> Iterator[str]:
    """List why a plan must not be carried out; nothing if it can be."""
    if plan.before is None:
        yield from _list_refusals_of_new_stack(plan)
        return
    for name in _NEVER_CHANGED:
        old = plan.before.get(name)
        if old is not None and old != plan.after[name]:
            yield _explain_fixed(name, old, plan.after[name])
    key_before = plan.before.get(KEY_PARAMETER, "")
    if key_before and plan.after.get(KEY_PARAMETER, key_before) != key_before:
        yield f"{KEY_PARAMETER} cannot change: the rows are encrypted with {key_before}."


def _explain_fixed(name: str, old: str, new: str) -> str:
    if name == "Prefix":
        return (
            f"Prefix cannot change from {old} to {new}: the product would run on empty tables, and no one would see "
            "a referral. Deploy another stack (--stack) for another prefix."
        )
    return (
        f"Deployment cannot change from {old} to {new}: a local deployment has no protection of its tables, no "
        "malware scan and no record of bounced email. Deploy another stack for tests."
    )


def _list_refusals_of_new_stack(plan: DeploymentPlan) -> Iterator[str]:
    prefix, existing = plan.after["Prefix"], plan.existing
    if existing and existing.stack:
        yield (
            f"The tables {prefix}* belong to the stack {existing.stack}. Update it with --stack {existing.stack}, or "
            "choose another Prefix for a second deployment."
        )
    elif existing and existing.is_protected and plan.after["Deployment"] == "local":
        yield (
            f"The tables {prefix}* are protected, so they are of a live deployment. A local deployment must not take "
            "them over."
        )
    elif existing and not plan.may_adopt:
        yield (
            f"{len(existing.tables)} tables {prefix}* of an earlier stack exist. With a new key no row in them could "
            "be read. To take them over with their key, user pool, files and logs, deploy with --adopt."
        )
    elif not existing and plan.may_adopt:
        yield f"There are no tables {prefix}* to adopt.{_list_others(plan.prefixes)}"
    elif not existing and not plan.may_create:
        yield (
            f"There is no stack {plan.stack}, so this would be a new deployment with empty tables {prefix}*."
            f"{_list_others(plan.prefixes)} If it is meant to be new, deploy with --new."
        )


def _list_others(prefixes: Sequence[str]) -> str:
    if not prefixes:
        return " There is no other deployment in this account and region."
    return f" In this account and region there are tables of: {', '.join(prefixes)}."


def list_template_problems(before: Template, after: Template) -> Iterator[str]:
    """List what CloudFormation would refuse in the middle of an update of the tables."""
    problems = list(list_index_problems(before, after))
    yield from problems
    if problems:
        yield EXPLANATION


def list_replacements(changes: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """List the changes of a change set that would put an empty resource in the place of one with data."""
    for change in changes:
        resource = change["ResourceChange"]
        if resource["ResourceType"] not in _KEPT_TYPES:
            continue
        name = f"{resource['LogicalResourceId']} ({resource['ResourceType']})"
        if resource["Action"] == "Modify" and resource.get("Replacement") == "True":
            yield f"{name} would be replaced by an empty one."
