// The words for the states and dates of a coverage, for its card.
import { getTimeZone } from "../identity/member.js";
import { getLabel } from "../platform/labels.js";
import { formatDate, formatWallClock } from "../platform/time.js";

/** Words that say more than the code of a state. @type {Record<string, string>} */
const STATES = { more_info: "Payer asks for more", unknown: "Not known" };

/** @param {string} date */
const isPast = (date) => date < formatWallClock(Date.now(), getTimeZone()).slice(0, 10);

/** Until when something counts, or that it has ended. @param {string | null} date @param {string} words */
export const describeValidity = (date, words) => date && `${isPast(date) ? "ended" : words} ${formatDate(date)}`;

/**
 * The date next to the next step. Only some dates are deadlines.
 *
 * @param {{state: string, until: string | null, next_actor: string}} coverage
 */
export function describeUntil({ state, until, next_actor: actor }) {
  if (!until) return "";
  if (state === "cleared") return `until ${formatDate(until)}`;
  if (["approved", "verified"].includes(state)) return `${state} until ${formatDate(until)}`;
  return `${actor === "payer" ? "expected by" : "by"} ${formatDate(until)}`;
}

/** @param {{verification: string, stale_reason: string | null}} coverage */
export const describeVerification = ({ verification, stale_reason: reason }) =>
  verification === "stale" ? (reason === "plan_changed" ? "Of the earlier plan" : "Expired") : getLabel(verification);

/** @param {string} state */
export const describeAuthorization = (state) => STATES[state] ?? getLabel(state);
