"""`referrals --stack NAME`: the settings and permissions of a deployment, from the outputs of its stack."""

import json
import os
from typing import Any

import botocore.session
import pytest
from typer.testing import CliRunner

from chalicelib.settings import Settings, read_settings
from infra.cli import site
from infra.cli.commands import app
from infra.cli.site import OPERATOR_VARIABLE, StackChoice
from infra.cli.stack import UnusableStackError, build_stack_environment
from infra.setting_outputs import build_setting_outputs, is_setting_output
from tests.support.aws_fakes import build_environment

SETTINGS = {field.upper() for field in Settings.__dataclass_fields__}


@pytest.fixture
def settings():
    """The settings of a deployment."""
    return {name: value for name, value in build_environment("file:///jwks").items() if name in SETTINGS}


@pytest.fixture
def create_stack(aws, monkeypatch):
    """Create a stack with these outputs, and remove the settings of this process."""
    for name in SETTINGS:
        monkeypatch.delenv(name, raising=False)

    def create(outputs, name="cart-referrals"):
        role = {
            "Type": "AWS::IAM::Role",
            "Properties": {"AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": []}},
        }
        template = {"Resources": {"OperatorRole": role}, "Outputs": outputs}
        client: Any = botocore.session.Session().create_client("cloudformation")
        client.create_stack(StackName=name, TemplateBody=json.dumps(template))

    return create


OPERATOR_ROLE = {"OperatorRoleArn": {"Value": {"Fn::GetAtt": ["OperatorRole", "Arn"]}}}


def test_the_settings_are_those_of_the_functions(create_stack, settings):
    """Also those that are empty."""
    create_stack(build_setting_outputs(settings) | OPERATOR_ROLE)

    environment = build_stack_environment(StackChoice(name="cart-referrals"))

    assert {name: environment[name] for name in settings} == settings
    assert read_settings(environment).table_prefix == settings["TABLE_PREFIX"]


def test_the_credentials_are_those_of_the_operator_role(create_stack, settings):
    create_stack(build_setting_outputs(settings) | OPERATOR_ROLE)

    environment = build_stack_environment(StackChoice(name="cart-referrals"))

    assert environment["AWS_SESSION_TOKEN"]
    assert environment["AWS_ACCESS_KEY_ID"] != os.environ["AWS_ACCESS_KEY_ID"]


def test_own_credentials_are_kept_if_the_user_asks_for_it(create_stack, settings):
    create_stack(build_setting_outputs(settings) | OPERATOR_ROLE)

    environment = build_stack_environment(StackChoice(name="cart-referrals", uses_own_credentials=True))

    assert "AWS_ACCESS_KEY_ID" not in environment


def test_the_operator_is_named_for_the_audit_trail(create_stack, settings):
    """By the environment if it says who it is, otherwise by AWS."""
    create_stack(build_setting_outputs(settings) | OPERATOR_ROLE)
    choice = StackChoice(name="cart-referrals")

    named = build_stack_environment(choice, environment={OPERATOR_VARIABLE: "jo"})

    assert named[OPERATOR_VARIABLE] == "jo"
    assert build_stack_environment(choice, environment={})[OPERATOR_VARIABLE] not in {"", "jo"}


@pytest.mark.parametrize("missing", ["TABLE_PREFIX", "OperatorRoleArn"])
def test_a_stack_of_an_earlier_release_is_refused(create_stack, settings, missing):
    """It lacks a setting or the role. The user can deploy again."""
    outputs = build_setting_outputs({name: value for name, value in settings.items() if name != missing})
    create_stack(outputs | {name: value for name, value in OPERATOR_ROLE.items() if name != missing})

    with pytest.raises(UnusableStackError, match="Deploy it again"):
        build_stack_environment(StackChoice(name="cart-referrals"))


def test_an_unknown_stack_ends_the_command_with_exit_code_3(create_stack):
    """In one sentence, before anything is read or written."""
    result = CliRunner().invoke(app, ["--stack", "no-such-stack", "organizations", "list"])

    assert (result.exit_code, result.stdout) == (3, "")
    assert "The stack no-such-stack cannot be used" in result.stderr


def test_a_command_works_on_the_stack_that_the_user_names(create_stack, settings, monkeypatch):
    """And not on the site that the environment names."""
    create_stack(build_setting_outputs(settings | {"PUBLIC_URL": "https://stack.example"}) | OPERATOR_ROLE)
    before = dict(os.environ)
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    site.choose_stack(StackChoice(name="cart-referrals"))
    try:
        entered = site.enter_site()
    finally:
        os.environ.clear()
        os.environ.update(before)

    assert entered.url == "https://stack.example"


def test_the_packaged_template_has_an_output_for_each_setting(production):
    """A setting without an output would be missing on the command line."""
    outputs = [key for key in production["Outputs"] if is_setting_output(key)]

    assert len(outputs) == len(SETTINGS)
    variables = production["Globals"]["Function"]["Environment"]["Variables"]
    assert variables.keys() >= SETTINGS
