"""Lets a stack use a data key and a user pool that exist already, for example after its predecessor was deleted.

A new key could not decrypt any stored row, and in a new pool no member could sign in. Neither has a name that
CloudFormation could use to find it again, so they are parameters. `python -m infra.deploy --adopt` finds and sets them.
"""

from typing import Any

Template = dict[str, Any]

KEY_PARAMETER, POOL_PARAMETER = "ExistingDataKey", "ExistingUserPool"

_PARAMETERS: Template = {
    KEY_PARAMETER: {
        "Type": "String",
        "Default": "",
        "AllowedPattern": "(arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+)?",
        "Description": "ARN of the KMS key with which the existing tables are encrypted. Empty: the stack has its own.",
    },
    POOL_PARAMETER: {
        "Type": "String",
        "Default": "",
        "AllowedPattern": "([a-z0-9-]+_[A-Za-z0-9]+)?",
        "Description": "ID of an existing Cognito user pool with the members. Empty: the stack has its own.",
    },
}

_CREATES_KEY, _CREATES_POOL = "CreatesDataKey", "CreatesUserPool"
_OWN = {"DataKey": _CREATES_KEY, "UserPool": _CREATES_POOL}

_POOL_ARN: Template = {
    "Fn::Sub": "arn:${AWS::Partition}:cognito-idp:${AWS::Region}:${AWS::AccountId}:userpool/${ExistingUserPool}"
}

_EXISTING: dict[tuple[str, str], Template] = {
    # A key is accepted by its ARN wherever its ID is.
    ("DataKey", "Ref"): {"Ref": KEY_PARAMETER},
    ("DataKey", "Arn"): {"Ref": KEY_PARAMETER},
    ("UserPool", "Ref"): {"Ref": POOL_PARAMETER},
    ("UserPool", "Arn"): _POOL_ARN,
}


def add_existing_resources(template: Template) -> None:
    """Add the parameters, and let everything that uses the key or the pool use the existing one if there is one."""
    template["Resources"] = _use_existing(template["Resources"])
    template["Globals"] = _use_existing(template["Globals"])
    template["Outputs"] = _use_existing(template["Outputs"])
    for name, condition in _OWN.items():
        template["Resources"][name]["Condition"] = condition
    template["Parameters"] |= _PARAMETERS
    template["Conditions"] |= {
        _CREATES_KEY: {"Fn::Equals": [{"Ref": KEY_PARAMETER}, ""]},
        _CREATES_POOL: {"Fn::Equals": [{"Ref": POOL_PARAMETER}, ""]},
    }


def _use_existing(node: Any) -> Any:
    match node:
        case {"Ref": str() as name} if name in _OWN:
            return _choose(name, "Ref", node)
        case {"Fn::GetAtt": [str() as name, "Arn"]} if name in _OWN:
            return _choose(name, "Arn", node)
        case {"Fn::Sub": str() as text}:
            return _substitute(text)
        case dict():
            return {key: _use_existing(value) for key, value in node.items()}
        case list():
            return [_use_existing(value) for value in node]
    return node


def _choose(name: str, attribute: str, own: Template) -> Template:
    return {"Fn::If": [_OWN[name], own, _EXISTING[name, attribute]]}


def _substitute(text: str) -> Template:
    """Replace `${UserPool}`, `${DataKey}` and their ARNs in a text by values that are chosen."""
    variables = {}
    for name in _OWN:
        for attribute, reference in (("Ref", name), ("Arn", f"{name}.Arn")):
            if f"${{{reference}}}" in text:
                variable = f"{name}{attribute}InUse"
                text = text.replace(f"${{{reference}}}", f"${{{variable}}}")
                own = {"Ref": name} if attribute == "Ref" else {"Fn::GetAtt": [name, "Arn"]}
                variables[variable] = _choose(name, attribute, own)
    return {"Fn::Sub": [text, variables]} if variables else {"Fn::Sub": text}
