// The API routes without patient data: centers, products, patient resources, and diagnosis codes.
import { callApi } from "../identity/session.js";

/**
 * @typedef {import("../platform/api_types.js").CenterPageResponse} CenterPage
 * @typedef {import("../platform/api_types.js").CenterResponse} Center
 * @typedef {import("../platform/api_types.js").DiagnosisCodeListResponse} DiagnosisCodeList
 * @typedef {import("../platform/api_types.js").ProductListResponse} ProductList
 * @typedef {import("../platform/api_types.js").ResourceListResponse} ResourceList
 */

const encode = encodeURIComponent;

/** @returns {Promise<ProductList["items"]>} */
export const listProducts = async () => (await callApi("GET", "products")).data.items;

/**
 * @param {{near?: string, within_miles?: string, product?: string, disease?: string, q?: string, cursor?: string, limit?: number}} query
 * @returns {Promise<CenterPage>}
 */
export const listCenters = async (query) => (await callApi("GET", "centers", { query })).data;

/** @param {string} id @returns {Promise<Center>} */
export const getCenter = async (id) => (await callApi("GET", `centers/${encode(id)}`)).data;

/** @param {{topic?: string, language?: string, q?: string}} query @returns {Promise<ResourceList>} */
export const listResources = async (query) => (await callApi("GET", "resources", { query })).data;

/** @param {string} disease @returns {Promise<DiagnosisCodeList>} */
export const listDiagnosisCodes = async (disease) =>
  (await callApi("GET", "diagnosis-codes", { query: { disease } })).data;
