"""Lets several deployments in one account and region send from one email domain.

Amazon SES has one identity for a domain. The first deployment creates it; the others use it
(`CreateMailIdentity=false`). An identity that was verified before a change of `MailFrom` is used in the same way.
"""

from typing import Any

Template = dict[str, Any]

_PARAMETER, _CONDITION, _IDENTITY = "CreateMailIdentity", "CreatesMailIdentity", "MailIdentity"
_DOMAIN: Template = {"Fn::Select": [1, {"Fn::Split": ["@", {"Ref": "MailFrom"}]}]}


def add_mail_identity(template: Template) -> None:
    """Add the parameter, and let permissions name the domain instead of the identity that the stack created."""
    template["Resources"] = _name_domain(template["Resources"])
    template["Resources"][_IDENTITY]["Condition"] = _CONDITION
    template["Parameters"][_PARAMETER] = {
        "Type": "String",
        "Default": "true",
        "AllowedValues": ["true", "false"],
        "Description": "Set this to false if the SES identity of MailFrom's domain exists already.",
    }
    template["Conditions"][_CONDITION] = {"Fn::Equals": [{"Ref": _PARAMETER}, "true"]}


def _name_domain(node: Any) -> Any:
    match node:
        case {"Fn::Sub": str() as text} if f"${{{_IDENTITY}}}" in text:
            return {"Fn::Sub": [text.replace(f"${{{_IDENTITY}}}", "${MailDomain}"), {"MailDomain": _DOMAIN}]}
        case dict():
            return {key: _name_domain(value) for key, value in node.items()}
        case list():
            return [_name_domain(value) for value in node]
    return node
