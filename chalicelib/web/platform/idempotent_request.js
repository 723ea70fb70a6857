// Sends something once, however often it has to be tried. Until the server says what became
// of it, every try repeats the same body under the same Idempotency-Key.
import { useState } from "./dom.js";
import { ApiProblem } from "./http.js";

export const createIdempotencyKey = () => crypto.randomUUID();

// Answers that say nothing about an earlier try whose own answer was lost.
const RETRYABLE_STATUSES = new Set([401, 408, 425, 429]);

/** @param {ApiProblem} refusal */
const isFinal = (refusal) => !refusal.outcomeUnknown && !RETRYABLE_STATUSES.has(refusal.status);

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
   * While one try is under way a second call joins it; while the outcome of an earlier one is
   * unknown, that one is repeated and `body` is not looked at.
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
      const answer = await this.send(this.unresolved.body, this.unresolved.key);
      this.unresolved = null;
      return answer;
    } catch (refusal) {
      if (refusal instanceof ApiProblem && isFinal(refusal)) this.unresolved = null;
      throw refusal;
    }
  }
}

/**
 * One request of a component, kept from render to render.
 *
 * @template T
 * @param {(body: any, key: string) => Promise<T>} send
 */
export function useIdempotentRequest(send) {
  const [request] = useState(() => new IdempotentRequest(send));
  return request;
}
