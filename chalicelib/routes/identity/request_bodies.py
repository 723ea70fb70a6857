"""The request bodies of sign-in and of member management."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from chalicelib.domain.identity.members import Role
from chalicelib.routes.platform.fields import Email, SingleLineText, StrictModel, build_pattern_validator
from chalicelib.services.identity.cognito_errors import PASSWORD_RULES

MIN_PASSWORD_CHARS = 12
MAX_PASSWORD_CHARS = 256


def _check_password_rules(password: str) -> str:
    """Check the user pool's rules before it is asked, so that a weak password is refused the same for every address."""
    has_all = any(c.islower() for c in password) and any(c.isupper() for c in password)
    if len(password) < MIN_PASSWORD_CHARS or not has_all or not any(c in "0123456789" for c in password):
        raise ValueError(PASSWORD_RULES)
    return password


NewPassword = Annotated[str, Field(max_length=MAX_PASSWORD_CHARS), AfterValidator(_check_password_rules)]
CurrentPassword = Annotated[str, Field(min_length=1, max_length=MAX_PASSWORD_CHARS)]
Code = Annotated[str, AfterValidator(build_pattern_validator(r"\d{6}", "Enter the 6-digit code."))]


class SignInRequest(StrictModel):
    """A password for a session."""

    email: Email
    """The email address of the person."""
    password: CurrentPassword
    """The person's password."""


class ChallengeRequest(StrictModel):
    """The answer to a sign-in challenge."""

    email: Email
    """The email address of the person."""
    challenge: Literal["NEW_PASSWORD_REQUIRED", "SOFTWARE_TOKEN_MFA", "MFA_SETUP"]
    """The challenge: a new password, a code of the authenticator app, or its setup."""
    session: Annotated[str, Field(min_length=1, max_length=4096)]
    """The `session` of the response with the challenge. Send it as it is."""
    new_password: NewPassword | None = None
    """The new password, if the challenge asks for one."""
    code: Code | None = None
    """The six-digit code of the authenticator app, if the challenge asks for one."""


class RefreshRequest(StrictModel):
    """A refresh token for a new access token."""

    refresh_token: Annotated[str, Field(min_length=1, max_length=8192)]
    """The refresh token of an earlier response."""


class ResetCodeRequest(StrictModel):
    """An address to which to send a code for a forgotten password."""

    email: Email
    """An email address."""


class PasswordResetRequest(StrictModel):
    """A new password, with the code from the email."""

    email: Email
    """An email address."""
    code: Code
    """The code from the email."""
    new_password: NewPassword
    """The new password."""


class PasswordChangeRequest(StrictModel):
    """A new password of a signed-in person."""

    current_password: CurrentPassword
    """The password that the person uses now."""
    new_password: NewPassword
    """The new password."""


class AuthenticatorRequest(StrictModel):
    """The password, asked for again before an authenticator is set up."""

    password: CurrentPassword
    """The person's password."""


class AuthenticatorCodeRequest(StrictModel):
    """The first code of a new authenticator."""

    code: Code
    """The six-digit code that the authenticator app shows."""


class InviteRequest(StrictModel):
    """A person to invite to one's own organization."""

    name: SingleLineText
    """The name of the person."""
    email: Email
    """The email address of the person, to which the invitation is sent."""
    roles: Annotated[list[Role], Field(min_length=1, max_length=5)]
    """The roles in the organization."""


class MemberPatchRequest(StrictModel):
    """Changes to a member."""

    roles: Annotated[list[Role], Field(min_length=1, max_length=5)] | None = None
    """The new roles, all of them; unchanged if left out."""
    active: bool | None = None
    """Whether the member is active; unchanged if left out."""
