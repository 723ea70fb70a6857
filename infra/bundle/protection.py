"""What protects a deployment and costs money at rest, so that a parameter turns each on. All are off by default.

docs/operations.md says what each costs and when to turn it on.
"""

from collections.abc import Mapping, Sequence
from typing import Any

Template = dict[str, Any]

PARAMETERS: Mapping[str, Mapping[str, Any]] = {
    "WebAcl": {
        "Type": "String",
        "Default": "false",
        "AllowedValues": ["true", "false"],
        "Description": "Whether AWS WAF checks each request before it reaches the API.",
    },
    "BackupDays": {
        "Type": "Number",
        "Default": 0,
        "MinValue": 0,
        "MaxValue": 36_500,
        "Description": (
            "For how many days AWS Backup keeps a monthly copy of the tables in a vault that no one can empty earlier. "
            "0: no vault; tables can be restored to any second of the last 35 days."
        ),
    },
    "BackupLockGraceDays": {
        "Type": "Number",
        "Default": 0,
        "MinValue": 0,
        "MaxValue": 36_500,
        "Description": (
            "0: administrators with the permission can take the lock off the vault. From 3: so many days after the "
            "deployment the lock is final, and not even AWS can take it off (compliance mode)."
        ),
    },
    "BackupCopyVault": {
        "Type": "String",
        "Default": "",
        "AllowedPattern": "(arn:aws[a-z-]*:backup:[a-z0-9-]+:[0-9]{12}:backup-vault:[A-Za-z0-9_-]{2,50})?",
        "Description": (
            "The ARN of a vault of AWS Backup in another region or account, which gets each monthly copy too. "
            "Empty: none."
        ),
    },
    "MultiRegionKey": {
        "Type": "String",
        "Default": "false",
        "AllowedValues": ["true", "false"],
        "Description": (
            "Whether the data key can be replicated to another region, so that copies of the tables can be read there. "
            "Only for a new deployment: a key cannot be converted later."
        ),
    },
    "MonthlyBudget": {
        "Type": "Number",
        "Default": 0,
        "MinValue": 0,
        "Description": (
            "US dollars a month of the whole account. AlarmMail is notified at 80% of it, and when the forecast "
            "exceeds it. 0: no budget."
        ),
    },
    "ThreatProtection": {
        "Type": "String",
        "Default": "OFF",
        "AllowedValues": ["OFF", "AUDIT", "ENFORCED"],
        "Description": (
            "Whether Amazon Cognito rates the risk of sign-ins and finds leaked passwords. AUDIT: it only records "
            "them. Not OFF: the user pool has the feature plan Plus."
        ),
    },
}

CONDITIONS: Mapping[str, Any] = {
    "HasWebAcl": {"Fn::Equals": [{"Ref": "WebAcl"}, "true"]},
    "HasBackupVault": {"Fn::Not": [{"Fn::Equals": [{"Ref": "BackupDays"}, 0]}]},
    "HasFinalBackupLock": {"Fn::Not": [{"Fn::Equals": [{"Ref": "BackupLockGraceDays"}, 0]}]},
    "HasBackupCopy": {
        "Fn::And": [{"Condition": "HasBackupVault"}, {"Fn::Not": [{"Fn::Equals": [{"Ref": "BackupCopyVault"}, ""]}]}]
    },
    "HasMultiRegionKey": {"Fn::Equals": [{"Ref": "MultiRegionKey"}, "true"]},
    "HasBudget": {"Fn::Not": [{"Fn::Equals": [{"Ref": "MonthlyBudget"}, 0]}]},
    "HasThreatProtection": {"Fn::Not": [{"Fn::Equals": [{"Ref": "ThreatProtection"}, "OFF"]}]},
}

KEYS_TABLE = "KeysTable"

NOT_KEPT_FOR_LONG = frozenset({KEYS_TABLE, "IdempotencyTable"})
"""The tables that the vault leaves out. Rows of `idempotency` expire after 30 days, so an old copy is of no use, and
its snapshots of lists are not encrypted with the keys of referrals (docs/decisions/0087-list-snapshots.md)."""

KEYS_COPY_DAYS = 35
"""For how many days a copy of the keys is kept outside: as long as point-in-time recovery keeps them here."""

REQUESTS_PER_ADDRESS = 10_000
"""In five minutes, from one address. The people of a hospital often share one, and a page sends five requests."""

_MANAGED_RULES = (
    "AWSManagedRulesCommonRuleSet",
    "AWSManagedRulesKnownBadInputsRuleSet",
    "AWSManagedRulesAmazonIpReputationList",
)

