// Sends one request to the API: JSON out, JSON in, and one error class for every failure.
import { describeFieldError } from "./labels.js";

// Relative to the address of this file, so that a deployment stage in the path needs no setting.
const API = new URL("../../../v1/", import.meta.url);
const TIMEOUT_MS = 30_000;
const DEFAULT_MESSAGE =
  "Something went wrong. Try again. If it happens again, contact support with the reference number.";

/**
 * @typedef {{pointer: string, code: string, message: string}} FieldError
 * @typedef {{body?: unknown, token?: string, membership?: string, key?: string, version?: string, plain?: boolean, file?: string,
 *            query?: Record<string, string | number | string[] | null | undefined>}} Options
 * @typedef {{data: any, etag: string | null}} ApiResponse
 */

/** The API returned an error, or did not respond (status 0, code "unreachable"). */
export class ApiProblem extends Error {
  /**
   * @param {number} status
   * @param {any} problem
   * @param {number | null} retryAfter seconds
   */
  constructor(status, problem, retryAfter = null) {
    super(problem?.detail || problem?.title || DEFAULT_MESSAGE);
    this.status = status;
    /** @type {string} */
    this.code = problem?.code || "unknown";
    /** @type {FieldError[]} */
    this.errors = (problem?.errors || []).map((/** @type {FieldError} */ error) => ({
      ...error,
      message: describeFieldError(error),
    }));
    this.requestId = problem?.request_id || null;
    this.retryAfter = retryAfter;
  }

  /** Whether the server may have processed the request although no response arrived. */
  get outcomeUnknown() {
    return this.status === 0 || this.status >= 500;
  }

  /** Whether it can help to send the same request again later. */
  get passing() {
    return this.outcomeUnknown || this.status === 429;
  }
}

export const buildUnreachableProblem = () =>
  new ApiProblem(0, {
    code: "unreachable",
    detail: "You appear to be offline. Check your internet connection, then try again.",
  });

/**
 * @param {string} path below /v1/
 * @param {Options["query"]} query
 */
export function buildUrl(path, query = {}) {
  const url = new URL(path, API);
  for (const [name, given] of Object.entries(query)) {
    for (const value of [given].flat()) {
      if (value != null && value !== "") url.searchParams.append(name, String(value));
    }
  }
  return url;
}

/**
 * @param {string} method
 * @param {string} path
 * @param {Options} [options]
 * @returns {Promise<ApiResponse>}
 */
export async function sendRequest(method, path, { body, token, membership, key, version, plain, file, query } = {}) {
  /** @type {Record<string, string>} */
  const headers = { Accept: file ?? (plain ? "*/*" : "application/json") };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (token) headers.Authorization = `Bearer ${token}`;
  if (membership) headers["X-Membership"] = membership;
  if (key) headers["Idempotency-Key"] = key;
  if (version) headers["If-Match"] = version;
  let response, blob;
  let text = "";
  try {
    response = await fetch(buildUrl(path, query), {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      cache: "no-store",
      credentials: "omit",
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    if (file && response.ok) blob = await response.blob();
    else text = await response.text();
  } catch {
    throw buildUnreachableProblem();
  }
  const data = blob ?? (plain && response.ok ? text : parseBody(text));
  if (!response.ok) throw new ApiProblem(response.status, data, parseRetryAfter(response.headers.get("Retry-After")));
  // A response that was cut off counts as no response: the caller must repeat the request with the same key.
  if (data === undefined) throw buildUnreachableProblem();
  return { data, etag: response.headers.get("ETag") };
}

/** @param {string} text */
function parseBody(text) {
  if (!text) return null;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** @param {string | null} header */
function parseRetryAfter(header) {
  const value = Number(header);
  return header && Number.isFinite(value) ? Math.min(Math.max(value, 1), 300) : null;
}
