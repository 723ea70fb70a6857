// The API routes of the transition-of-care summary and the follow-up calendar. Each function calls one route; /docs has
// the fields.
import { callApi } from "../identity/session.js";

/**
 * @typedef {import("../platform/api_types.js").CalendarAddressResponse} CalendarAddress
 * @typedef {import("../platform/api_types.js").CalendarFeedResponse} CalendarFeed
 * @typedef {CalendarFeed & ({active: false} | {active: true, made_at: string})} CalendarFeedState an active feed has a date
 * @typedef {import("../platform/api_types.js").FollowUpResponse} FollowUp
 * @typedef {import("../platform/api_types.js").HandbackRequest} HandbackRequest
 * @typedef {import("../platform/api_types.js").HandbackResponse} Handback
 */

const encode = encodeURIComponent;

/** The transition-of-care summary. @param {string} id @returns {Promise<{data: Handback, etag: string | null}>} */
export const getHandback = (id) => callApi("GET", `referrals/${encode(id)}/handback`);

/**
 * @param {string} id
 * @param {HandbackRequest} body
 * @param {string} version the ETag of the summary that was read
 * @returns {Promise<{data: Handback, etag: string | null}>}
 */
export const saveHandback = (id, body, version) =>
  callApi("PUT", `referrals/${encode(id)}/handback`, { body, version });

/** The dates after the infusion, and the emergency card. @param {string} id @returns {Promise<FollowUp>} */
export const getFollowUp = async (id) => (await callApi("GET", `referrals/${encode(id)}/follow-up`)).data;

/** The same dates as a file. @param {string} id @returns {Promise<string>} */
export const getFollowUpFile = async (id) =>
  (await callApi("GET", `referrals/${encode(id)}/follow-up.ics`, { plain: true })).data;

/** Whether this member has a calendar feed. @returns {Promise<CalendarFeedState>} */
export const getCalendar = async () => (await callApi("GET", "me/calendar")).data;

/** The address is returned only once. @param {string} key @returns {Promise<CalendarAddress>} */
export const createCalendar = async (key) => (await callApi("POST", "me/calendar", { key })).data;
export const endCalendar = () => callApi("DELETE", "me/calendar");
