"""Passwords and authenticators: forgotten, changed, enrolled, lost, and the invitation that is sent again."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from chalicelib.aws import translate_aws_errors
from chalicelib.errors import FieldError, MalformedError, RateLimitedError, UnauthenticatedError
from chalicelib.services.identity.cognito_errors import (
    build_weak_password_error,
    build_wrong_code_error,
    translate_refusals,
)
from chalicelib.services.identity.sign_in import TOTP

_RESET_CODE_INCORRECT = (
    "The code is incorrect or too old. Use the code of the last email, or send a new code. Codes are valid for an hour."
)
_APP_CODE_INCORRECT = "The code is incorrect or was used already. Enter the code that the app shows now."


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialService:
    """What people do with their passwords and authenticators, for one user pool and app client."""

    client: Callable[[], Any]
    client_id: str
    pool_id: str

    def send_reset_code(self, email: str) -> None:
        """Email a code for a forgotten password, if there is an account that can have one.

        The caller learns nothing: an unknown address, a disabled account, an invitation that was never used, and
        a person who asked too often all end the same way.
        """
        with suppress(UnauthenticatedError, RateLimitedError), translate_refusals():
            self.client().forgot_password(ClientId=self.client_id, Username=email)

    def reset_password(self, *, email: str, code: str, new_password: str) -> str:
        """Set a new password with the code from the email, and return the subject of the account.

        Every session of the person ends. An authenticator stays, so the next sign-in still asks for its code.

        Raises:
            MalformedError: the code is wrong or too old, or Cognito does not accept the password. The code of an
                unknown address is wrong.
            RateLimitedError: too many wrong codes.
        """
        wrong_code = build_wrong_code_error(_RESET_CODE_INCORRECT)
        with translate_refusals(wrong_code, weak_password=build_weak_password_error(), too_many=wrong_code):
            self.client().confirm_forgot_password(
                ClientId=self.client_id, Username=email, ConfirmationCode=code, Password=new_password
            )
        with translate_aws_errors():
            self.client().admin_user_global_sign_out(UserPoolId=self.pool_id, Username=email)
            user = self.client().admin_get_user(UserPoolId=self.pool_id, Username=email)
        return next(str(a["Value"]) for a in user["UserAttributes"] if a["Name"] == "sub")

    def change_password(self, access_token: str, *, current_password: str, new_password: str) -> None:
        """Change the password of a signed-in person.

        Raises:
            MalformedError: the current password is wrong, or Cognito does not accept the new one.
            RateLimitedError: too many wrong passwords.
        """
        with translate_refusals(_build_wrong_password_error(), weak_password=build_weak_password_error()):
            self.client().change_password(
                AccessToken=access_token, PreviousPassword=current_password, ProposedPassword=new_password
            )

    def has_authenticator(self, access_token: str) -> bool:
        """Whether sign-in asks this person for the code of an authenticator."""
        with translate_refusals(UnauthenticatedError()):
            return TOTP in self.client().get_user(AccessToken=access_token).get("UserMFASettingList", [])

    def has_second_step(self, person: str) -> bool | None:
        """Whether sign-in asks a person for more than the password; None if Cognito has no such account.

        Cognito answers this for one person only: its list of users does not name their second steps.

        Args:
            person: The id of the person in the identity service.
        """
        with translate_aws_errors():
            client = self.client()
            try:
                account = client.admin_get_user(UserPoolId=self.pool_id, Username=person)
            except client.exceptions.UserNotFoundException:
                return None
        # A response without the account says nothing about it.
        return bool(account.get("UserMFASettingList")) if "UserStatus" in account else None

    def start_authenticator(self, access_token: str, *, email: str, password: str) -> str:
        """Make the key of a new authenticator for a signed-in person, and return it in base32.

        The password is asked for again, so that an open browser is not enough to take over an account. An earlier
        authenticator stops working: Cognito knows one, and forgets it now.

        Raises:
            MalformedError: the password is wrong.
        """
        with translate_refusals(_build_wrong_password_error("/password")):
            self.client().initiate_auth(
                ClientId=self.client_id,
                AuthFlow="USER_PASSWORD_AUTH",
                AuthParameters={"USERNAME": email, "PASSWORD": password},
            )
        with translate_refusals(UnauthenticatedError()):
            return str(self.client().associate_software_token(AccessToken=access_token)["SecretCode"])

    def confirm_authenticator(self, access_token: str, code: str) -> None:
        """Check the first code of a new authenticator. From then on, each sign-in asks for a code.

        Raises:
            MalformedError: the code is wrong, or no authenticator was started.
        """
        wrong_code = build_wrong_code_error(_APP_CODE_INCORRECT)
        with translate_refusals(wrong_code, wrong_code=wrong_code):
            self.client().verify_software_token(AccessToken=access_token, UserCode=code, FriendlyDeviceName="app")
            self.client().set_user_mfa_preference(
                AccessToken=access_token, SoftwareTokenMfaSettings={"Enabled": True, "PreferredMfa": True}
            )

    def send_invitation_again(self, email: str) -> None:
        """Email a new temporary password to a person who has not signed in yet; otherwise do nothing.

        The caller does not learn which of the two happened, because the account can be older than the invitation.
        """
        with translate_aws_errors():
            client = self.client()
            with suppress(client.exceptions.UnsupportedUserStateException, client.exceptions.UserNotFoundException):
                client.admin_create_user(
                    UserPoolId=self.pool_id,
                    Username=email,
                    MessageAction="RESEND",
                    DesiredDeliveryMediums=["EMAIL"],
                )

    def delete_account(self, subject: str) -> None:
        """Delete an account, and with it the password, the authenticator and every session. A repeat does nothing."""
        with translate_aws_errors():
            client = self.client()
            with suppress(client.exceptions.UserNotFoundException):
                client.admin_delete_user(UserPoolId=self.pool_id, Username=subject)


def _build_wrong_password_error(pointer: str = "/current_password") -> MalformedError:
    detail = "Your current password is incorrect."
    return MalformedError("password_incorrect", detail, errors=[FieldError(pointer, "password_incorrect", detail)])
