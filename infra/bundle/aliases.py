"""Gives each function an alias, moves requests to a new version step by step, and back if an alarm fires.

Everything that runs a function names its alias `live`: API Gateway, schedules, streams, events, and other functions.
A deployment publishes a version and moves the alias to it. CodeDeploy moves the one of the API: first a part of the
requests, then the rest, and all of them back to the version before if one of the alarms fires in between. Jobs move at
once: a job runs once in its period, so a part of its runs would be a job that is skipped or repeated at random.
"""

from collections.abc import Mapping
from typing import Any

Template = dict[str, Any]

ALIAS = "live"
SHIFTED_FUNCTION = "APIHandler"
ROLLBACK_ALARMS = ("ApiErrors", "ApiRefusals", "ApiThrottles")
"""An alarm about the API that fires while requests move brings all of them back."""

SHIFT_PARAMETER, ROLLBACK_PARAMETER = "TrafficShift", "RollBackOnAlarm"

_SHIFTS = ("AllAtOnce", "Canary10Percent5Minutes", "Canary10Percent30Minutes", "Linear10PercentEvery1Minute")

_PARAMETERS: Template = {
    SHIFT_PARAMETER: {
        "Type": "String",
        "Default": "CodeDeployDefault.LambdaCanary10Percent5Minutes",
        "AllowedValues": [f"CodeDeployDefault.Lambda{shift}" for shift in _SHIFTS],
        "Description": "How requests move to a new version of the API: all at once, 10 percent first, or evenly.",
    },
    ROLLBACK_PARAMETER: {
        "Type": "String",
        "Default": "true",
        "AllowedValues": ["true", "false"],
        "Description": "Whether requests move back to the version before if an alarm of the API fires during the move.",
    },
}

_ROLLS_BACK = "RollsBackOnAlarm"


def add_aliases(template: Template, *, shifts_traffic: bool) -> None:
    """Publish a version of each function, and let everything that runs it name its alias.

    Args:
        template: The template; it is changed.
        shifts_traffic: Whether CodeDeploy moves the alias of the API. The local cloud has no CodeDeploy.
    """
    functions = {
        name: resource
        for name, resource in template["Resources"].items()
        if resource["Type"] == "AWS::Serverless::Function"
    }
    for function in functions.values():
        # All properties: an alias is a version with its settings, so a changed setting needs a new version too.
        function["Properties"] |= {"AutoPublishAlias": ALIAS, "AutoPublishAliasAllProperties": True}
    template["Resources"] = {
        name: _name_aliases(resource, functions) for name, resource in template["Resources"].items()
    }
    _name_packet_alias(template)
    if shifts_traffic:
        template["Parameters"] |= _PARAMETERS
        template["Conditions"][_ROLLS_BACK] = {"Fn::Equals": [{"Ref": ROLLBACK_PARAMETER}, "true"]}
        template["Resources"][SHIFTED_FUNCTION]["Properties"]["DeploymentPreference"] = {
            "Type": {"Ref": SHIFT_PARAMETER},
            "Alarms": {"Fn::If": [_ROLLS_BACK, [{"Ref": alarm} for alarm in ROLLBACK_ALARMS], []]},
        }


def _name_aliases(node: Any, functions: Mapping[str, Any]) -> Any:
    match node:
        case {"Fn::GetAtt": [str() as name, "Arn"]} if name in functions:
            return {"Ref": f"{name}.Alias"}
        case {"FunctionName": {"Ref": str() as name}, **rest} if name in functions:
            # A permission. An alarm names the function in a dimension, which counts all of its versions.
            return {"FunctionName": {"Ref": f"{name}.Alias"}} | {
                key: _name_aliases(value, functions) for key, value in rest.items()
            }
        case {"Fn::Sub": str() as text}:
            return _substitute(text, functions)
        case dict():
            return {key: _name_aliases(value, functions) for key, value in node.items()}
        case list():
            return [_name_aliases(value, functions) for value in node]
    return node


def _substitute(text: str, functions: Mapping[str, Any]) -> Template:
    """Replace `${Function.Arn}` in a text. SAM knows the alias of a function in `Ref` only."""
    variables = {}
    for name in functions:
        if f"${{{name}.Arn}}" in text:
            text = text.replace(f"${{{name}.Arn}}", f"${{{name}Alias}}")
            variables[f"{name}Alias"] = {"Ref": f"{name}.Alias"}
    return {"Fn::Sub": [text, variables]} if variables else {"Fn::Sub": text}


def _name_packet_alias(template: Template) -> None:
    variables = template["Globals"]["Function"]["Environment"]["Variables"]
    variables["PACKET_FUNCTION"] = {"Fn::Sub": f"${{Prefix}}packet-pdf:{ALIAS}"}
