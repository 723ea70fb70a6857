"""How many requests and runs a deployment takes at once: parameters, because a size that fits all does not exist.

docs/operations.md has a table with the values for each size, and the quotas of the account that go with them.
"""

from collections.abc import Mapping
from typing import Any

Template = dict[str, Any]


def _number(default: int, largest: int, description: str, *, smallest: int = 1) -> Mapping[str, Any]:
    return {
        "Type": "Number",
        "Default": default,
        "MinValue": smallest,
        "MaxValue": largest,
        "Description": description,
    }


PARAMETERS: Mapping[str, Mapping[str, Any]] = {
    "ApiRate": _number(50, 10_000, "Requests a second of all callers together, except deliveries of centers' systems."),
    "ApiBurst": _number(100, 5_000, "Requests of all callers together at once, except deliveries of centers' systems."),
    "WebhookRate": _number(200, 10_000, "Deliveries a second of all centers' systems together."),
    "WebhookBurst": _number(400, 5_000, "Deliveries of all centers' systems at once."),
    "ApiConcurrency": _number(
        *(0, 10_000),
        "Requests that the API function handles at once, reserved for it. 0: as many as the account has left. A "
        "reserve costs nothing; it keeps other functions of the account away, and ends the growth of this one.",
        smallest=0,
    ),
    "OutboxConcurrency": _number(
        *(1, 10),
        "Runs at once for each shard of the stream that notifies people of new events (ParallelizationFactor).",
    ),
}

_RESERVES = "ReservesApiConcurrency"


def add_capacity(template: Template) -> None:
    """Replace the constants of the API and of the stream with parameters."""
    template["Parameters"] |= {name: dict(parameter) for name, parameter in PARAMETERS.items()}
    template["Conditions"][_RESERVES] = {"Fn::Not": [{"Fn::Equals": [{"Ref": "ApiConcurrency"}, 0]}]}
    resources = template["Resources"]
    for settings in resources["RestAPI"]["Properties"]["MethodSettings"]:
        kind = "Api" if settings["ResourcePath"] == "/*" else "Webhook"
        settings["ThrottlingRateLimit"] = {"Ref": f"{kind}Rate"}
        settings["ThrottlingBurstLimit"] = {"Ref": f"{kind}Burst"}
    resources["APIHandler"]["Properties"]["ReservedConcurrentExecutions"] = {
        "Fn::If": [_RESERVES, {"Ref": "ApiConcurrency"}, {"Ref": "AWS::NoValue"}]
    }
    [source] = resources["Outbox"]["Properties"]["Events"].values()
    source["Properties"]["ParallelizationFactor"] = {"Ref": "OutboxConcurrency"}
