"""The checks of what the product is made of: each finds what it is for, and the repository has no finding left."""

import copy
import json
import re
from pathlib import Path

import pytest

from infra.supply_chain.findings import Review, ReviewFinding, list_problems, load_reviews
from infra.supply_chain.packages import (
    SHIPPED_LOCKS,
    build_bill_of_materials,
    check_licenses,
    find_restrictive,
    parse_lock,
)
from infra.supply_chain.sources import check_secrets, find_secrets, run_bandit
from infra.supply_chain.template import check_template, find_violations

ROOT = Path(__file__).parents[2]
RESOURCES = json.loads((ROOT / "infra/resources.json").read_text())["Resources"]


@pytest.mark.parametrize(
    ("name", "check"), [("licenses", check_licenses), ("secrets", check_secrets), ("template", check_template)]
)
def test_every_finding_is_reviewed_with_a_reason(name, check):
    """And no review is left that finds nothing. `make check` does the same with bandit."""
    assert list_problems(check(ROOT), load_reviews(), [name]) == []


def test_a_new_finding_a_stale_review_and_an_empty_reason_are_problems():
    """So the list of reviews stays true."""
    reviews = [
        Review(check="secrets", rule="key", place="old/*", reason="It is gone since last year."),
        Review(check="secrets", rule="key", place="kept.py", reason="Because."),
        Review(check="bandit", rule="B101", place="*", reason="Of a check that did not run."),
    ]

    problems = list_problems(
        [ReviewFinding("secrets", "key", "kept.py"), ReviewFinding("secrets", "key", "new.py")], reviews, ["secrets"]
    )

    assert problems == [
        "secrets: key: new.py was not reviewed",
        "secrets: key: old/* is reviewed, but not found any more",
        "secrets: key: kept.py has no reason",
    ]


# Written in two parts, so that the check does not find them in this file.
SECRETS = {
    "aws-access-key": "AKIA" + "QWERTYUIOPASDFGH",
    "aws-secret-key": "aws_secret_access_key = " + "wJalrXUtnFEMI/" + "K7MDENG/bPxRfiCYzzzzzzKEYX",
    "private-key": "-----BEGIN RSA PRIVATE KEY-----\n" + "MIIEowIBAAKCAQEAx4fm7dngEmOULNmAs1IGZ9Ap",
    "private-jwk": '"d": ' + '"rOZ3vyu4P8q9o1T2zQX1y5bWm0nJkLhGfDsApQwErTy"',
    "github-token": "ghp_" + "a1B2" * 9,
    "gitlab-token": "glpat-" + "a1B2c3D4e5F6g7H8i9J0",
    "slack-token": "xoxb-" + "123456789012-abcdefghij",
    "stripe-key": "sk_live_" + "a1B2c3D4e5F6g7H8",
    "google-key": "AIza" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R",
    "registry-token": "npm_" + "a1B2" * 9,
    "json-web-token": "eyJhbGciOiJIUzI1NiJ9." + "eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N",
    "webhook-secret": "whsec_" + "C2FVsBQIhrscChlQIMV+b5sSYspob7oD",
    "password-in-url": "https://admin:" + "hunter2secret@example.org/",
}


@pytest.mark.parametrize("rule", SECRETS)
def test_each_kind_of_secret_is_found(rule):
    """In the middle of a file."""
    content = f"first line\nkey = {SECRETS[rule]}\nlast line\n".encode()

    assert rule in {finding.rule for finding in find_secrets("settings.py", content)}
    assert list(find_secrets("settings.py", b"key = load_key()\n")) == []


def test_a_package_without_a_permissive_license_is_found():
    """One permissive alternative is enough, and each part of a combination counts."""
    licenses = {
        "a": "MIT",
        "b": "GPL-3.0-only OR MIT",
        "c": "MIT AND GPL-3.0-only",
        "d": "NOASSERTION",
        "e": "AGPL-3.0",
    }

    assert [finding.place for finding in find_restrictive(licenses)] == ["c", "d", "e"]


