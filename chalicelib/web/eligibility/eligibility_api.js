// The API routes of the eligibility check. Each function calls one route; /docs has the fields.
import { callApi } from "../identity/session.js";

/** @param {object} body Nothing of it is stored, so that it needs no key. */
export const screenPatient = async (body) => (await callApi("POST", "screens", { body })).data;
