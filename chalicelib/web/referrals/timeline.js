// The timeline, newest first: when each event happened, who reported it, and when it was recorded.
import { getTimeZone, hasClinicalAccess } from "../identity/member.js";
import { html, useState } from "../platform/dom.js";
import { formatCount, getLabel } from "../platform/labels.js";
import { buildPageHref } from "../platform/route.js";
import { formatDate, formatTime } from "../platform/time.js";
import { Icon, Loading, Problem, useLoad } from "../platform/ui.js";
import { CARE_DETAILS } from "./care_reports.js";
import { describePlan } from "./plans.js";
import { listTimeline } from "./referrals_api.js";
import { ReportDialog } from "./report_dialog.js";
import { buildCorrection, isCorrectable } from "./reports.js";

const LATE_ARRIVAL_MS = 3_600_000;
const ICONS = { practice: "stethoscope", center: "building-2" };

/** @type {Record<string, (data: any, labels: Record<string, string>) => (string | null | false)[]>} */
const DETAILS_BY_TYPE = {
  "stage.changed": ({ part, of, local_date: day, revisit_on: revisit, product_id: product, ...plan }) => [
    product && `Product: ${getLabel(product)}`,
    of > 1 && `Infusion ${part} of ${of}`,
    day && `Infusion date at the center: ${formatDate(day)}`,
    revisit && `Review again on ${formatDate(revisit)}`,
    ...describePlan(plan),
  ],
  "plan.changed": describePlan,
  "hold.started": ({ until }) => [until && `Expected to resume by ${formatDate(until)}`],
  ...CARE_DETAILS,
  "information.requested": ({ items, text }) => [items && formatCount(items.length, "item"), text],
  "information.answered": ({ items, open_items: open }) => [
    `${formatCount(items, "item")} answered, ${open ? `${open} still open` : "none open"}`,
  ],
  "document.shared": ({ kind, sent_outside: outside, request_id: request }) => [
    getLabel(kind),
    outside && "Sent another way",
    request && "Answers a requested item",
  ],
  "document.deleted": ({ kind, reason }) => [`${getLabel(kind)}: ${getLabel(reason)}`],
  "document.arrival": ({ kind, arrival }) => [`${getLabel(kind)}: ${getLabel(arrival)}`],
  "window.extended": ({ ends_on: end }) => [`Return to referring provider on ${formatDate(end)}`],
  "facts.changed": ({ facts }) => (facts.length > 1 ? [facts.map(({ label }) => label).join(", ")] : []),
  "coverage.changed": ({ how, reference_number: number }) => [
    [how && getLabel(how), number && `ref. ${number}`].filter(Boolean).join(", "),
  ],
  "event.corrected": ({ supersedes, replacement }, labels) => {
    const label = labels[supersedes] ? `“${labels[supersedes]}”` : "An earlier entry";
    const product = replacement?.data.product_id;
    return [
      product && `Product: ${getLabel(product)}`,
      replacement
        ? `${label} corrected to ${formatTime(replacement.occurred_at, getTimeZone())}`
        : `${label} removed: it did not happen`,
    ];
  },
};

/** @param {{event: any, labels: Record<string, string>}} properties `labels`: the labels of the events by id */
function EventDetails({ event, labels }) {
  const lines = (DETAILS_BY_TYPE[event.type]?.(event.data, labels) || []).filter(Boolean);
  if (event.reason) lines.push(`Reason: ${event.reason}`);
  return lines.map((line) => html`<p class="tabular-numbers">${line}</p>`);
}

function EventRow({ event, id, labels, referredOn, corrected, correct }) {
  const late = Date.parse(event.recorded_at) - Date.parse(event.occurred_at) > LATE_ARRIVAL_MS;
  return html`<li class=${corrected ? "corrected" : ""}>
    <span class="dot"><${Icon} name=${ICONS[event.source] || "history"} /></span>
    <div>
      <p><strong>${event.stage_label || getLabel(event.type.replace(".", "_"))}</strong>
        ${corrected && html` <span class="chip is-warning">Corrected</span>`}
        ${event.status === "recorded" && html` <span class="chip">Saved in history</span>`}</p>
      <p class="small-text tabular-numbers">
        <time datetime=${event.occurred_at}>${formatTime(event.occurred_at, getTimeZone())}</time>
        ${" · "}${[event.actor_name, getLabel(event.source)].filter(Boolean).join(", ")}
      </p>
      ${late && html`<p class="small-text tabular-numbers">Recorded ${formatTime(event.recorded_at, getTimeZone())}</p>`}
      <${EventDetails} event=${event} labels=${labels} />
      ${event.stage === "submitted" && referredOn && html`<p class="tabular-numbers">Referred on ${formatDate(referredOn)}</p>`}
      ${event.type === "facts.changed" && html`<p><a href=${buildPageHref(id, "changes")}>See what changed</a></p>`}
      ${event.data.note && html`<p class="note">${event.data.note}</p>`}
    </div>
    ${correct && html`<button type="button" class="ghost-button" aria-label="Correct the entry “${event.stage_label}”" onClick=${correct}>Correct</button>`}
  </li>`;
}

export function Timeline({ referral, showResult }) {
  const { referral_id: id, version } = referral;
  const { data, problem, busy, reload, replace } = useLoad(() => listTimeline(id, null), [version]);
  const [failed, setFailed] = useState(/** @type {any} */ (null));
  const [toCorrect, setToCorrect] = useState(/** @type {any} */ (null));
  const more = async () => {
    if (!data) return;
    const next = await listTimeline(id, data.next_cursor);
    replace({ ...next, items: data.items.concat(next.items) });
    setFailed(null);
  };
  const items = data?.items || [];
  const labels = Object.fromEntries(items.map((event) => [event.event_id, event.stage_label]));
  const corrected = new Set(items.map((event) => event.data?.supersedes));
  const canCorrect = (event) => hasClinicalAccess() && isCorrectable(event) && !corrected.has(event.event_id);
  return html`<section class="card" aria-labelledby="timeline" aria-busy=${busy}>
    <h2 id="timeline">Timeline</h2>
    ${problem && html`<${Problem} problem=${problem} retry=${reload} />`}
    ${!data && !problem && html`<${Loading} what="the timeline" />`}
    ${data && !items.length && html`<p class="small-text">No activity yet.</p>`}
    ${
      data &&
      html`<ol class="timeline">${items.map(
        (
          event,
        ) => html`<${EventRow} key=${event.event_id} event=${event} id=${id} labels=${labels} referredOn=${referral.referred_on} corrected=${corrected.has(event.event_id)}
        correct=${canCorrect(event) && (() => setToCorrect(event))} />`,
      )}</ol>`
    }
    ${failed && html`<${Problem} problem=${failed} />`}
    ${
      data?.next_cursor &&
      html`<button type="button" onClick=${() => more().catch(setFailed)}>Show earlier entries</button>`
    }
    ${toCorrect && html`<${ReportDialog} report=${buildCorrection(toCorrect, referral)} referral=${referral} showResult=${showResult} onClose=${() => setToCorrect(null)} />`}
  </section>`;
}
