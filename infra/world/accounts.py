"""The fictional people's accounts with the identity service."""

from dataclasses import dataclass
from typing import Any, Protocol

from infra.world.people import DemoMember


class Accounts(Protocol):
    """Where people get an account to sign in with."""

    def ensure_account(self, member: DemoMember) -> str:
        """Make the account if there is none; return the service's id of the person."""
        ...


@dataclass(frozen=True, slots=True)
class CognitoAccounts:
    """Accounts in a Cognito user pool, with the password that is printed for them."""

    client: Any
    pool_id: str

    def ensure_account(self, member: DemoMember) -> str:
        """Make the account and set its password; an earlier try may have got half way."""
        who = {"UserPoolId": self.pool_id, "Username": member.email}
        try:
            made = self.client.admin_create_user(
                **who,
                MessageAction="SUPPRESS",
                UserAttributes=[{"Name": "email", "Value": member.email}, {"Name": "email_verified", "Value": "true"}],
            )["User"]["Attributes"]
        except self.client.exceptions.UsernameExistsException:
            made = self.client.admin_get_user(**who)["UserAttributes"]
        self.client.admin_set_user_password(**who, Password=member.password, Permanent=True)
        subject: str = next(each["Value"] for each in made if each["Name"] == "sub")
        return subject
