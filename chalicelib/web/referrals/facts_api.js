// The API routes of a referral's facts.
import { callApi } from "../identity/session.js";

/**
 * @typedef {import("../platform/api_types.js").ChangePageResponse} ChangePage
 * @typedef {import("../platform/api_types.js").FactRevisionResponse} FactRevision
 */

/**
 * @param {string} id
 * @param {string | null} cursor
 * @returns {Promise<ChangePage>}
 */
export const listChanges = async (id, cursor) =>
  (await callApi("GET", `referrals/${encodeURIComponent(id)}/changes`, { query: { cursor } })).data;
