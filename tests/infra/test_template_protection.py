"""What a parameter turns on: throttles, concurrency, a web ACL, a vault of backups, a budget, threat protection."""

import json
import re

import pytest

from chalicelib.store.notices.outbox import SHARDS
from infra.bundle import capacity, protection
from infra.bundle.template import list_resources_of_type

RESOURCES_BY_CONDITION = {
    "HasWebAcl": {"WebAclRules", "WebAclAssociation"},
    "HasBackupVault": {"BackupVault", "BackupPlan", "BackupRole", "BackupSelection"},
    "HasBackupCopy": {"KeysVault", "KeysPlan", "KeysSelection"},
    "HasBudget": {"Budget"},
}


def get_properties(template, name):
    return template["Resources"][name]["Properties"]


def list_default_conditions(template):
    """Evaluate the conditions of this file with the default parameters."""
    defaults = {name: parameter.get("Default") for name, parameter in template["Parameters"].items()}

    def evaluate(node):
        match node:
            case {"Fn::Equals": [left, right]}:
                return evaluate(left) == evaluate(right)
            case {"Fn::Not": [inner]}:
                return not evaluate(inner)
            case {"Fn::And": parts}:
                return all(evaluate(part) for part in parts)
            case {"Condition": name}:
                return evaluate(template["Conditions"][name])
            case {"Ref": name}:
                return defaults[name]
        return node

    names = [*protection.CONDITIONS, "ReservesApiConcurrency", "HasFullMonitoring"]
    return {name: evaluate(template["Conditions"][name]) for name in names}


def test_everything_is_off_by_default(template):
    assert set(list_default_conditions(template).values()) == {False}


@pytest.mark.parametrize(("condition", "names"), RESOURCES_BY_CONDITION.items())
def test_a_parameter_turns_on_all_of_its_resources_and_no_other(template, condition, names):
    conditional = {name for name, r in template["Resources"].items() if r.get("Condition") == condition}

    assert conditional == names


def test_the_throttles_of_the_api_are_parameters(template):
    """Centers' systems have their own, so that a backlog of deliveries does not keep people out."""
    of_all, of_webhooks = get_properties(template, "RestAPI")["MethodSettings"]

    assert of_all["ThrottlingRateLimit"] == {"Ref": "ApiRate"}
    assert of_all["ThrottlingBurstLimit"] == {"Ref": "ApiBurst"}
    assert of_webhooks["ThrottlingRateLimit"] == {"Ref": "WebhookRate"}
    assert of_webhooks["ThrottlingBurstLimit"] == {"Ref": "WebhookBurst"}
    for kind in ("Api", "Webhook"):
        rate, burst = (capacity.PARAMETERS[f"{kind}{what}"] for what in ("Rate", "Burst"))
        assert 0 < rate["Default"] <= burst["Default"] <= burst["MaxValue"]


def test_concurrency_is_reserved_only_if_the_parameter_says_so(template):
    """A reserve of 0 would stop the function."""
    reserve = get_properties(template, "APIHandler")["ReservedConcurrentExecutions"]

    assert reserve == {"Fn::If": ["ReservesApiConcurrency", {"Ref": "ApiConcurrency"}, {"Ref": "AWS::NoValue"}]}


def test_the_stream_is_processed_by_as_many_runs_as_the_parameter_says(template):
    (source,) = get_properties(template, "Outbox")["Events"].values()

    assert source["Properties"]["ParallelizationFactor"] == {"Ref": "OutboxConcurrency"}


@pytest.mark.parametrize("job", capacity.JOBS)
def test_a_job_has_a_rule_for_each_of_its_runs(template, job):
    """Each rule says which run it starts. Those beyond the parameter are turned off."""
    rules = [rule["Properties"] for rule in get_properties(template, job)["Events"].values()]
    details = [json.loads(rule["Input"]["Fn::Sub"])["detail"] for rule in rules]

    assert details == [{"run": number, "runs": "${JobConcurrency}"} for number in range(1, SHARDS + 1)]
    assert len({rule["Schedule"] for rule in rules}) == 1
    assert [rule.get("State") for rule in rules] == [
        None,
        *({"Fn::If": [f"HasJobRun{number}", "ENABLED", "DISABLED"]} for number in range(2, SHARDS + 1)),
    ]


