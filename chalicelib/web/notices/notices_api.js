// The API routes of notices and their settings. Each function calls one route; /docs has the fields.
import { callApi } from "../identity/session.js";

const encode = encodeURIComponent;

/** @param {string | null} [cursor] @param {number} [limit] */
export const listNotices = async (cursor, limit) =>
  (await callApi("GET", "notices", { query: { cursor, limit } })).data;

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
export const markNoticesRead = async (ids, key) =>
  (await callApi("POST", "notices/read", { body: { notice_ids: ids }, key })).data;

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
