// The API routes of notices and their settings. Each function calls one route; /docs has the fields.
import { callApi } from "../identity/session.js";

/**
 * @typedef {import("../platform/api_types.js").NoticePageResponse} NoticePage
 * @typedef {import("../platform/api_types.js").NoticeResponse} Notice
 * @typedef {import("../platform/api_types.js").PreferencesRequest} PreferencesRequest
 * @typedef {import("../platform/api_types.js").PreferencesResponse} Preferences
 * @typedef {import("../platform/api_types.js").ReferralNoticePageResponse} ReferralNoticePage
 * @typedef {import("../platform/api_types.js").UnreadCountResponse} UnreadCount
 */

const encode = encodeURIComponent;

/** @param {string | null} [cursor] @param {number} [limit] @returns {Promise<NoticePage>} */
export const listNotices = async (cursor, limit) =>
  (await callApi("GET", "notices", { query: { cursor, limit } })).data;

/** One of the member's own notices. @param {string} id @returns {Promise<Notice>} */
export const getNotice = async (id) => (await callApi("GET", `notices/${encode(id)}`)).data;

/**
 * @param {string} id
 * @param {string} key
 */
export const markNoticeRead = (id, key) => callApi("POST", `notices/${encode(id)}/read`, { key });

/**
 * @param {string[]} ids the notices that were on the page
 * @param {string} key
 * @returns {Promise<UnreadCount>}
 */
export const markNoticesRead = async (ids, key) =>
  (await callApi("POST", "notices/read", { body: { notice_ids: ids }, key })).data;

/**
 * @param {string} id
 * @param {string | null} [cursor]
 * @returns {Promise<ReferralNoticePage>}
 */
export const listReferralNotices = async (id, cursor) =>
  (await callApi("GET", `referrals/${encode(id)}/notices`, { query: { cursor, limit: 100 } })).data;

/** The member's notification settings. @returns {Promise<{data: Preferences, etag: string | null}>} */
export const getPreferences = () => callApi("GET", "me/notification-preferences");

/**
 * @param {PreferencesRequest} body
 * @param {string} version the ETag of the settings that were read
 * @returns {Promise<{data: Preferences, etag: string | null}>}
 */
export const savePreferences = (body, version) => callApi("PUT", "me/notification-preferences", { body, version });
