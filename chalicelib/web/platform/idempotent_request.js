// Sends a request that takes effect only once, even after several tries. Until the outcome is
// known, every try repeats the same body with the same Idempotency-Key.
import { useState } from "./dom.js";
import { ApiProblem } from "./http.js";

export const createIdempotencyKey = () => crypto.randomUUID();

// These statuses do not show whether an earlier try, whose response was lost, took effect.
const RETRYABLE_STATUSES = new Set([401, 408, 425, 429]);

/** @param {ApiProblem} problem */
const isFinal = (problem) => !problem.outcomeUnknown && !RETRYABLE_STATUSES.has(problem.status);

/** @template T */
export class IdempotentRequest {
  /** @param {(body: any, key: string) => Promise<T>} send */
  constructor(send) {
    this.send = send;
    /** @type {{body: any, key: string} | null} */
    this.unresolved = null;
    /** @type {Promise<T> | null} */
    this.pending = null;
  }

  /**
   * A call during a running try waits for that try. While the outcome of an earlier try is
   * unknown, this repeats the earlier request and ignores `body`.
   *
   * @param {any} body
   * @returns {Promise<T>}
   */
  run(body) {
    this.pending ??= this.#try(body).finally(() => (this.pending = null));
    return this.pending;
  }

  /** @param {any} body */
  async #try(body) {
    this.unresolved ??= { body, key: createIdempotencyKey() };
    try {
      const response = await this.send(this.unresolved.body, this.unresolved.key);
      this.unresolved = null;
      return response;
    } catch (problem) {
      if (problem instanceof ApiProblem && isFinal(problem)) this.unresolved = null;
      throw problem;
    }
  }
}

/**
 * An idempotent request that a component keeps from one render to the next.
 *
 * @template T
 * @param {(body: any, key: string) => Promise<T>} send
 */
export function useIdempotentRequest(send) {
  const [request] = useState(() => new IdempotentRequest(send));
  return request;
}
