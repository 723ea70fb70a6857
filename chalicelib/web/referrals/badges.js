// Badges that the worklist and the referral page share: progress, next action, and overdue level.
import { isPractice, me } from "../identity/member.js";
import { html } from "../platform/dom.js";
import { PHASES } from "../platform/labels.js";

/**
 * @typedef {import("../platform/api_types.js").ReferralResponse} Referral
 * @typedef {import("../platform/api_types.js").ReferralSummaryResponse} Row
 * @typedef {Pick<Referral | Row, "practice" | "center">} Names of a referral or a row of the worklist
 */

/** The name of the organization that acts next. @param {string} owner @param {Names} names */
export const getOwnerName = (owner, names) =>
  owner === "center" ? (names.center?.name ?? "the treatment center") : names.practice.name;

/** The name of the other organization of a referral. @param {Names} names */
export const getPartnerName = (names) => getOwnerName(isPractice() ? "center" : "practice", names);

/** The current phase of a referral, as one of eight ticks. @param {{phase: string}} properties */
export function PhaseProgress({ phase }) {
  const order = Object.keys(PHASES);
  const at = order.indexOf(phase);
  if (phase === "closed" || at < 0) return null;
  return html`<span class="phase-progress" aria-hidden="true">
    ${order.slice(0, -1).map((_, index) => html`<i class=${index < at ? "is-done" : index === at ? "is-current" : ""} />`)}
  </span>`;
}

/**
 * Who acts next: this member's team, or the other organization by name.
 * @param {{owner: string, referral: Names}} properties
 */
export function NextActionBadge({ owner, referral }) {
  if (owner === "none") return html`<span class="small-text">None</span>`;
  if (owner === me.value.tenant.kind) return html`<span class="chip is-accent">Your team</span>`;
  return html`<span>${getOwnerName(owner, referral)}</span>`;
}

/** @type {Record<string, string[]>} */
const LEVEL_LABELS = {
  amber: ["is-warning", "Overdue"],
  red: ["is-error", "Long overdue"],
  on_hold: ["", "On hold"],
};

/**
 * Whether a status is overdue or on hold. Shows nothing if the status is on time.
 * @param {{level: string}} properties
 */
export function OverdueBadge({ level }) {
  const [tone, text] = LEVEL_LABELS[level] || [];
  return text && html` <span class="chip ${tone}">${text}</span>`;
}
