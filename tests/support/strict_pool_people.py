"""What the strict double of a user pool knows: its settings, its people, its sessions and its emails."""

import math
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

FREE_FAILURES = 5
MAX_LOCK_S = 900


class PoolError(Exception):
    """A refusal, with Cognito's code and text."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code)
        self.code, self.message = code, message


@dataclass(frozen=True)
class SentEmail:
    """An email that the pool sent, and the secret in it."""

    to: str
    subject: str
    html: str
    secret: str


@dataclass(frozen=True, kw_only=True)
class PoolSettings:
    """What the template says about the pool and its app client; durations in seconds."""

    pool_id: str
    client_id: str
    mfa: str
    flows: frozenset[str]
    access_s: int
    refresh_s: int
    session_s: int
    temporary_password_s: int
    password_rules: Mapping[str, Any]
    invitation: tuple[str, str]
    verification: tuple[str, str]

    def write_invitation(self, to: str, password: str) -> SentEmail:
        """Fill in the invitation."""
        subject, text = self.invitation
        return SentEmail(to, subject, text.replace("{username}", to).replace("{####}", password), password)

    def write_code(self, to: str, code: str) -> SentEmail:
        """Fill in the email with a code."""
        subject, text = self.verification
        return SentEmail(to, subject, text.replace("{####}", code), code)


@dataclass(eq=False)
class Account:
    """A person in the pool. `secret` is of the verified authenticator, `pending_secret` of a new one."""

    email: str
    password: str
    created_at: float
    username: str = field(default_factory=lambda: str(uuid.uuid4()))
    status: str = "CONFIRMED"
    enabled: bool = True
    failures: int = 0
    locked_until: float = 0.0
    secret: str = ""
    pending_secret: str = ""
    uses_totp: bool = False
    prefers_totp: bool = False
    second_factors: int = 1
    used_codes: set[tuple[str, int]] = field(default_factory=set)
    reset_code: str = ""
    reset_expires_at: float = 0.0
    reset_failures: int = 0
    reset_requests: list[float] = field(default_factory=list)
    issued: dict[str, int] = field(default_factory=dict)

    @property
    def has_authenticator(self) -> bool:
        """Whether a verified authenticator exists."""
        return bool(self.secret)

    def fail(self, now: float) -> None:
        """Count a wrong password or code; from the fifth on, the person is locked out."""
        self.failures += 1
        if self.failures >= FREE_FAILURES:
            self.locked_until = now + min(MAX_LOCK_S, math.pow(2, self.failures - FREE_FAILURES))

    def start_reset(self, code: str, expires_at: float) -> None:
        """Replace the code of a forgotten password."""
        self.reset_code, self.reset_expires_at, self.reset_failures = code, expires_at, 0


@dataclass(eq=False)
class PoolSession:
    """An open challenge."""

    token: str
    account: Account
    challenge: str
    expires_at: float
    is_set_up: bool = False


@dataclass(frozen=True)
class RefreshToken:
    """A session of a signed-in person."""

    account: Account
    origin: str
    auth_time: int


def check_password_rules(password: str, settings: PoolSettings) -> None:
    """Check a new password.

    Raises:
        PoolError: the password does not follow the pool's rules.
    """
    rules = settings.password_rules
    followed = (
        len(password) >= rules["MinimumLength"]
        and (not rules["RequireLowercase"] or any(c.islower() for c in password))
        and (not rules["RequireUppercase"] or any(c.isupper() for c in password))
        and (not rules["RequireNumbers"] or any(c.isdigit() for c in password))
    )
    if not followed:
        raise PoolError("InvalidPasswordException", "Password did not conform with policy")
