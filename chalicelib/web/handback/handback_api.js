// The API routes of the hand-back package and the follow-up calendar. Each function calls one route; /docs has the fields.
import { callApi } from "../identity/session.js";

const encode = encodeURIComponent;

/** The hand-back package. @param {string} id @returns {Promise<{data: any, etag: string | null}>} */
export const getHandback = (id) => callApi("GET", `referrals/${encode(id)}/handback`);

/**
 * @param {string} id
 * @param {object} body
 * @param {string} version the ETag of the package that was read
 */
export const saveHandback = (id, body, version) =>
  callApi("PUT", `referrals/${encode(id)}/handback`, { body, version });

/** The dated days after the infusion, and the emergency card. @param {string} id */
export const getFollowUp = async (id) => (await callApi("GET", `referrals/${encode(id)}/follow-up`)).data;

/** The same days as a file. @param {string} id @returns {Promise<string>} */
export const getFollowUpFile = async (id) =>
  (await callApi("GET", `referrals/${encode(id)}/follow-up.ics`, { plain: true })).data;

/** Whether this member has a calendar feed. @returns {Promise<{active: false, made_at: null} | {active: true, made_at: string}>} */
export const getCalendar = async () => (await callApi("GET", "me/calendar")).data;

/** @param {string} key @returns {Promise<{url: string}>} told this once */
export const createCalendar = async (key) => (await callApi("POST", "me/calendar", { key })).data;
export const endCalendar = () => callApi("DELETE", "me/calendar");
