// The API routes of the eligibility check. Each function calls one route; /docs has the fields.
import { callApi } from "../identity/session.js";

/**
 * @typedef {import("../platform/api_types.js").ScreenRequest} ScreenRequest
 * @typedef {import("../platform/api_types.js").ScreenResponse} ScreenResult
 */

/** @typedef {import("../platform/api_types.js").ChartEntriesResponse} ChartEntries */

/** What a health record's card offers. A link works once. @param {string} token @returns {Promise<ChartEntries>} */
export const takeChartEntries = async (token) =>
  (await callApi("POST", "screens/chart-entries", { body: { token } })).data;

/** Nothing is stored, so no idempotency key is needed. @param {ScreenRequest} body @returns {Promise<ScreenResult>} */
export const screenPatient = async (body) => (await callApi("POST", "screens", { body })).data;
