// What an event says beside its name, in sentences. Only some kinds of events say more.
import { html } from "./dom.js";
import { toxicity } from "./reports.js";
import { zone } from "./state.js";
import { dateText, timeIn } from "./time.js";

/** @type {Record<string, (data: any, labels: Record<string, string>) => (string | null | false)[]>} */
const SAID = {
  "stage.changed": ({ part, of, local_date: day, revisit_on: revisit }) => [
    of > 1 && `Part ${part} of ${of}`,
    day && `Calendar date at the center: ${dateText(day)}`,
    revisit && `To be looked at again on ${dateText(revisit)}`,
  ],
  "hold.started": ({ until }) => [until && `Expected to go on by ${dateText(until)}`],
  "toxicity.noticed": ({ kind, grade }) => [toxicity(kind) + (grade ? `, grade ${grade}` : "")],
  "window.extended": ({ ends_on: end }) => [`Hand-back on ${dateText(end)}`],
  "event.corrected": ({ supersedes, replacement }, labels) => {
    const what = labels[supersedes] || "An earlier report";
    return [replacement ? `${what}: it was ${timeIn(replacement.occurred_at, zone())}` : `${what}: it did not happen`];
  },
};

/** @param {{event: any, labels: Record<string, string>}} properties `labels`: events by id, as the timeline names them */
export function EventData({ event, labels }) {
  const lines = (SAID[event.type]?.(event.data || {}, labels) || []).filter(Boolean);
  if (event.reason) lines.push(`Reason: ${event.reason}`);
  return lines.map((line) => html`<p class="num">${line}</p>`);
}
