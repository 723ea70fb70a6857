"""The request bodies of sign-in and of member management."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from chalicelib.domain.identity.members import Role
from chalicelib.routes.platform.fields import Email, SingleLineText, StrictModel, build_pattern_validator


class SignInRequest(StrictModel):
    """A password for a session."""

    email: Email
    password: Annotated[str, Field(min_length=1, max_length=256)]


class ChallengeRequest(StrictModel):
    """The answer to a sign-in challenge."""

    email: Email
    challenge: Literal["NEW_PASSWORD_REQUIRED", "SOFTWARE_TOKEN_MFA"]
    session: Annotated[str, Field(min_length=1, max_length=4096)]
    new_password: Annotated[str, Field(min_length=8, max_length=256)] | None = None
    code: Annotated[str, AfterValidator(build_pattern_validator(r"\d{6}", "Enter the 6-digit code."))] | None = None


class RefreshRequest(StrictModel):
    """A refresh token for a new access token."""

    refresh_token: Annotated[str, Field(min_length=1, max_length=8192)]


class InviteRequest(StrictModel):
    """A person to invite to one's own organization."""

    name: SingleLineText
    email: Email
    roles: Annotated[list[Role], Field(min_length=1, max_length=5)]


class MemberPatchRequest(StrictModel):
    """Changes to a member."""

    roles: Annotated[list[Role], Field(min_length=1, max_length=5)] | None = None
    active: bool | None = None
