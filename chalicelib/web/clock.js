// Since when a stage lasts, when its end is usual, and on request where that figure is from.
import { html } from "./dom.js";
import { Level } from "./marks.js";
import { zone } from "./state.js";
import { age, dateText, timeIn } from "./time.js";

/** What is usual and when it counts as late, in sentences; a typical time is no promise. */
function Usual({ clock }) {
  const day = (date) => html`<time class="num" datetime=${date}>${dateText(date)}</time>`;
  return html`<details>
    <summary>What is usual here?</summary>
    <div class="fine">
      ${clock.expected_by && html`<p>The typical time ends on ${day(clock.expected_by)}. It is no promise.</p>`}
      ${clock.amber_on && html`<p>Late after ${day(clock.amber_on)}${clock.red_on && html`, very late after ${day(clock.red_on)}`}.</p>`}
      <p>${clock.unit === "business" ? "Counted in business days." : "Counted in calendar days."} Source: ${clock.source}.</p>
    </div>
  </details>`;
}

export function Since({ clock }) {
  return html`<p class="big num">${age(clock.since)}<${Level} level=${clock.level} /></p>
    <p class="fine num"><time datetime=${clock.since}>${timeIn(clock.since, zone())}</time></p>
    ${clock.expected_by && html`<p class="fine num">Usually by ${dateText(clock.expected_by)}</p>`}
    ${clock.source && html`<${Usual} clock=${clock} />`}`;
}
