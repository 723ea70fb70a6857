// The API routes of a center's webhook. Each function calls one route; /docs has the fields.
import { callApi } from "../identity/session.js";
import { buildUnreachableProblem, buildUrl } from "../platform/http.js";

/**
 * @typedef {import("../platform/api_types.js").DeliveryPageResponse} DeliveryPage
 * @typedef {import("../platform/api_types.js").DeliveryResponse} Delivery
 * @typedef {import("../platform/api_types.js").SignedTestEventResponse} SignedTestEvent
 * @typedef {import("../platform/api_types.js").WebhookConnectionResponse} WebhookConnection
 * @typedef {import("../platform/api_types.js").WebhookSecretResponse} WebhookSecret
 */

const encode = encodeURIComponent;

/** @param {string} center @returns {Promise<WebhookConnection>} */
export const getConnection = async (center) => (await callApi("GET", `centers/${encode(center)}/webhook`)).data;

/** @param {string} center @param {string} key @returns {Promise<SignedTestEvent>} */
export const signTestEvent = async (center, key) =>
  (await callApi("POST", `centers/${encode(center)}/test-events`, { key })).data;

/**
 * Post a signed test event as a center's system posts: no token, and the bytes that were signed.
 *
 * @param {string} center
 * @param {SignedTestEvent} signed
 * @param {boolean} isWrong replace the signature, to see that it is refused
 * @returns {Promise<{status: number, answer: any}>}
 */
export async function postTestEvent(center, signed, isWrong) {
  const headers = {
    "Content-Type": "application/json",
    "webhook-id": signed.webhook_id,
    "webhook-timestamp": signed.webhook_timestamp,
    "webhook-signature": isWrong ? `v1,${"A".repeat(43)}=` : signed.webhook_signature,
  };
  try {
    const response = await fetch(buildUrl(`webhooks/centers/${encode(center)}`), {
      method: "POST",
      headers,
      body: signed.body,
      credentials: "omit",
    });
    return { status: response.status, answer: await response.json().catch(() => null) };
  } catch {
    throw buildUnreachableProblem();
  }
}

/**
 * @typedef {{status?: string, referral_id?: string}} DeliveryFilter
 *
 * @param {string} center
 * @param {DeliveryFilter} filter
 * @param {string | null} [cursor]
 * @returns {Promise<DeliveryPage>}
 */
export const listDeliveries = async (center, filter, cursor) =>
  (await callApi("GET", `centers/${encode(center)}/deliveries`, { query: { ...filter, cursor } })).data;

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