_COUNTED_RULES = (
    "CrossSiteScripting_BODY",
    "EC2MetaDataSSRF_BODY",
    "GenericLFI_BODY",
    "GenericRFI_BODY",
    "NoUserAgent_HEADER",
    "SizeRestrictions_BODY",
)
"""Rules of the common rule set that count and do not block. Those about bodies would refuse what clinicians write:
notes with `<`, addresses of other sites, and referrals of more than 8 KB. Programs of centers may send no
User-Agent."""


def add_protection(template: Template) -> None:
    """Add the resources that the parameters turn on."""
    template["Parameters"] |= {name: dict(parameter) for name, parameter in PARAMETERS.items()}
    template["Conditions"] |= CONDITIONS
    template["Resources"] |= {
        "WebAclRules": _build_web_acl(),
        "WebAclAssociation": {
            "Type": "AWS::WAFv2::WebACLAssociation",
            "Condition": "HasWebAcl",
            "Properties": {
                "WebACLArn": {"Fn::GetAtt": ["WebAclRules", "Arn"]},
                "ResourceArn": {
                    "Fn::Sub": (
                        "arn:${AWS::Partition}:apigateway:${AWS::Region}::/restapis/${RestAPI}/stages/${RestAPI.Stage}"
                    )
                },
            },
        },
        "BackupVault": _build_vault(),
        "BackupPlan": _build_backup_plan(),
        "BackupRole": _build_backup_role(),
        "BackupSelection": _build_backup_selection(template),
        "KeysVault": _build_keys_vault(),
        "KeysPlan": _build_keys_plan(),
        "KeysSelection": _build_keys_selection(),
        "Budget": _build_budget(),
    }
    template["Resources"]["DataKey"]["Properties"]["MultiRegion"] = {
        "Fn::If": ["HasMultiRegionKey", True, {"Ref": "AWS::NoValue"}]
    }
    template["Resources"]["UserPool"]["Properties"] |= {
        "UserPoolTier": {"Fn::If": ["HasThreatProtection", "PLUS", {"Ref": "AWS::NoValue"}]},
        "UserPoolAddOns": {
            "Fn::If": [
                "HasThreatProtection",
                {"AdvancedSecurityMode": {"Ref": "ThreatProtection"}},
                {"Ref": "AWS::NoValue"},
            ]
        },
    }


def _build_web_acl() -> Template:
    rules = [_build_managed_rule(name, priority) for priority, name in enumerate(_MANAGED_RULES, 1)]
    return {
        "Type": "AWS::WAFv2::WebACL",
        "Condition": "HasWebAcl",
        "Metadata": {
            "Description": (
                "No log and no samples: both would contain addresses with the secrets of calendars and of links in "
                "emails (docs/decisions/0060-no-traces.md)."
            )
        },
        "Properties": {
            "Name": {"Fn::Sub": "${Prefix}api"},
            "Scope": "REGIONAL",
            "DefaultAction": {"Allow": {}},
            "VisibilityConfig": _build_visibility("api"),
            "Rules": [
                {
                    "Name": "requests-per-address",
                    "Priority": 0,
                    "Action": {"Block": {}},
                    "Statement": {"RateBasedStatement": {"AggregateKeyType": "IP", "Limit": REQUESTS_PER_ADDRESS}},
                    "VisibilityConfig": _build_visibility("requests-per-address"),
                },
                *rules,
            ],
        },
    }


def _build_managed_rule(name: str, priority: int) -> Template:
    group: Template = {"VendorName": "AWS", "Name": name}
    if name == "AWSManagedRulesCommonRuleSet":
        group["RuleActionOverrides"] = [{"Name": rule, "ActionToUse": {"Count": {}}} for rule in _COUNTED_RULES]
    return {
        "Name": name,
        "Priority": priority,
        "OverrideAction": {"None": {}},
        "Statement": {"ManagedRuleGroupStatement": group},
        "VisibilityConfig": _build_visibility(name),
    }


def _build_visibility(name: str) -> Template:
    return {"CloudWatchMetricsEnabled": True, "SampledRequestsEnabled": False, "MetricName": name}


def _build_vault() -> Template:
    final = {"Fn::If": ["HasFinalBackupLock", {"Ref": "BackupLockGraceDays"}, {"Ref": "AWS::NoValue"}]}
    return {
        "Type": "AWS::Backup::BackupVault",
        "Condition": "HasBackupVault",
        "DeletionPolicy": "Retain",
        "UpdateReplacePolicy": "Retain",
        "Properties": {
            "BackupVaultName": {"Fn::Sub": "${Prefix}tables"},
            "LockConfiguration": {"MinRetentionDays": {"Ref": "BackupDays"}, "ChangeableForDays": final},
        },
    }


