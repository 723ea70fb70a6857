// Since when a stage lasts, when its end is usual, and on request where that figure is from.
import { getTimeZone } from "../identity/member.js";
import { html } from "../platform/dom.js";
import { formatDate, formatElapsed, formatTime } from "../platform/time.js";
import { OverdueBadge } from "./badges.js";

/** What is usual and when it counts as late, in sentences; a typical time is no promise. */
function UsualDuration({ clock }) {
  const day = (date) => html`<time class="tabular-numbers" datetime=${date}>${formatDate(date)}</time>`;
  return html`<details>
    <summary>${clock.unit ? "What is usual here?" : "Where is this day from?"}</summary>
    <div class="small-text">
      ${clock.unit && clock.expected_by && html`<p>The typical time ends on ${day(clock.expected_by)}. It is no promise.</p>`}
      ${clock.amber_on && html`<p>Late after ${day(clock.amber_on)}${clock.red_on && html`, very late after ${day(clock.red_on)}`}.</p>`}
      <p>${clock.unit && `Counted in ${clock.unit} days. `}Source: ${clock.source}.</p>
    </div>
  </details>`;
}

export function StageSince({ clock }) {
  return html`<p class="large-text tabular-numbers">${formatElapsed(clock.since)}<${OverdueBadge} level=${clock.level} /></p>
    <p class="small-text tabular-numbers"><time datetime=${clock.since}>${formatTime(clock.since, getTimeZone())}</time></p>
    ${clock.expected_by && html`<p class="small-text tabular-numbers">${clock.unit ? "Usually by" : "Due on"} ${formatDate(clock.expected_by)}</p>`}
    ${clock.source && html`<${UsualDuration} clock=${clock} />`}`;
}
