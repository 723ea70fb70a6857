// The API routes of the coverage. Each function calls one route; /docs has the fields.
import { callApi } from "../identity/session.js";

/**
 * @typedef {import("../platform/api_types.js").CoverageResponse} Coverage
 * @typedef {import("../platform/api_types.js").CoverageCheckResponse} CoverageCheck
 * @typedef {import("../platform/api_types.js").LetterResponse} Letter
 */

/** @param {string} id @param {string} path */
const build = (id, path) => `referrals/${encodeURIComponent(id)}/${path}`;

/** @param {string} id @returns {Promise<{data: Coverage, etag: string | null}>} */
export const getCoverage = (id) => callApi("GET", build(id, "coverage"));

/** @param {string} id @param {any} body @param {string} etag @returns {Promise<Coverage>} */
export const recordMove = async (id, body, etag) =>
  (await callApi("PATCH", build(id, "coverage"), { body, version: etag })).data;

/** @param {string} id @returns {Promise<CoverageCheck[]>} */
export const listChecks = async (id) => (await callApi("GET", build(id, "coverage-checks"))).data.items;

/** @param {string} id @param {string} key @returns {Promise<CoverageCheck>} */
export const requestCheck = async (id, key) => (await callApi("POST", build(id, "coverage-checks"), { key })).data;

/** @param {string} id @returns {Promise<{data: Letter, etag: string | null}>} */
export const getLetter = (id) => callApi("GET", build(id, "coverage/letter"));

/** @param {string} id @param {{text: string, final: boolean}} body @param {string} etag @returns {Promise<Letter>} */
export const saveLetter = async (id, body, etag) =>
  (await callApi("PUT", build(id, "coverage/letter"), { body, version: etag })).data;
