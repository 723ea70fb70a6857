"""A health record system's token is good once."""

from datetime import datetime, timedelta

from chalicelib.errors import UnauthenticatedError
from chalicelib.services.ehr.cds_tokens import LEEWAY_S, CdsTokenVerifier
from chalicelib.services.platform.run_context import RunContext
from chalicelib.store.platform.transactions import ConditionFailedError

REPLAY_MARGIN = timedelta(seconds=2 * LEEWAY_S)
"""Beyond its expiry, so that no clock that is a little off can bring a token back."""


def verify_ehr_token_once(token: str, *, audience: str, verifier: CdsTokenVerifier, context: RunContext) -> None:
    """Let a system of the allow-list pass, and its token never again.

    Raises:
        UnauthenticatedError: it is no such token, or was used before: one text for both.
    """
    claims = verifier.verify(token, audience=audience, now=context.now)
    until = datetime.fromtimestamp(claims["exp"], tz=context.now.tzinfo) + REPLAY_MARGIN
    use = context.stores.used_tokens.prepare_use(claims["iss"], claims["jti"], until=until, now=context.now)
    try:
        context.stores.transactions.commit(use)
    except ConditionFailedError as e:
        raise UnauthenticatedError from e
