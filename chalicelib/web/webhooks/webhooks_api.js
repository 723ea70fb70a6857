// The API routes of a center's webhook. Each function calls one route; /docs has the fields.
import { callApi } from "../identity/session.js";

/**
 * @typedef {import("../platform/api_types.js").DeliveryPageResponse} DeliveryPage
 * @typedef {import("../platform/api_types.js").DeliveryResponse} Delivery
 * @typedef {import("../platform/api_types.js").WebhookSecretResponse} WebhookSecret
 */

const encode = encodeURIComponent;

/**
 * @param {string} center
 * @param {string | null} [cursor]
 * @returns {Promise<DeliveryPage>}
 */
export const listDeliveries = async (center, cursor) =>
  (await callApi("GET", `centers/${encode(center)}/deliveries`, { query: { cursor } })).data;

/**
 * @param {string} center
 * @param {string} delivery
 * @param {string} key
 * @returns {Promise<Delivery>}
 */
export const replayDelivery = async (center, delivery, key) =>
  (await callApi("POST", `centers/${encode(center)}/deliveries/${encode(delivery)}/replay`, { key })).data;

/**
 * The secret is returned only once.
 *
 * @param {string} center
 * @param {string} key
 * @returns {Promise<WebhookSecret>}
 */
export const createSecret = async (center, key) =>
  (await callApi("POST", `centers/${encode(center)}/webhook-secrets`, { key })).data;