@pytest.mark.parametrize("concurrency", range(1, SHARDS + 1))
def test_as_many_rules_are_on_as_the_parameter_says(template, concurrency):
    on = [
        number
        for number in range(2, SHARDS + 1)
        if evaluate_condition(template["Conditions"][f"HasJobRun{number}"], {"JobConcurrency": concurrency})
    ]

    assert on == list(range(2, concurrency + 1))


def evaluate_condition(condition, parameters):
    """Evaluate a condition of a template, as CloudFormation does."""
    [(function, of)] = condition.items()
    match function:
        case "Fn::Not":
            return not evaluate_condition(of[0], parameters)
        case "Fn::Or":
            assert 2 <= len(of) <= 10, "the limits of CloudFormation"
            return any(evaluate_condition(each, parameters) for each in of)
        case "Fn::Equals":
            return str(parameters[of[0]["Ref"]]) == str(of[1])
    raise ValueError(function)


def test_the_firewall_keeps_no_request(template):
    """A log or a sample has the whole address, and some addresses contain secrets."""
    acl = get_properties(template, "WebAclRules")
    settings = [acl["VisibilityConfig"], *(rule["VisibilityConfig"] for rule in acl["Rules"])]

    assert {each["SampledRequestsEnabled"] for each in settings} == {False}
    assert list_resources_of_type(template, "AWS::WAFv2::LoggingConfiguration") == {}


def test_the_firewall_does_not_refuse_what_clinicians_write(template):
    """Its rules about bodies would refuse a note with `<` and a referral of more than 8 KB."""
    rules = get_properties(template, "WebAclRules")["Rules"]
    [common] = [
        rule["Statement"]["ManagedRuleGroupStatement"]
        for rule in rules
        if rule["Name"] == "AWSManagedRulesCommonRuleSet"
    ]
    counted = {rule["Name"] for rule in common["RuleActionOverrides"] if rule["ActionToUse"] == {"Count": {}}}

    # Every rule of the set that reads bodies. Source: "Baseline rule groups", AWS WAF developer guide (read 2026-11).
    assert counted >= {
        "SizeRestrictions_BODY",
        "EC2MetaDataSSRF_BODY",
        "GenericLFI_BODY",
        "GenericRFI_BODY",
        "CrossSiteScripting_BODY",
    }


def test_the_rules_of_the_firewall_have_different_priorities(template):
    rules = get_properties(template, "WebAclRules")["Rules"]

    assert len({rule["Priority"] for rule in rules}) == len(rules)
    assert len({rule["Name"] for rule in rules}) == len(rules)


def test_one_address_can_send_what_a_hospital_sends(template):
    """Its people share an address. The limit of an address is below what the API takes of all callers."""
    [limited] = [
        rule for rule in get_properties(template, "WebAclRules")["Rules"] if "RateBasedStatement" in rule["Statement"]
    ]
    in_five_minutes = limited["Statement"]["RateBasedStatement"]["Limit"]

    assert in_five_minutes == protection.REQUESTS_PER_ADDRESS
    assert in_five_minutes <= 300 * capacity.PARAMETERS["ApiRate"]["Default"]


def test_tables_that_may_be_kept_for_long_are_copied_to_the_vault(template):
    """A copy of the keys, or of a snapshot of a list, would outlive the erasure of a patient."""
    selected = get_properties(template, "BackupSelection")["BackupSelection"]["Resources"]
    tables = list_resources_of_type(template, "AWS::DynamoDB::Table")

    kept = [name for name in sorted(tables) if name not in {"KeysTable", "IdempotencyTable"}]
    assert [each["Fn::GetAtt"] for each in selected] == [[name, "Arn"] for name in kept]


