// The API routes of passwords, authenticators and members. Each function calls one route; /docs has the fields.
import { sendRequest } from "../platform/http.js";
import { callApi } from "./session.js";

/**
 * @typedef {import("../platform/api_types.js").AuthenticatorResponse} Authenticator
 * @typedef {import("../platform/api_types.js").AuthenticatorKeyResponse} AuthenticatorKey
 * @typedef {import("../platform/api_types.js").MemberResponse} Member
 * @typedef {import("../platform/api_types.js").ListedMemberResponse} ListedMember
 * @typedef {import("../platform/api_types.js").SecondStepPageResponse} SecondStepPage
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

/** @returns {Promise<ListedMember[]>} */
export const listMembers = async () => (await callApi("GET", "members")).data.items;

/** @param {string | null} cursor @returns {Promise<SecondStepPage>} */
export const listSecondSteps = async (cursor) =>
  (await callApi("GET", "members/second-steps", { query: { cursor } })).data;

/** @param {{name: string, email: string, roles: string[]}} body @param {string} key */
export const inviteMember = (body, key) => callApi("POST", "members", { body, key });

/** @param {string} id @param {string} key */
export const sendInvitationAgain = (id, key) =>
  callApi("POST", `members/${encodeURIComponent(id)}/invitation`, { key });

/** @param {string} id @param {string} key */
export const resetSignIn = (id, key) => callApi("POST", `members/${encodeURIComponent(id)}/sign-in-reset`, { key });

/** @param {Member} member @param {boolean} active */
export const setActive = (member, active) =>
  callApi("PATCH", `members/${encodeURIComponent(member.member_id)}`, {
    body: { active },
    version: `"${member.version}"`,
  });
