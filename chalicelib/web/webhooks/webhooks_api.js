// The API routes of a center's webhook. Each function calls one route; /docs has the fields.
import { callApi } from "../identity/session.js";

const encode = encodeURIComponent;

/**
 * @param {string} center
 * @param {string | null} [cursor]
 */
export const listDeliveries = async (center, cursor) =>
  (await callApi("GET", `centers/${encode(center)}/deliveries`, { query: { cursor } })).data;

/**
 * @param {string} center
 * @param {string} delivery
 * @param {string} key
 */
export const replayDelivery = async (center, delivery, key) =>
  (await callApi("POST", `centers/${encode(center)}/deliveries/${encode(delivery)}/replay`, { key })).data;

/**
 * @param {string} center
 * @param {string} key
 * @returns {Promise<{secret_id: string, secret: string}>} told this once
 */
export const createSecret = async (center, key) =>
  (await callApi("POST", `centers/${encode(center)}/webhook-secrets`, { key })).data;
