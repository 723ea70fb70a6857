// The API routes that are about no patient: centers, products, patient resources and diagnosis codes.
import { callApi } from "../identity/session.js";

/**
 * @typedef {{title: string, url: string, as_of: string, dated: boolean}} Source
 * @typedef {{resource_id: string, name: string, organization: string, kind: string, topics: string[], what: string,
 *            asked_by: string, url: string, phone: string, phone_as_printed: string, hours: string | null,
 *            languages: string[], last_checked: string, confirm: string | null, sources: Source[]}} Resource
 */

const encode = encodeURIComponent;

export const listProducts = async () => (await callApi("GET", "products")).data.items;

/** @param {{near?: string, within_miles?: string, product?: string, disease?: string, q?: string, cursor?: string, limit?: number}} query */
export const listCenters = async (query) => (await callApi("GET", "centers", { query })).data;

/** @param {string} id */
export const getCenter = async (id) => (await callApi("GET", `centers/${encode(id)}`)).data;

/** @param {{topic?: string, language?: string, q?: string}} query */
export const listResources = async (query) => (await callApi("GET", "resources", { query })).data;

/** @param {string} disease */
export const listDiagnosisCodes = async (disease) =>
  (await callApi("GET", "diagnosis-codes", { query: { disease } })).data;