def test_a_copy_cannot_be_deleted_before_its_time(template):
    """The lock and the rule of the plan use the same parameter, and the vault outlives the stack."""
    vault = template["Resources"]["BackupVault"]
    [rule] = get_properties(template, "BackupPlan")["BackupPlan"]["BackupPlanRule"]

    assert vault["Properties"]["LockConfiguration"]["MinRetentionDays"] == {"Ref": "BackupDays"}
    assert rule["Lifecycle"] == {"DeleteAfterDays": {"Ref": "BackupDays"}}
    assert rule["TargetBackupVault"] == {"Ref": "BackupVault"}
    assert vault["DeletionPolicy"] == "Retain"


def test_a_copy_outside_is_kept_as_long_as_the_copy_here(template):
    """In the vault of the parameter."""
    [rule] = get_properties(template, "BackupPlan")["BackupPlan"]["BackupPlanRule"]
    condition, [copy], otherwise = rule["CopyActions"]["Fn::If"]

    assert (condition, otherwise) == ("HasBackupCopy", {"Ref": "AWS::NoValue"})
    assert copy == {"DestinationBackupVaultArn": {"Ref": "BackupCopyVault"}, "Lifecycle": rule["Lifecycle"]}


def test_copies_of_the_keys_end_after_35_days(template):
    """Here and outside, and no lock keeps them longer: an erasure destroys a key for good."""
    [rule] = get_properties(template, "KeysPlan")["BackupPlan"]["BackupPlanRule"]
    [copy] = rule["CopyActions"]
    selection = get_properties(template, "KeysSelection")["BackupSelection"]

    assert rule["Lifecycle"] == copy["Lifecycle"] == {"DeleteAfterDays": 35}
    assert "LockConfiguration" not in get_properties(template, "KeysVault")
    assert selection["Resources"] == [{"Fn::GetAtt": ["KeysTable", "Arn"]}]


def test_the_key_can_be_replicated_only_if_the_parameter_says_so(template):
    """A key without the property is a key of one region, as in every earlier release."""
    key = get_properties(template, "DataKey")

    assert key["MultiRegion"] == {"Fn::If": ["HasMultiRegionKey", True, {"Ref": "AWS::NoValue"}]}


def test_the_budget_notifies_the_address_of_the_alarms(template):
    """At 80% of the money, and when the forecast exceeds it. Without an address it notifies no one."""
    condition, notifications, otherwise = get_properties(template, "Budget")["NotificationsWithSubscribers"]["Fn::If"]

    assert (condition, otherwise) == ("AlarmsAreMailed", {"Ref": "AWS::NoValue"})
    assert {n["Notification"]["NotificationType"]: n["Notification"]["Threshold"] for n in notifications} == {
        "ACTUAL": 80,
        "FORECASTED": 100,
    }
    assert {s["Address"]["Ref"] for n in notifications for s in n["Subscribers"]} == {"AlarmMail"}


def test_threat_protection_has_the_plan_that_it_needs(template):
    """Without it the user pool keeps the plan that it has."""
    pool = get_properties(template, "UserPool")

    assert pool["UserPoolTier"] == {"Fn::If": ["HasThreatProtection", "PLUS", {"Ref": "AWS::NoValue"}]}
    assert pool["UserPoolAddOns"]["Fn::If"][1] == {"AdvancedSecurityMode": {"Ref": "ThreatProtection"}}


def test_every_parameter_is_used_and_says_what_it_does(template):
    text = json.dumps({part: template[part] for part in ("Conditions", "Globals", "Resources")})
    added = {**capacity.PARAMETERS, **protection.PARAMETERS}

    for name in added:
        assert f'{{"Ref": "{name}"}}' in text
        assert re.fullmatch(r".{20,}[.)]", template["Parameters"][name]["Description"], flags=re.DOTALL)
