"""Which parameters a deployment sends, and which values the template will have."""

from collections.abc import Iterator, Mapping
from typing import Any

from infra.deployments import DeployError

Template = Mapping[str, Any]

NOT_KEPT = frozenset({"Commit"})
"""Each template has its own value, so the previous one must not be used."""


def require_declared(arguments: Mapping[str, str], template: Template) -> None:
    """Refuse a parameter that the template does not have.

    Raises:
        DeployError: a name is misspelled, or belongs to another release.
    """
    unknown = sorted(arguments.keys() - template["Parameters"].keys())
    if unknown:
        raise DeployError(
            f"The template has no parameter {', '.join(unknown)}. It has: {', '.join(sorted(template['Parameters']))}."
        )


def build_parameters(
    arguments: Mapping[str, str], existing: Mapping[str, str], template: Template
) -> Iterator[dict[str, Any]]:
    """Build the parameters of a change set: those given, and the others with their previous value.

    A parameter that the template does not declare is not sent, because CloudFormation refuses it. Therefore an earlier
    release, which has fewer parameters, can be deployed again.
    """
    for key, value in arguments.items():
        yield {"ParameterKey": key, "ParameterValue": value}
    for key in sorted((existing.keys() & template["Parameters"].keys()) - arguments.keys() - NOT_KEPT):
        yield {"ParameterKey": key, "UsePreviousValue": True}


def resolve_values(arguments: Mapping[str, str], existing: Mapping[str, str], template: Template) -> dict[str, str]:
    """Compute the value that each parameter of the template will have. One without a value is left out."""
    defaults = {
        name: str(declared["Default"]) for name, declared in template["Parameters"].items() if "Default" in declared
    }
    kept = {name: value for name, value in existing.items() if name not in NOT_KEPT}
    values = defaults | kept | dict(arguments)
    return {name: value for name, value in values.items() if name in template["Parameters"]}
