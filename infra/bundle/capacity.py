"""How many requests and runs a deployment takes at once: parameters, because a size that fits all does not exist.

docs/operations.md has a table with the values for each size, and the quotas of the account that go with them.
"""

import json
from collections.abc import Mapping
from typing import Any

from chalicelib.services.platform.threads import MAX_THREADS
from chalicelib.store.notices.outbox import SHARDS

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
    "JobConcurrency": _number(
        *(1, SHARDS),
        "Runs at once of each job that notifies people of what is due. Each processes its own shards of the outbox.",
    ),
    "MailRate": _number(
        *(14, 10_000),
        "Emails a second of all jobs together. Set it to the sending rate of the account, which aws sesv2 get-account "
        "shows as MaxSendRate.",
    ),
    "JobThreads": _number(
        *(8, MAX_THREADS),
        "Tasks, or emails, that one run works on at once. A run waits for AWS most of its time.",
    ),
}

JOBS = ("Relay", "Notices", "Clocks", "Digest")
"""The functions that process queues of the outbox, by their logical names."""

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
    variables = template["Globals"]["Function"]["Environment"]["Variables"]
    variables |= {"JOB_THREADS": {"Ref": "JobThreads"}, "MAIL_RATE": {"Ref": "MailRate"}}
    for run in range(2, SHARDS + 1):
        fewer = [{"Fn::Equals": [{"Ref": "JobConcurrency"}, number]} for number in range(1, run)]
        template["Conditions"][_name_condition(run)] = {"Fn::Not": [{"Fn::Or": fewer} if run > 2 else fewer[0]]}
    for job in JOBS:
        _add_runs(resources[job]["Properties"]["Events"])


def _name_condition(run: int) -> str:
    return f"HasJobRun{run}"


def _add_runs(events: Template) -> None:
    """Let a schedule start as many runs as the parameter says, each with its number.

    Each run has a rule of its own, because an event of one rule cannot say how often it was sent.
    """
    [(name, first)] = events.items()
    for run in range(1, SHARDS + 1):
        properties = first["Properties"] | {"Input": {"Fn::Sub": json.dumps(_build_event(run))}}
        if run > 1:
            properties["State"] = {"Fn::If": [_name_condition(run), "ENABLED", "DISABLED"]}
        events[name if run == 1 else f"{name}{run}"] = first | {"Properties": properties}


def _build_event(run: int) -> Mapping[str, Any]:
    """Build what a rule sends: the members of a scheduled event that Chalice reads, and which run it is."""
    return {
        "version": "0",
        "id": "",
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": "${AWS::AccountId}",
        "time": "",
        "region": "${AWS::Region}",
        "resources": [],
        "detail": {"run": run, "runs": "${JobConcurrency}"},
    }
