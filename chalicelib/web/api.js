// @ts-check
// The API in the dashboard's words. Each function is one route; shapes are those of /docs.
import { sendRequest } from "./http.js";
import { callApi } from "./session.js";

/**
 * @typedef {{stage: string, label: string, allowed: boolean, why_not: string | null, needs: string[], reasons: string[], ends: boolean}} Action
 * @typedef {{stage: string, label: string, state: "done" | "current" | "not_reported" | "ahead", at: string | null}} Step
 * @typedef {{phase: string, label: string, stages: Step[]}} Leg
 * @typedef {{day: number, on: string, kind: string, label?: string}} Milestone
 * @typedef {{time_zone: string, infused_on: string, ends_on: string, milestones: Milestone[],
 *            extensions: any[], late_effects: string[], notices: PlannedNotice[]}} Window
 * @typedef {{owner: string, since: string, expected_by: string | null, amber_on: string | null, red_on: string | null,
 *            level: "on_time" | "amber" | "red" | "on_hold" | "none", unit: string | null, source: string | null}} Clock
 * @typedef {{pointer: string, label: string}} PacketItem
 * @typedef {{complete: boolean, present: number, needed: number, missing: PacketItem[]}} Packet
 * @typedef {{referral_id: string, stage: string, stage_label: string, phase: string, stage_since: string,
 *            clock: Clock, journey: Leg[], actions: Action[], may_report: string[], packet: Packet,
 *            window: Window | null, [section: string]: any}} Referral
 */

const encode = encodeURIComponent;

export const getDisclaimers = async () => (await sendRequest("GET", "statements")).data;
export const getMe = async () => (await callApi("GET", "me")).data;

/** @param {object} body Nothing of it is stored, so that it needs no key. */
export const screenPatient = async (body) => (await callApi("POST", "screens", { body })).data;
export const listProducts = async () => (await callApi("GET", "products")).data.items;

/** @param {{near?: string, within_miles?: string, product?: string, disease?: string, q?: string, cursor?: string, limit?: number}} query */
export const listCenters = async (query) => (await callApi("GET", "centers", { query })).data;

/** @param {string} id */
export const getCenter = async (id) => (await callApi("GET", `centers/${encode(id)}`)).data;

/** @param {{worklist?: string, phase?: string, q?: string, cursor?: string}} query */
export const listReferrals = async (query) => (await callApi("GET", "referrals", { query })).data;
export const countReferrals = async () => (await callApi("GET", "referrals/counts")).data;

/**
 * @param {string} id
 * @returns {Promise<{data: Referral, etag: string | null}>}
 */
export const getReferral = (id) => callApi("GET", `referrals/${encode(id)}`);

/** Say that this was on the screen, so that it is no news any more. @param {string} id @param {string | null} version its ETag */
export const markViewed = (id, version) => callApi("PUT", `referrals/${encode(id)}/look`, { version });

/**
 * @param {string} id
 * @param {string | null} cursor
 */
export const listTimeline = async (id, cursor) =>
  (await callApi("GET", `referrals/${encode(id)}/events`, { query: { cursor } })).data;

/**
 * @param {object} body
 * @param {string} key the same for every try of one attempt, so that a lost answer doubles nothing
 */
export const createReferral = (body, key) => callApi("POST", "referrals", { body, key });

/**
 * @param {string} id
 * @param {object} body
 * @param {string} version the ETag the change was made from
 */
export const changeReferral = (id, body, version) =>
  callApi("PATCH", `referrals/${encode(id)}`, { body, version });

/**
 * @param {string} id
 * @param {object} body
 * @param {string} key
 */
export const sendEvent = async (id, body, key) =>
  (await callApi("POST", `referrals/${encode(id)}/events`, { body, key })).data;

/** The hand-back package. @param {string} id @returns {Promise<{data: any, etag: string | null}>} */
export const getHandback = (id) => callApi("GET", `referrals/${encode(id)}/handback`);

/**
 * @param {string} id
 * @param {object} body
 * @param {string} version the ETag of the package that was read
 */
export const saveHandback = (id, body, version) => callApi("PUT", `referrals/${encode(id)}/handback`, { body, version });

/** The dated days after the infusion, and the emergency card. @param {string} id */
export const getFollowUp = async (id) => (await callApi("GET", `referrals/${encode(id)}/follow-up`)).data;

/** The same days as a file. @param {string} id @returns {Promise<string>} */
export const getFollowUpFile = async (id) => (await callApi("GET", `referrals/${encode(id)}/follow-up.ics`, { plain: true })).data;

/** Whether this member has a calendar feed. @returns {Promise<{active: boolean, made_at: string | null}>} */
export const getCalendar = async () => (await callApi("GET", "me/calendar")).data;

/** @param {string} key @returns {Promise<{url: string}>} told this once */
export const createCalendar = async (key) => (await callApi("POST", "me/calendar", { key })).data;
export const endCalendar = () => callApi("DELETE", "me/calendar");

/** @param {string | null} [cursor] @param {number} [limit] */
export const listNotices = async (cursor, limit) => (await callApi("GET", "notices", { query: { cursor, limit } })).data;

/**
 * @param {string} id
 * @param {string} key
 */
export const markNoticeRead = (id, key) => callApi("POST", `notices/${encode(id)}/read`, { key });

/**
 * @param {string[]} ids those that were shown
 * @param {string} key
 * @returns {Promise<{unread: number}>}
 */
export const markNoticesRead = async (ids, key) => (await callApi("POST", "notices/read", { body: { notice_ids: ids }, key })).data;

/**
 * @param {string} id
 * @param {string | null} [cursor]
 */
export const listReferralNotices = async (id, cursor) =>
  (await callApi("GET", `referrals/${encode(id)}/notices`, { query: { cursor, limit: 100 } })).data;

/** How one wants to be mailed. @returns {Promise<{data: any, etag: string | null}>} */
export const getPreferences = () => callApi("GET", "me/notification-preferences");

/**
 * @param {object} body
 * @param {string} version the ETag of what was read
 */
export const savePreferences = (body, version) => callApi("PUT", "me/notification-preferences", { body, version });

/**
 * @param {string} center
 * @param {string | null} [cursor]
 */
export const listDeliveries = async (center, cursor) =>
  (await callApi("GET", `centers/${encode(center)}/deliveries`, { query: { cursor } })).data;

/**
 * @param {string} center
 * @param {string} delivery
 * @param {string} key
 */
export const replayDelivery = async (center, delivery, key) =>
  (await callApi("POST", `centers/${encode(center)}/deliveries/${encode(delivery)}/replay`, { key })).data;

/**
 * @param {string} center
 * @param {string} key
 * @returns {Promise<{secret_id: string, secret: string}>} told this once
 */
export const createSecret = async (center, key) => (await callApi("POST", `centers/${encode(center)}/webhook-secrets`, { key })).data;

export const createIdempotencyKey = () => crypto.randomUUID();
