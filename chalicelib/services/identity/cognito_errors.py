"""What a refusal of Amazon Cognito means to a person, without revealing which accounts exist.

Before the password is proven, every refusal is the same response: a wrong password, an unknown address, a
disabled account, a lockout and an expired invitation look alike. After that, a person learns what to do.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from chalicelib.aws import get_error_code, translate_aws_errors
from chalicelib.errors import ApiError, FieldError, MalformedError, RateLimitedError, UnauthenticatedError

REFUSED_CODES = frozenset(
    {
        "CodeMismatchException",
        "EnableSoftwareTokenMFAException",
        "ExpiredCodeException",
        "InvalidParameterException",
        "InvalidPasswordException",
        "NotAuthorizedException",
        "PasswordHistoryPolicyViolationException",
        "PasswordResetRequiredException",
        "SoftwareTokenMFANotFoundException",
        "UserNotConfirmedException",
        "UserNotFoundException",
    }
)
"""Refusals that are about the person. Every other one is about our own settings."""

RATE_LIMIT_CODES = frozenset({"LimitExceededException", "TooManyFailedAttemptsException", "TooManyRequestsException"})

WEAK_PASSWORD_CODES = frozenset({"InvalidPasswordException", "PasswordHistoryPolicyViolationException"})
"""Cognito's refusals of a new password."""

WRONG_CODE_CODES = frozenset({"CodeMismatchException", "EnableSoftwareTokenMFAException", "ExpiredCodeException"})
"""Cognito's refusals of a code: wrong, too old, or used already."""

PASSWORD_RULES = "Use at least 12 characters, with an uppercase letter, a lowercase letter, and a number."  # noqa: S105 a text
"""The user pool's rules, as its template has them."""


def build_weak_password_error(pointer: str = "/new_password") -> ApiError:
    """The refusal of a new password, at its field."""
    detail = "Choose another password."
    return MalformedError("password_refused", detail, errors=[FieldError(pointer, "password_refused", PASSWORD_RULES)])


def build_wrong_code_error(detail: str) -> ApiError:
    """The refusal of a code, at its field."""
    return MalformedError("code_incorrect", detail, errors=[FieldError("/code", "code_incorrect", detail)])


def build_rate_limit_error() -> ApiError:
    """The refusal of a person who tried too often."""
    return RateLimitedError("slow_down", "Too many attempts. Wait 15 minutes, then try again.", retry_after_s=900)


@contextmanager
def translate_refusals(others: ApiError | None = None, **by_meaning: ApiError) -> Iterator[None]:
    """Turn Cognito's refusals into ours. An outage becomes `UnavailableError`.

    Args:
        others: The error for every refusal without one of its own; a failed sign-in if None.
        by_meaning: Errors for `wrong_code`, `weak_password` and `too_many`.
    """
    meanings: Mapping[str, frozenset[str]] = {
        "wrong_code": WRONG_CODE_CODES,
        "weak_password": WEAK_PASSWORD_CODES,
        "too_many": RATE_LIMIT_CODES,
    }
    by_meaning = {"too_many": build_rate_limit_error()} | by_meaning
    with translate_aws_errors():
        try:
            yield
        except ApiError:
            raise
        except Exception as e:
            code = _get_code(e)
            for meaning, error in by_meaning.items():
                if code in meanings[meaning]:
                    raise error from None
            if code in REFUSED_CODES:
                raise (others or UnauthenticatedError("sign_in_refused")) from None
            raise


def _get_code(error: Exception) -> str:
    # A timeout also has the attribute `response`: None.
    return get_error_code(error) if getattr(error, "response", None) else ""
