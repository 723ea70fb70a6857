"""`--stack NAME`: the settings of a deployment from the outputs of its stack, and the permissions of its operator role.

The user's own credentials only read the stack and assume the role, so that a mistake cannot reach patients' data.
"""

import getpass
import os
import re
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from botocore.session import Session

from chalicelib.settings import SettingsError, read_settings
from infra.cli.site import OPERATOR_VARIABLE, StackChoice
from infra.setting_outputs import read_setting_outputs


class UnusableStackError(Exception):
    """The stack cannot be read, or its role not be used. The message is shown to the user."""


def build_stack_environment(choice: StackChoice, *, environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Build the environment in which the product's modules work on a stack, from AWS.

    Raises:
        UnusableStackError: there is no such stack, it lacks a setting, or AWS refuses.
    """
    session = Session()
    if choice.region:
        session.set_config_variable("region", choice.region)
    try:
        cloudformation: Any = session.create_client("cloudformation")
        stack = cloudformation.describe_stacks(StackName=choice.name)
        outputs = {each["OutputKey"]: each["OutputValue"] for each in stack["Stacks"][0].get("Outputs", ())}
        settings = read_setting_outputs(outputs)
        settings |= {"AWS_DEFAULT_REGION": choice.region, "AWS_REGION": choice.region} if choice.region else {}
        sts: Any = session.create_client("sts")
        caller = str(sts.get_caller_identity()["Arn"]).rpartition("/")[2]
        operator = environment.get(OPERATOR_VARIABLE) or caller or getpass.getuser()
        settings[OPERATOR_VARIABLE] = operator
        if not choice.uses_own_credentials:
            settings |= _assume_role(sts, outputs, operator)
    except (BotoCoreError, ClientError) as error:
        raise UnusableStackError(f"The stack {choice.name} cannot be used: {error}") from error
    try:
        read_settings(settings)
    except SettingsError as error:
        message = f"The stack {choice.name} is of an earlier release. Deploy it again. {error}."
        raise UnusableStackError(message) from error
    return settings


def _assume_role(sts: Any, outputs: Mapping[str, str], operator: str) -> dict[str, str]:
    role = outputs.get("OperatorRoleArn")
    if not role:
        raise UnusableStackError("The stack is of an earlier release and has no operator role. Deploy it again.")
    name = re.sub(r"[^\w+=,.@-]", "-", operator, flags=re.ASCII)[:64]
    # The name appears in CloudTrail with everything that the command does.
    credentials = sts.assume_role(RoleArn=role, RoleSessionName=name.ljust(2, "-"))["Credentials"]
    return {
        "AWS_ACCESS_KEY_ID": credentials["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": credentials["SecretAccessKey"],
        "AWS_SESSION_TOKEN": credentials["SessionToken"],
    }
