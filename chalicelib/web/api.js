// @ts-check
// The API in the dashboard's words. Each function is one route; shapes are those of /docs.
import { exchange } from "./http.js";
import { call } from "./session.js";

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

const part = encodeURIComponent;

export const statements = async () => (await exchange("GET", "statements")).data;
export const whoAmI = async () => (await call("GET", "me")).data;

/** @param {object} body Nothing of it is stored, so that it needs no key. */
export const screen = async (body) => (await call("POST", "screens", { body })).data;
export const products = async () => (await call("GET", "products")).data.items;

/** @param {{near?: string, within_miles?: string, product?: string, disease?: string, q?: string, cursor?: string, limit?: number}} query */
export const centers = async (query) => (await call("GET", "centers", { query })).data;

/** @param {string} id */
export const center = async (id) => (await call("GET", `centers/${part(id)}`)).data;

/** @param {{worklist?: string, phase?: string, q?: string, cursor?: string}} query */
export const referrals = async (query) => (await call("GET", "referrals", { query })).data;
export const counts = async () => (await call("GET", "referrals/counts")).data;

/**
 * @param {string} id
 * @returns {Promise<{data: Referral, etag: string | null}>}
 */
export const referral = (id) => call("GET", `referrals/${part(id)}`);

/** Say that this was on the screen, so that it is no news any more. @param {string} id @param {string | null} version its ETag */
export const lookAt = (id, version) => call("PUT", `referrals/${part(id)}/look`, { version });

/**
 * @param {string} id
 * @param {string | null} cursor
 */
export const timeline = async (id, cursor) =>
  (await call("GET", `referrals/${part(id)}/events`, { query: { cursor } })).data;

/**
 * @param {object} body
 * @param {string} key the same for every try of one attempt, so that a lost answer doubles nothing
 */
export const createReferral = (body, key) => call("POST", "referrals", { body, key });

/**
 * @param {string} id
 * @param {object} body
 * @param {string} version the ETag the change was made from
 */
export const changeReferral = (id, body, version) =>
  call("PATCH", `referrals/${part(id)}`, { body, version });

/**
 * @param {string} id
 * @param {object} body
 * @param {string} key
 */
export const sendEvent = async (id, body, key) =>
  (await call("POST", `referrals/${part(id)}/events`, { body, key })).data;

/** The hand-back package. @param {string} id @returns {Promise<{data: any, etag: string | null}>} */
export const handback = (id) => call("GET", `referrals/${part(id)}/handback`);

/**
 * @param {string} id
 * @param {object} body
 * @param {string} version the ETag of the package that was read
 */
export const writeHandback = (id, body, version) => call("PUT", `referrals/${part(id)}/handback`, { body, version });

/** The dated days after the infusion, and the emergency card. @param {string} id */
export const followUp = async (id) => (await call("GET", `referrals/${part(id)}/follow-up`)).data;

/** The same days as a file. @param {string} id @returns {Promise<string>} */
export const followUpFile = async (id) => (await call("GET", `referrals/${part(id)}/follow-up.ics`, { plain: true })).data;

/** Whether this member has a calendar feed. @returns {Promise<{active: boolean, made_at: string | null}>} */
export const calendar = async () => (await call("GET", "me/calendar")).data;

/** @param {string} key @returns {Promise<{url: string}>} told this once */
export const makeCalendar = async (key) => (await call("POST", "me/calendar", { key })).data;
export const endCalendar = () => call("DELETE", "me/calendar");

/** @param {string | null} [cursor] @param {number} [limit] */
export const notices = async (cursor, limit) => (await call("GET", "notices", { query: { cursor, limit } })).data;

/**
 * @param {string} id
 * @param {string} key
 */
export const readNotice = (id, key) => call("POST", `notices/${part(id)}/read`, { key });

/**
 * @param {string[]} ids those that were shown
 * @param {string} key
 * @returns {Promise<{unread: number}>}
 */
export const readNotices = async (ids, key) => (await call("POST", "notices/read", { body: { notice_ids: ids }, key })).data;

/**
 * @param {string} id
 * @param {string | null} [cursor]
 */
export const referralNotices = async (id, cursor) =>
  (await call("GET", `referrals/${part(id)}/notices`, { query: { cursor, limit: 100 } })).data;

/** How one wants to be mailed. @returns {Promise<{data: any, etag: string | null}>} */
export const preferences = () => call("GET", "me/notification-preferences");

/**
 * @param {object} body
 * @param {string} version the ETag of what was read
 */
export const savePreferences = (body, version) => call("PUT", "me/notification-preferences", { body, version });

/**
 * @param {string} center
 * @param {string | null} [cursor]
 */
export const deliveries = async (center, cursor) =>
  (await call("GET", `centers/${part(center)}/deliveries`, { query: { cursor } })).data;

/**
 * @param {string} center
 * @param {string} delivery
 * @param {string} key
 */
export const replayDelivery = async (center, delivery, key) =>
  (await call("POST", `centers/${part(center)}/deliveries/${part(delivery)}/replay`, { key })).data;

/**
 * @param {string} center
 * @param {string} key
 * @returns {Promise<{secret_id: string, secret: string}>} told this once
 */
export const newSecret = async (center, key) => (await call("POST", `centers/${part(center)}/webhook-secrets`, { key })).data;

export const newKey = () => crypto.randomUUID();
