// The API routes of consultation times. Each function calls one route; /docs has the fields.
import { callApi } from "../identity/session.js";

/**
 * @typedef {import("../platform/api_types.js").ConsultationResponse} Consultation
 * @typedef {import("../platform/api_types.js").PatternRequest} NewPattern
 * @typedef {import("../platform/api_types.js").PatternResponse} Pattern
 * @typedef {import("../platform/api_types.js").SlotPageResponse} SlotPage
 * @typedef {import("../platform/api_types.js").SlotResponse} Slot
 * @typedef {import("../platform/api_types.js").TimeRequestBody} TimeRequest
 */

/** @param {string} id */
const at = (id) => `referrals/${encodeURIComponent(id)}/consultation`;
/** @param {string} id @param {string} path */
const ofCenter = (id, path) => `centers/${encodeURIComponent(id)}/${path}`;
/** @param {number} version */
const toTag = (version) => `"${version}"`;

/** @param {string} id @returns {Promise<Consultation>} */
export const getConsultation = async (id) => (await callApi("GET", at(id))).data;

/** @param {string} id @param {{slot_id: string, state: string, note?: string | null, reschedule?: boolean}} body @param {number} version @returns {Promise<Consultation>} */
export const putConsultation = async (id, body, version) =>
  (await callApi("PUT", at(id), { body, version: toTag(version) })).data;

/** @param {string} id @param {string} reason @param {number} version @returns {Promise<Consultation>} */
export const cancelConsultation = async (id, reason, version) =>
  (await callApi("DELETE", at(id), { query: { reason }, version: toTag(version) })).data;

/** @param {string} id @param {TimeRequest} body @param {string} key @returns {Promise<Consultation>} */
export const askForTime = async (id, body, key) => (await callApi("POST", `${at(id)}/requests`, { body, key })).data;

/** @param {string} center @param {Record<string, string | null | undefined>} query @returns {Promise<SlotPage>} */
export const listSlots = async (center, query) => (await callApi("GET", ofCenter(center, "slots"), { query })).data;

/** @param {string} center @param {any} body @param {string} key */
export const publishSlot = async (center, body, key) =>
  (await callApi("POST", ofCenter(center, "slots"), { body, key })).data;

/** @param {string} center @param {Slot} slot */
export const removeSlot = (center, slot) =>
  callApi("DELETE", ofCenter(center, `slots/${encodeURIComponent(slot.slot_id)}`), { version: toTag(slot.version) });

/** @param {string} center @returns {Promise<Pattern[]>} */
export const listPatterns = async (center) => (await callApi("GET", ofCenter(center, "slot-patterns"))).data.items;

/** @param {string} center @param {NewPattern} body @param {string} key @returns {Promise<Pattern>} */
export const publishPattern = async (center, body, key) =>
  (await callApi("POST", ofCenter(center, "slot-patterns"), { body, key })).data;

/** @param {string} center @param {string} id @param {NewPattern} body @param {number} version @returns {Promise<Pattern>} */
export const changePattern = async (center, id, body, version) =>
  (await callApi("PUT", ofCenter(center, `slot-patterns/${encodeURIComponent(id)}`), { body, version: toTag(version) }))
    .data;

/** @param {string} center @param {string} id @param {number} version @returns {Promise<Pattern>} */
export const removePattern = async (center, id, version) =>
  (await callApi("DELETE", ofCenter(center, `slot-patterns/${encodeURIComponent(id)}`), { version: toTag(version) }))
    .data;
