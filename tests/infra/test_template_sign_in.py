"""How the user pool sends email, and which other apps can call the API."""

import json
import re
from datetime import timedelta
from pathlib import Path

import pytest

from chalicelib.domain.identity.members import INVITATION_VALID_FOR

TEMPLATE = json.loads((Path(__file__).parents[2] / "infra" / "resources.json").read_text("utf-8"))
POOL = TEMPLATE["Resources"]["UserPool"]["Properties"]
CLIENT = TEMPLATE["Resources"]["UserPoolClient"]["Properties"]


def choose(value, *, with_ses):
    """One side of a condition on `AccountMail`."""
    condition, if_ses, otherwise = value["Fn::If"]
    assert condition == "SendsAccountMailWithSES"
    return if_ses if with_ses else otherwise


def test_invitations_and_codes_go_out_from_the_products_own_sender():
    """O12: through SES, with the configuration set that records bounces."""
    email = choose(POOL["EmailConfiguration"], with_ses=True)

    assert email["EmailSendingAccount"] == "DEVELOPER"
    assert email["From"] == {"Ref": "MailFrom"}
    assert email["SourceArn"]["Fn::Sub"].endswith(":identity/${MailIdentity}")
    assert email["ConfigurationSet"] == {"Ref": "MailConfigurationSet"}


def test_the_invitation_has_a_link_the_address_and_the_password():
    """Cognito replaces the two names; without one of them, it refuses the template."""
    invitation = choose(POOL["AdminCreateUserConfig"]["InviteMessageTemplate"], with_ses=True)
    text = invitation["EmailMessage"]["Fn::Sub"]

    days = POOL["Policies"]["PasswordPolicy"]["TemporaryPasswordValidityDays"]
    assert text.count("{username}") == text.count("{####}") == 1
    assert '<a href="${PublicUrl}">' in text
    assert f"valid for {days} days" in text


def test_an_invitation_ends_when_its_password_does():
    """The page of an organization's people says so without asking the user pool."""
    days = POOL["Policies"]["PasswordPolicy"]["TemporaryPasswordValidityDays"]

    assert timedelta(days=days) == INVITATION_VALID_FOR


def test_the_email_with_a_code_has_a_link_and_the_code():
    """And says how long the code is valid, which Cognito has fixed at an hour."""
    code = choose(POOL["VerificationMessageTemplate"], with_ses=True)
    text = code["EmailMessage"]["Fn::Sub"]

    assert code["DefaultEmailOption"] == "CONFIRM_WITH_CODE"
    assert text.count("{####}") == 1
    assert '<a href="${PublicUrl}">' in text
    assert "valid for 1 hour" in text


def test_a_first_deployment_does_not_wait_for_the_domain_of_the_sender():
    """SES cannot verify it before the stack exists. Cognito's own sender has Cognito's own text."""
    assert TEMPLATE["Parameters"]["AccountMail"]["Default"] == "COGNITO"
    assert choose(POOL["EmailConfiguration"], with_ses=False) == {"EmailSendingAccount": "COGNITO_DEFAULT"}
    invitation = POOL["AdminCreateUserConfig"]["InviteMessageTemplate"]
    assert choose(invitation, with_ses=False) == {"Ref": "AWS::NoValue"}
    assert choose(POOL["VerificationMessageTemplate"], with_ses=False) == {"DefaultEmailOption": "CONFIRM_WITH_CODE"}


def test_setting_up_an_authenticator_has_the_longest_time_that_cognito_allows():
    """15 minutes, because someone has to install an app first."""
    assert CLIENT["AuthSessionValidity"] == 15


def test_no_other_app_can_call_the_api_unless_the_operator_lists_it():
    """Off by default."""
    assert TEMPLATE["Parameters"]["AppOrigins"]["Default"] == ""


@pytest.mark.parametrize(
    "origins",
    [
        "",
        "capacitor://localhost",
        "ionic://localhost https://app.example",
        "http://localhost:8100",
        "https://app.example:8443",
    ],
)
def test_exact_origins_are_accepted(origins):
    """Those of Capacitor and Ionic apps, and of web apps."""
    assert re.fullmatch(TEMPLATE["Parameters"]["AppOrigins"]["AllowedPattern"], origins)


@pytest.mark.parametrize(
    "origins",
    [
        "*",
        "null",
        "https://*.app.example",
        "https://app.example/",
        "https://app.example,https://b.example",
        "localhost",
    ],
)
def test_patterns_and_pages_are_refused(origins):
    """A deployment with one of them fails before anything changes."""
    assert not re.fullmatch(TEMPLATE["Parameters"]["AppOrigins"]["AllowedPattern"], origins)
