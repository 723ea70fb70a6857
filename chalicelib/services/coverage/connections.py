"""The two connections behind the port: X12 in the CAQH CORE envelope, and JSON of a clearing house.

Neither logs anything: the worker that asks logs ids and the reason of a failure.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from chalicelib.domain.coverage import clearinghouse_write, core_envelope
from chalicelib.domain.coverage.answer_error import AnswerError, AnswerFlaw
from chalicelib.domain.coverage.clearinghouse_read import read_json_answer
from chalicelib.domain.coverage.clearinghouse_write import write_json_question
from chalicelib.domain.coverage.core_envelope import (
    build_core_request,
    find_envelope_failure,
    read_core_reply,
)
from chalicelib.domain.coverage.payers import AttemptIds, ConnectionKind, PayerConnection, PayerSetup
from chalicelib.domain.coverage.question import BenefitsQuestion
from chalicelib.domain.coverage.rows import AttemptFailure, Exchange, FailureKind, PayerAnswer
from chalicelib.domain.coverage.x12_error import X12Error, X12Flaw
from chalicelib.domain.coverage.x12_read import read_x12_response
from chalicelib.domain.coverage.x12_write import write_270
from chalicelib.errors import UnavailableError
from chalicelib.services.coverage.payer_http import DEFAULT_LIMITS, HttpLimits, HttpReply, send_post
from chalicelib.services.coverage.payer_secrets import CredentialsError, PayerCredentials, PayerSecrets

_NO_CREDENTIALS = AttemptFailure(
    kind=FailureKind.SET_UP,
    reason="credentials",
    sentence="The connection to this payer must be set up again. Until then, call the payer.",
)
_SECRETS_UNAVAILABLE = AttemptFailure(
    kind=FailureKind.RETRY, reason="secrets_unavailable", sentence="The request could not be sent yet. We keep trying."
)
_NOT_WRITTEN = "We could not write the request to the payer. We have been notified."
_NOT_READ = "The payer's answer could not be read. We keep trying."
_ANOTHER_ANSWER = "The payer answered another request. We keep trying."


@dataclass(frozen=True, slots=True)
class CoreSoapConnection:
    """Asks a payer by X12 270/271 in the CAQH CORE real-time envelope.

    Attributes:
        payer: Its configuration.
        secrets: Where its credentials are.
        read_clock: The time of the answer.
        limits: The time limits of an exchange.
    """

    payer: PayerSetup
    secrets: PayerSecrets
    read_clock: Callable[[], datetime]
    limits: HttpLimits = DEFAULT_LIMITS

    def ask(self, question: BenefitsQuestion, *, ids: AttemptIds) -> Exchange:
        """Send one question and read the answer, see `PayerConnection.ask`."""
        credentials = _read_credentials(self.secrets, self.payer)
        if isinstance(credentials, AttemptFailure):
            return Exchange(outcome=credentials)
        try:
            payload = write_270(question, self.payer, ids)
        except X12Error as error:
            return Exchange(outcome=_describe_own_error(error))
        request = build_core_request(
            payload,
            sender_id=self.payer.sender_id,
            receiver_id=self.payer.receiver_id,
            payload_id=ids.payload_id,
            sent_at=ids.sent_at,
            login=credentials.login,
        )
        headers = {"Content-Type": core_envelope.MEDIA_TYPE}
        reply = send_post(self.payer.address, request, headers, credentials=credentials, limits=self.limits)
        # The password is not part of what is kept: only the interchange is.
        return Exchange(outcome=self._read(reply, question), sent=payload, received=reply.body)

    def _read(self, reply: HttpReply, question: BenefitsQuestion) -> PayerAnswer | AttemptFailure:
        # A fault comes with the status 400 or 500, and says more than the status.
        if reply.failure and reply.status not in {400, 500}:
            return reply.failure
        try:
            envelope = read_core_reply(reply.body)
        except AnswerError as error:
            return reply.failure or _describe_unreadable(str(error.reason))
        failure = find_envelope_failure(envelope) or reply.failure
        if failure:
            return failure
        try:
            return read_x12_response(
                envelope.payload.encode(),
                trace_id=question.trace_id,
                production=self.payer.production,
                answered_at=self.read_clock(),
            )
        except X12Error as error:
            sentence = _ANOTHER_ANSWER if error.reason in {X12Flaw.OTHER_TRACE, X12Flaw.NO_TRACE} else _NOT_READ
            return _describe_unreadable(str(error.reason), sentence)


@dataclass(frozen=True, slots=True)
class ClearinghouseConnection:
    """Asks a payer through a clearing house that speaks JSON. Attributes as in `CoreSoapConnection`."""

    payer: PayerSetup
    secrets: PayerSecrets
    read_clock: Callable[[], datetime]
    limits: HttpLimits = DEFAULT_LIMITS

    def ask(self, question: BenefitsQuestion, *, ids: AttemptIds) -> Exchange:
        """Send one question and read the answer, see `PayerConnection.ask`."""
        credentials = _read_credentials(self.secrets, self.payer)
        if isinstance(credentials, AttemptFailure):
            return Exchange(outcome=credentials)
        request = write_json_question(question, self.payer, ids)
        headers = {"Content-Type": clearinghouse_write.MEDIA_TYPE, "Accept": clearinghouse_write.MEDIA_TYPE}
        reply = send_post(self.payer.address, request, headers, credentials=credentials, limits=self.limits)
        return Exchange(outcome=self._read(reply, question, ids), sent=request, received=reply.body)

    def _read(self, reply: HttpReply, question: BenefitsQuestion, ids: AttemptIds) -> PayerAnswer | AttemptFailure:
        if reply.failure:
            return reply.failure
        try:
            return read_json_answer(
                reply.body,
                trace_id=question.trace_id,
                control_number=ids.control_number,
                answered_at=self.read_clock(),
            )
        except AnswerError as error:
            sentence = _ANOTHER_ANSWER if error.reason is AnswerFlaw.CONTROL_NUMBER else _NOT_READ
            return _describe_unreadable(str(error.reason), sentence)


def open_connection(
    payer: PayerSetup,
    *,
    secrets: PayerSecrets,
    read_clock: Callable[[], datetime],
    limits: HttpLimits | None = None,
) -> PayerConnection:
    """Open the connection that the configuration of a payer names. Nothing is sent yet."""
    kind = CoreSoapConnection if payer.kind is ConnectionKind.CORE_SOAP else ClearinghouseConnection
    return kind(payer, secrets, read_clock, limits or DEFAULT_LIMITS)


def _read_credentials(secrets: PayerSecrets, payer: PayerSetup) -> PayerCredentials | AttemptFailure:
    try:
        return secrets.read_credentials(payer.credentials)
    except CredentialsError:
        return _NO_CREDENTIALS
    except UnavailableError:
        return _SECRETS_UNAVAILABLE


def _describe_own_error(error: X12Error) -> AttemptFailure:
    kind = FailureKind.SET_UP if error.reason is X12Flaw.SETUP else FailureKind.OURS
    return AttemptFailure(kind=kind, reason=f"unwritten_{error.reason}", sentence=_NOT_WRITTEN)


def _describe_unreadable(reason: str, sentence: str = _NOT_READ) -> AttemptFailure:
    return AttemptFailure(kind=FailureKind.RETRY, reason=reason, sentence=sentence)
