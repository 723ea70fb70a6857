// The API routes of the eligibility check. Each function calls one route; /docs has the fields.
import { callApi } from "../identity/session.js";

/**
 * @typedef {import("../platform/api_types.js").ScreenRequest} ScreenRequest
 * @typedef {import("../platform/api_types.js").ScreenResponse} ScreenResult
 */

/** Nothing is stored, so no idempotency key is needed. @param {ScreenRequest} body @returns {Promise<ScreenResult>} */
export const screenPatient = async (body) => (await callApi("POST", "screens", { body })).data;
