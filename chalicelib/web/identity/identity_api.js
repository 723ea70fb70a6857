// The API routes of passwords and authenticators. Each function calls one route; /docs has the fields.
import { sendRequest } from "../platform/http.js";
import { callApi } from "./session.js";

/**
 * @typedef {import("../platform/api_types.js").AuthenticatorResponse} Authenticator
 * @typedef {import("../platform/api_types.js").AuthenticatorKeyResponse} AuthenticatorKey
 */

/** @param {string} email */
export const sendResetCode = (email) => sendRequest("POST", "sessions/password-reset", { body: { email } });

/** @param {{email: string, code: string, new_password: string}} body */
export const resetPassword = (body) => sendRequest("POST", "sessions/password-reset/confirm", { body });

/** @param {{current_password: string, new_password: string}} body */
export const changePassword = (body) => callApi("POST", "sessions/password", { body });

/** @returns {Promise<Authenticator>} */
export const getAuthenticator = async () => (await callApi("GET", "sessions/authenticator")).data;

/** @param {string} password @returns {Promise<AuthenticatorKey>} */
export const startAuthenticator = async (password) =>
  (await callApi("POST", "sessions/authenticator", { body: { password } })).data;

/** @param {string} code */
export const confirmAuthenticator = (code) => callApi("POST", "sessions/authenticator/confirm", { body: { code } });
