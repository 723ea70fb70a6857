"""What people and administrators do about their sign-in, through the API and a strict user pool."""

import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from chalicelib.domain.identity.members import Member, Role, Tenant
from chalicelib.services.audit.verification import list_referral_chains
from tests.support import factories, identity
from tests.support.api_client import ApiAnswer, ApiClient
from tests.support.api_driver import ApiDriver
from tests.support.identity import PASSWORD
from tests.support.strict_pool import StrictPool
from tests.support.strict_pool_client import connect, read_settings
from tests.support.strict_pool_people import Account
from tests.support.totp import compute_code


@dataclass(frozen=True)
class SignInDriver:
    """A clinic, its user pool, and one of its people."""

    clinic: ApiDriver
    pool: StrictPool
    account: Account
    member: Member

    @property
    def anyone(self) -> ApiClient:
        """A client without a session."""
        return self.clinic.anyone

    @property
    def email(self) -> str:
        """The address of the person."""
        return self.account.email

    def sign_in(self, password: str = PASSWORD, *, email: str = "") -> ApiAnswer:
        """Send a password."""
        return identity.sign_in(self.anyone, email or self.email, password)

    def answer(self, challenge: Mapping[str, Any], **reply: str) -> ApiAnswer:
        """Answer the challenge of a response."""
        return identity.answer_challenge(self.anyone, self.email, challenge["session"], challenge["challenge"], **reply)

    def open_session(self) -> ApiClient:
        """Sign in with the password, and with the authenticator if there is one."""
        response = self.sign_in(self.account.password).json
        if "challenge" in response:
            response = self.answer(response, code=self.compute_code()).json
        return self.anyone.with_token(response["access_token"])

    def compute_code(self) -> str:
        """The code that the person's authenticator shows. A code that was used counts as new again."""
        secret = self.account.secret or self.account.pending_secret
        self.account.used_codes.clear()
        return compute_code(secret)

    def enroll(self) -> None:
        """Give the person an authenticator, as if set up earlier."""
        self.account.secret, self.account.uses_totp, self.account.prefers_totp = "JBSWY3DPEHPK3PXP", True, True

    def open_admin(self) -> ApiClient:
        """A client of an administrator of the practice."""
        return self.clinic.get_client_for(self.clinic.members["practice_admin"])

    def reload_member(self) -> Member:
        """The person's membership as it is stored now."""
        member = self.clinic.stores.members.get_by_member_id(self.member.tenant_id, self.member.member_id)
        assert member is not None
        return member

    def list_actions(self) -> list[tuple[str, str]]:
        """The actions and outcomes in the audit trail of the person, oldest first."""
        log = self.clinic.stores.audit_log
        rows = [
            row
            for chain in list_referral_chains(f"member#{self.member.member_id}")
            for row in log.list_chained_rows(chain)
        ]
        return [(row["action"], row["outcome"]) for row in rows]


@contextmanager
def open_sign_in_driver(
    clinic: ApiDriver, mfa: str, *, permanent: bool = True, **options: Any
) -> Iterator[SignInDriver]:
    """Connect the clinic to a new user pool with one person, who has an address of their own."""
    with connect(StrictPool(read_settings(mfa), **options)) as pool:
        account = pool.add(f"person-{secrets.token_hex(6)}@cedar.example", PASSWORD, permanent=permanent)
        yield SignInDriver(clinic, pool, account, add_member(clinic, account))


def add_member(clinic: ApiDriver, account: Account, *, tenant: Tenant = factories.PRACTICE) -> Member:
    """Make the person of an account a coordinator of an organization."""
    member = factories.build_member(
        tenant, role=Role.COORDINATOR, n=secrets.randbelow(10**12), subject=account.username, email=account.email
    )
    clinic.stores.members.add(member)
    return member
