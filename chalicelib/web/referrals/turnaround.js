// The time in a status, its typical turnaround, and the source of that figure.
import { getTimeZone } from "../identity/member.js";
import { html } from "../platform/dom.js";
import { formatDate, formatElapsed, formatTime } from "../platform/time.js";
import { OverdueBadge } from "./badges.js";

/** @typedef {import("../platform/api_types.js").TurnaroundResponse} Turnaround */

/**
 * The typical turnaround and when a status is overdue. A typical time is an estimate, not a promise.
 * @param {{clock: Turnaround}} properties
 */
function TurnaroundDetails({ clock }) {
  const day = (/** @type {string} */ date) =>
    html`<time class="tabular-numbers" datetime=${date}>${formatDate(date)}</time>`;
  return html`<details>
    <summary>${clock.unit ? "How is this date estimated?" : "Where does this date come from?"}</summary>
    <div class="small-text">
      ${clock.unit && clock.expected_by && html`<p>Typically done by ${day(clock.expected_by)}. This is an estimate, not a promise.</p>`}
      ${clock.amber_on && html`<p>Overdue after ${day(clock.amber_on)}${clock.red_on && html`; long overdue after ${day(clock.red_on)}`}.</p>`}
      <p>${clock.unit && `Counted in ${clock.unit} days. `}Source: ${clock.source}.</p>
    </div>
  </details>`;
}

/** @param {{clock: Turnaround}} properties */
export function StageSince({ clock }) {
  return html`<p class="large-text tabular-numbers">${formatElapsed(clock.since)}<${OverdueBadge} level=${clock.level} /></p>
    <p class="small-text tabular-numbers"><time datetime=${clock.since}>${formatTime(clock.since, getTimeZone())}</time></p>
    ${clock.expected_by && html`<p class="small-text tabular-numbers">${clock.unit ? "Typically by" : "Due"} ${formatDate(clock.expected_by)}</p>`}
    ${clock.source && html`<${TurnaroundDetails} clock=${clock} />`}`;
}
