// The API routes of messages and information requests. Each function calls one route; /docs has the fields.
import { callApi } from "../identity/session.js";
import { createIdempotencyKey } from "../platform/idempotent_request.js";

/**
 * @typedef {import("../platform/api_types.js").InformationAnswerBody} InformationAnswer
 * @typedef {import("../platform/api_types.js").InformationRequestBody} NewInformationRequest
 * @typedef {import("../platform/api_types.js").InformationRequestResponse} InformationRequest
 * @typedef {import("../platform/api_types.js").InformationRequestsResponse} InformationRequests
 * @typedef {import("../platform/api_types.js").MessagePageResponse} MessagePage
 * @typedef {import("../platform/api_types.js").MessageResponse} Message
 */

/** @param {string} id @param {string} path */
const build = (id, path) => `referrals/${encodeURIComponent(id)}/${path}`;

/** @param {string} id @param {string | null} cursor @returns {Promise<MessagePage>} */
export const listMessages = async (id, cursor) =>
  (await callApi("GET", build(id, "messages"), { query: { cursor, limit: 20 } })).data;

/** @param {string} id @param {string} text @param {string} key @returns {Promise<Message>} */
export const sendMessage = async (id, text, key) =>
  (await callApi("POST", build(id, "messages"), { body: { text }, key })).data;

/** Confirm that the member saw the messages up to a number. @param {string} id @param {number} number */
export const confirmMessagesRead = (id, number) =>
  callApi("POST", build(id, "messages/read"), { body: { up_to: number }, key: createIdempotencyKey() });

/** @param {string} id @returns {Promise<InformationRequests>} */
export const listInformationRequests = async (id) => (await callApi("GET", build(id, "information-requests"))).data;

/** @param {string} id @param {NewInformationRequest} body @param {string} key @returns {Promise<InformationRequest>} */
export const requestInformation = async (id, body, key) =>
  (await callApi("POST", build(id, "information-requests"), { body, key })).data;

/** @param {string} id @param {string} requestId @param {InformationAnswer} body @param {string} key @returns {Promise<InformationRequest>} */
export const answerInformationRequest = async (id, requestId, body, key) =>
  (await callApi("POST", build(id, `information-requests/${encodeURIComponent(requestId)}/answer`), { body, key }))
    .data;

/** @param {string} id @param {string} requestId @param {string} key @returns {Promise<InformationRequest>} */
export const closeInformationRequest = async (id, requestId, key) =>
  (await callApi("POST", build(id, `information-requests/${encodeURIComponent(requestId)}/close`), { key })).data;
