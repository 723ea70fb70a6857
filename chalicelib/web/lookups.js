// @ts-check
// What may be looked up and is about nobody: resources for patients, and diagnosis codes.
import { callApi } from "./session.js";

/**
 * @typedef {{title: string, url: string, as_of: string, dated: boolean}} Source
 * @typedef {{resource_id: string, name: string, organization: string, kind: string, topics: string[], what: string,
 *            asked_by: string, url: string, phone: string, phone_as_printed: string, hours: string | null,
 *            languages: string[], last_checked: string, confirm: string | null, sources: Source[]}} Resource
 */

/** @param {{topic?: string, language?: string, q?: string}} query */
export const listResources = async (query) => (await callApi("GET", "resources", { query })).data;

/** @param {string} disease */
export const listDiagnosisCodes = async (disease) => (await callApi("GET", "diagnosis-codes", { query: { disease } })).data;
