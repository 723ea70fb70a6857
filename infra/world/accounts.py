"""The sample members' accounts in the identity service."""

from dataclasses import dataclass
from typing import Any, Protocol

from infra.world.people import DemoMember


class Accounts(Protocol):
    """An identity service that can create accounts."""

    def ensure_account(self, member: DemoMember) -> str:
        """Create the account if it does not exist. Return the service's ID of the account."""
        ...


@dataclass(frozen=True, slots=True)
class CognitoAccounts:
    """Accounts in a Cognito user pool, with the sample password."""

    client: Any
    pool_id: str

    def ensure_account(self, member: DemoMember) -> str:
        """Create the account and set its password. An earlier attempt may have completed only a part."""
        user_key = {"UserPoolId": self.pool_id, "Username": member.email}
        try:
            attributes = self.client.admin_create_user(
                **user_key,
                MessageAction="SUPPRESS",
                UserAttributes=[{"Name": "email", "Value": member.email}, {"Name": "email_verified", "Value": "true"}],
            )["User"]["Attributes"]
        except self.client.exceptions.UsernameExistsException:
            attributes = self.client.admin_get_user(**user_key)["UserAttributes"]
        self.client.admin_set_user_password(**user_key, Password=member.password, Permanent=True)
        subject: str = next(attribute["Value"] for attribute in attributes if attribute["Name"] == "sub")
        return subject
