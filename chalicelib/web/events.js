// What an event says beside its name, in sentences. Only some kinds of events say more.
import { html } from "./dom.js";
import { getToxicityName } from "./reports.js";
import { getTimeZone } from "./state.js";
import { formatDate, formatTime } from "./time.js";

/** @type {Record<string, (data: any, labels: Record<string, string>) => (string | null | false)[]>} */
const DETAILS_BY_TYPE = {
  "stage.changed": ({ part, of, local_date: day, revisit_on: revisit }) => [
    of > 1 && `Part ${part} of ${of}`,
    day && `Calendar date at the center: ${formatDate(day)}`,
    revisit && `To be looked at again on ${formatDate(revisit)}`,
  ],
  "hold.started": ({ until }) => [until && `Expected to go on by ${formatDate(until)}`],
  "toxicity.noticed": ({ kind, grade }) => [getToxicityName(kind) + (grade ? `, grade ${grade}` : "")],
  "window.extended": ({ ends_on: end }) => [`Hand-back on ${formatDate(end)}`],
  "event.corrected": ({ supersedes, replacement }, labels) => {
    const what = labels[supersedes] || "An earlier report";
    return [replacement ? `${what}: it was ${formatTime(replacement.occurred_at, getTimeZone())}` : `${what}: it did not happen`];
  },
};

/** @param {{event: any, labels: Record<string, string>}} properties `labels`: events by id, as the timeline names them */
export function EventDetails({ event, labels }) {
  const lines = (DETAILS_BY_TYPE[event.type]?.(event.data || {}, labels) || []).filter(Boolean);
  if (event.reason) lines.push(`Reason: ${event.reason}`);
  return lines.map((line) => html`<p class="tabular-numbers">${line}</p>`);
}
