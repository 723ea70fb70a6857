"""Passwords and authenticators of people: forgotten, changed, enrolled."""

import hashlib
import time

from chalicelib import wiring
from chalicelib.domain.platform.rate_limit import RESET_CODES_PER_ADDRESS
from chalicelib.errors import ConflictError
from chalicelib.routes.identity.me_and_sessions import end_own_sessions
from chalicelib.routes.identity.request_bodies import (
    AuthenticatorCodeRequest,
    AuthenticatorRequest,
    PasswordChangeRequest,
    PasswordResetRequest,
    ResetCodeRequest,
)
from chalicelib.routes.identity.responses import AuthenticatorKeyResponse, AuthenticatorResponse
from chalicelib.routes.platform.endpoint import ApiResponse, declare_endpoint
from chalicelib.routes.platform.operations import RouteAccess
from chalicelib.routes.platform.request import ApiRequest
from chalicelib.services.identity import sessions
from chalicelib.services.identity.sign_in import build_otpauth_url
from chalicelib.services.platform.rate_limit import enforce_rate_limit


@declare_endpoint("POST", "/v1/sessions/password-reset", status=202, access=RouteAccess.PUBLIC)
def send_reset_code(request: ApiRequest, body: ResetCodeRequest) -> ApiResponse[None]:
    """Email a code for a forgotten password. The response is the same whether or not the address has an account."""
    address = hashlib.sha256(body.email.casefold().encode()).hexdigest()
    enforce_rate_limit(f"reset#{address}", RESET_CODES_PER_ADDRESS, context=request.context)
    wiring.get_credential_service().send_reset_code(body.email)
    return ApiResponse(body=None, status=202)


@declare_endpoint("POST", "/v1/sessions/password-reset/confirm", status=204, access=RouteAccess.PUBLIC)
def reset_password(request: ApiRequest, body: PasswordResetRequest) -> ApiResponse[None]:
    """Set a new password with the code from the email. Every session of the person ends."""
    subject = wiring.get_credential_service().reset_password(
        email=body.email, code=body.code, new_password=body.new_password
    )
    sessions.end_sessions(subject, why="password.reset", request_id=request.request_id, context=request.context)
    # Times in tokens are whole seconds, so every sign-in of this second has ended. Respond in the next one, so that
    # a sign-in right after the response counts.
    next_second = int(request.now.timestamp()) + 1
    time.sleep(max(0.0, next_second - wiring.read_clock().timestamp()))
    return ApiResponse(body=None, status=204)


@declare_endpoint("POST", "/v1/sessions/password", status=204)
def change_password(request: ApiRequest, body: PasswordChangeRequest) -> ApiResponse[None]:
    """Change your password. Every session ends, so sign in again with the new password."""
    wiring.get_credential_service().change_password(
        request.access_token, current_password=body.current_password, new_password=body.new_password
    )
    _sign_out_everywhere(request, why="password.change")
    return ApiResponse(body=None, status=204)


@declare_endpoint("GET", "/v1/sessions/authenticator")
def read_authenticator(request: ApiRequest) -> ApiResponse[AuthenticatorResponse]:
    """Get whether you use an authenticator app, and whether you can or must."""
    mfa = wiring.get_settings().identity_mfa
    is_enrolled = mfa != "OFF" and wiring.get_credential_service().has_authenticator(request.access_token)
    return ApiResponse(body={"enrolled": is_enrolled, "available": mfa != "OFF", "required": mfa == "ON"})


@declare_endpoint("POST", "/v1/sessions/authenticator")
def start_authenticator(request: ApiRequest, body: AuthenticatorRequest) -> ApiResponse[AuthenticatorKeyResponse]:
    """Start to set up an authenticator app. An earlier one stops working."""
    if wiring.get_settings().identity_mfa == "OFF":
        raise ConflictError("authenticator_off", "This site does not use authenticator apps.")
    email = request.member.email
    secret = wiring.get_credential_service().start_authenticator(
        request.access_token, email=email, password=body.password
    )
    return ApiResponse(body={"secret": secret, "otpauth_url": build_otpauth_url(secret, email)})


@declare_endpoint("POST", "/v1/sessions/authenticator/confirm", status=204)
def confirm_authenticator(request: ApiRequest, body: AuthenticatorCodeRequest) -> ApiResponse[None]:
    """Finish the setup of an authenticator app with its first code. Every session ends, so sign in again."""
    wiring.get_credential_service().confirm_authenticator(request.access_token, body.code)
    _sign_out_everywhere(request, why="authenticator.enroll")
    return ApiResponse(body=None, status=204)


def _sign_out_everywhere(request: ApiRequest, *, why: str) -> None:
    wiring.get_identity_service().sign_out(request.access_token)
    end_own_sessions(request, why=why)
