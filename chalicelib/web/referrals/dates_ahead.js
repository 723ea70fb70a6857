// The dates that lie ahead of a patient, next to the next action.
import { html } from "../platform/dom.js";
import { formatWeekday } from "../platform/time.js";
import { hasPlannedDates, PlannedDates } from "./plans.js";

/** The end of a monitoring window that is still open. @param {{window: any}} properties */
function WindowEnd({ window }) {
  if (!window || window.ended_on) return null;
  return html`<p><strong>Monitoring ends</strong> on <time class="tabular-numbers" datetime=${window.ends_on}>${formatWeekday(window.ends_on)}</time>.</p>`;
}

/** @param {{referral: any, children?: any}} properties `children` follow the dates. */
export function DatesAhead({ referral, children }) {
  const isPlanned = hasPlannedDates(referral);
  const hasWindow = referral.window && !referral.window.ended_on;
  if (!referral.submitted_at || (referral.phase === "closed" && !isPlanned)) return null;
  return html`<section class="card stack" aria-labelledby="dates-ahead">
    <h2 id="dates-ahead">Dates ahead</h2>
    ${isPlanned ? html`<${PlannedDates} referral=${referral} />` : !hasWindow && html`<p class="small-text">No dates are planned yet.</p>`}
    <${WindowEnd} window=${referral.window} />
    ${children}
  </section>`;
}
