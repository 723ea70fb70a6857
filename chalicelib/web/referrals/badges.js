// Small marks that the worklist and a referral share: where it is, whose move, how late.
import { me } from "../identity/member.js";
import { html } from "../platform/dom.js";
import { PHASES } from "../platform/labels.js";

/** Which of the eight parts of the journey a referral has come to, as eight ticks. */
export function PhaseProgress({ phase }) {
  const order = Object.keys(PHASES);
  const at = order.indexOf(phase);
  if (phase === "closed" || at < 0) return null;
  return html`<span class="phase-progress" aria-hidden="true">
    ${order.slice(0, -1).map((_, index) => html`<i class=${index < at ? "is-done" : index === at ? "is-current" : ""} />`)}
  </span>`;
}

/** Who makes the next move, seen from this member's side. */
export function NextActionBadge({ owner }) {
  if (owner === "none") return html`<span class="small-text">Nobody</span>`;
  if (owner === me.value.tenant.kind) return html`<span class="chip is-accent">Your team</span>`;
  return html`<span class="chip">${owner === "center" ? "Center" : "Practice"}</span>`;
}

const LEVEL_LABELS = { amber: ["is-warning", "Late"], red: ["is-error", "Very late"], on_hold: ["", "On hold"] };

/** How a clock stands, in a word; nothing where all is as usual. */
export function OverdueBadge({ level }) {
  const [tone, text] = LEVEL_LABELS[level] || [];
  return text && html` <span class="chip ${tone}">${text}</span>`;
}