def test_the_bill_of_materials_has_every_package_that_ships():
    """With its version, license and hashes, and no package of the tests. The same lock gives the same document."""
    bill = build_bill_of_materials(ROOT, "1.2.3")
    locked = {package.purl: package for lock in SHIPPED_LOCKS for package in parse_lock((ROOT / lock).read_text())}

    assert (bill["bomFormat"], bill["specVersion"], bill["metadata"]["component"]["version"]) == (
        "CycloneDX",
        "1.5",
        "1.2.3",
    )
    assert [component["purl"] for component in bill["components"]] == sorted(locked)
    for component in bill["components"]:
        digests = [each["hashes"][0]["content"] for each in component["externalReferences"]]
        assert digests == list(locked[component["purl"]].hashes)
        assert digests
        assert component["licenses"][0]["expression"] != "NOASSERTION"
    assert "pkg:pypi/pytest" not in json.dumps(bill)
    assert build_bill_of_materials(ROOT, "1.2.3") == bill


def test_every_line_of_a_lock_is_read():
    """A package that the parser does not know would be missing everywhere."""
    for lock in (*SHIPPED_LOCKS, "requirements-dev.txt"):
        text = (ROOT / lock).read_text()
        packages = parse_lock(text)
        assert len(packages) == len(re.findall(r"^[a-zA-Z0-9].*==", text, re.MULTILINE))
        assert sum(len(package.hashes) for package in packages) == text.count("--hash=sha256:")


def test_bandit_finds_a_risky_call(tmp_path):
    """It runs without a network, and a file that it cannot read is an error."""
    (tmp_path / "risky.py").write_text("import subprocess\nsubprocess.run('ls', shell=True)\n")
    assert {finding.rule for finding in run_bandit(tmp_path, "risky.py")} >= {"B602"}
    (tmp_path / "risky.py").write_text("def (:\n")

    with pytest.raises(RuntimeError, match="bandit could not read"):
        list(run_bandit(tmp_path, "risky.py"))


def find_first(kind):
    """The name of the first resource of a type."""
    return next(name for name, resource in RESOURCES.items() if resource.get("Type") == kind)


ALLOW_ALL = [{"Effect": "Allow", "Action": "dynamodb:*", "Resource": "*"}]
BREACHES = {
    "bucket-is-private": ("AWS::S3::Bucket", lambda properties: properties.pop("PublicAccessBlockConfiguration")),
    "bucket-is-encrypted": ("AWS::S3::Bucket", lambda properties: properties.pop("BucketEncryption")),
    "bucket-needs-tls": ("AWS::S3::BucketPolicy", lambda properties: properties["PolicyDocument"].update(Statement=[])),
    "table-has-backups": (
        "AWS::DynamoDB::Table",
        lambda properties: properties.pop("PointInTimeRecoverySpecification"),
    ),
    "table-is-protected": ("AWS::DynamoDB::Table", lambda properties: properties.pop("DeletionProtectionEnabled")),
    "key-rotates": ("AWS::KMS::Key", lambda properties: properties.update(EnableKeyRotation=False)),
    "logs-end": ("AWS::Logs::LogGroup", lambda properties: properties.pop("RetentionInDays")),
    "topic-is-encrypted": ("AWS::SNS::Topic", lambda properties: properties.pop("KmsMasterKeyId", None)),
    "queue-is-encrypted": (
        "AWS::SQS::Queue",
        lambda properties: [properties.pop(name, None) for name in ("KmsMasterKeyId", "SqsManagedSseEnabled")],
    ),
    "no-function-url": ("AWS::Serverless::Function", lambda properties: properties.update(FunctionUrlConfig={})),
    "no-action-wildcard": ("AWS::Serverless::Function", lambda properties: properties.update(Policies=ALLOW_ALL)),
    "no-resource-wildcard": ("AWS::Serverless::Function", lambda properties: properties.update(Policies=ALLOW_ALL)),
}


@pytest.mark.parametrize("rule", BREACHES)
def test_a_resource_that_breaks_a_policy_is_found(rule):
    """In the product's own template, changed in one place."""
    kind, break_policy = BREACHES[rule]
    resources = copy.deepcopy(RESOURCES)
    break_policy(resources[find_first(kind)]["Properties"])

    assert rule in {finding.rule for finding in find_violations(resources)}


def test_data_that_would_be_deleted_with_the_stack_is_found():
    resources = copy.deepcopy(RESOURCES)
    table = find_first("AWS::DynamoDB::Table")
    del resources[table]["DeletionPolicy"]

    assert ReviewFinding("template", "data-outlives-stack", table) in set(find_violations(resources))
