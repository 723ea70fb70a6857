// Since when a stage lasts, when its end is usual, and on request where that figure is from.
import { html } from "./dom.js";
import { Level } from "./marks.js";
import { zone } from "./state.js";
import { age, dateText, timeIn } from "./time.js";

/** What is usual and when it counts as late, in sentences; a typical time is no promise. */
function Usual({ clock }) {
  const day = (date) => html`<time class="num" datetime=${date}>${dateText(date)}</time>`;
  return html`<details>
    <summary>${clock.unit ? "What is usual here?" : "Where is this day from?"}</summary>
    <div class="fine">
      ${clock.unit && clock.expected_by && html`<p>The typical time ends on ${day(clock.expected_by)}. It is no promise.</p>`}
      ${clock.amber_on && html`<p>Late after ${day(clock.amber_on)}${clock.red_on && html`, very late after ${day(clock.red_on)}`}.</p>`}
      <p>${clock.unit && `Counted in ${clock.unit} days. `}Source: ${clock.source}.</p>
    </div>
  </details>`;
}

export function Since({ clock }) {
  return html`<p class="big num">${age(clock.since)}<${Level} level=${clock.level} /></p>
    <p class="fine num"><time datetime=${clock.since}>${timeIn(clock.since, zone())}</time></p>
    ${clock.expected_by && html`<p class="fine num">${clock.unit ? "Usually by" : "Due on"} ${dateText(clock.expected_by)}</p>`}
    ${clock.source && html`<${Usual} clock=${clock} />`}`;
}
