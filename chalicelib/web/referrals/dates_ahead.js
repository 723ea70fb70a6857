// The dates that lie ahead of a patient, next to the next action.
import { html } from "../platform/dom.js";
import { formatWallClock, formatWeekday } from "../platform/time.js";
import { hasPlannedDates, PlannedDates } from "./plans.js";

/** The stages in which the center has not yet confirmed the end of monitoring. */
const BEFORE_CONFIRMATION = ["infused", "monitoring"];

/** Whether the last day of a monitoring window is over, in the center's time zone. @param {any} window */
function isOver(window) {
  return formatWallClock(Date.now(), window.time_zone).slice(0, 10) > window.ends_on;
}

/** The end of a monitoring window. After its last day it is shown until the center confirms it. @param {{window: any}} properties */
function WindowEnd({ window }) {
  const on = html`<time class="tabular-numbers" datetime=${window.ends_on}>${formatWeekday(window.ends_on)}</time>`;
  if (!isOver(window)) return html`<p><strong>Monitoring ends</strong> on ${on}.</p>`;
  return html`<p><strong>Monitoring was planned to end</strong> on ${on}. The center has not confirmed the end yet.</p>`;
}

/** @param {{referral: any, children?: any}} properties `children` follow the dates. */
export function DatesAhead({ referral, children }) {
  const isPlanned = hasPlannedDates(referral);
  const { window } = referral;
  const hasWindow = window && !window.ended_on && (!isOver(window) || BEFORE_CONFIRMATION.includes(referral.stage));
  if (!referral.submitted_at || (referral.phase === "closed" && !isPlanned)) return null;
  return html`<section class="card stack" aria-labelledby="dates-ahead">
    <h2 id="dates-ahead">Dates ahead</h2>
    ${isPlanned ? html`<${PlannedDates} referral=${referral} />` : !hasWindow && html`<p class="small-text">No dates are planned yet.</p>`}
    ${hasWindow && html`<${WindowEnd} window=${window} />`}
    ${children}
  </section>`;
}