def _build_backup_plan() -> Template:
    lifecycle = {"DeleteAfterDays": {"Ref": "BackupDays"}}
    rule = {
        "RuleName": "monthly",
        "TargetBackupVault": {"Ref": "BackupVault"},
        "ScheduleExpression": "cron(0 8 1 * ? *)",
        "Lifecycle": lifecycle,
        "CopyActions": {"Fn::If": ["HasBackupCopy", _build_copy(lifecycle), {"Ref": "AWS::NoValue"}]},
    }
    return _build_plan("tables", rule, condition="HasBackupVault")


def _build_keys_vault() -> Template:
    """Build a vault without a lock, because the keys of an erased patient must be gone after 35 days."""
    return {
        "Type": "AWS::Backup::BackupVault",
        "Condition": "HasBackupCopy",
        "Properties": {"BackupVaultName": {"Fn::Sub": "${Prefix}keys"}},
    }


def _build_keys_plan() -> Template:
    """Copy the table of keys each day, so that the copies outside can be read when the region or account is lost."""
    lifecycle = {"DeleteAfterDays": KEYS_COPY_DAYS}
    rule = {
        "RuleName": "daily",
        "TargetBackupVault": {"Ref": "KeysVault"},
        "ScheduleExpression": "cron(0 9 * * ? *)",
        "Lifecycle": lifecycle,
        "CopyActions": _build_copy(lifecycle),
    }
    return _build_plan("keys", rule, condition="HasBackupCopy")


def _build_copy(lifecycle: Template) -> list[Template]:
    return [{"DestinationBackupVaultArn": {"Ref": "BackupCopyVault"}, "Lifecycle": lifecycle}]


def _build_plan(name: str, rule: Template, *, condition: str) -> Template:
    return {
        "Type": "AWS::Backup::BackupPlan",
        "Condition": condition,
        "Properties": {
            "BackupPlan": {
                "BackupPlanName": {"Fn::Sub": f"${{Prefix}}{name}"},
                "BackupPlanRule": [{**rule, "StartWindowMinutes": 60, "CompletionWindowMinutes": 720}],
            }
        },
    }


def _build_backup_role() -> Template:
    policy = "arn:${AWS::Partition}:iam::aws:policy/service-role/AWSBackupServiceRolePolicyForBackup"
    return {
        "Type": "AWS::IAM::Role",
        "Condition": "HasBackupVault",
        "Properties": {
            "AssumeRolePolicyDocument": {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Principal": {"Service": "backup.amazonaws.com"},
                        "Action": "sts:AssumeRole",
                        "Condition": {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}},
                    }
                ],
            },
            "ManagedPolicyArns": [{"Fn::Sub": policy}],
        },
    }


def _build_backup_selection(template: Template) -> Template:
    """Select each table but those in `NOT_KEPT_FOR_LONG`.

    An erasure destroys a patient's key. A copy of the keys that no one can delete would undo it for years
    (docs/erasure.md); point-in-time recovery keeps them for 35 days.
    """
    resources = template["Resources"].items()
    tables = {name for name, each in resources if each["Type"] == "AWS::DynamoDB::Table"}
    return _build_selection("BackupPlan", sorted(tables - NOT_KEPT_FOR_LONG), condition="HasBackupVault")


def _build_keys_selection() -> Template:
    return _build_selection("KeysPlan", [KEYS_TABLE], condition="HasBackupCopy")


def _build_selection(plan: str, tables: Sequence[str], *, condition: str) -> Template:
    return {
        "Type": "AWS::Backup::BackupSelection",
        "Condition": condition,
        "Properties": {
            "BackupPlanId": {"Ref": plan},
            "BackupSelection": {
                "SelectionName": "tables",
                "IamRoleArn": {"Fn::GetAtt": ["BackupRole", "Arn"]},
                "Resources": [{"Fn::GetAtt": [name, "Arn"]} for name in tables],
            },
        },
    }


def _build_budget() -> Template:
    def notify(kind: str, percent: int) -> Template:
        return {
            "Notification": {
                "NotificationType": kind,
                "ComparisonOperator": "GREATER_THAN",
                "Threshold": percent,
                "ThresholdType": "PERCENTAGE",
            },
            "Subscribers": [{"SubscriptionType": "EMAIL", "Address": {"Ref": "AlarmMail"}}],
        }

    notifications = [notify("ACTUAL", 80), notify("FORECASTED", 100)]
    return {
        "Type": "AWS::Budgets::Budget",
        "Condition": "HasBudget",
        "Properties": {
            "Budget": {
                "BudgetName": {"Fn::Sub": "${Prefix}monthly"},
                "BudgetType": "COST",
                "TimeUnit": "MONTHLY",
                "BudgetLimit": {"Amount": {"Ref": "MonthlyBudget"}, "Unit": "USD"},
            },
            "NotificationsWithSubscribers": {"Fn::If": ["AlarmsAreMailed", notifications, {"Ref": "AWS::NoValue"}]},
        },
    }
