// The log of a center's webhook: what its system sent, the result of each delivery, and what to do about it.
import { getTimeZone } from "../identity/member.js";
import { html, useState } from "../platform/dom.js";
import { createIdempotencyKey } from "../platform/idempotent_request.js";
import { formatCount, getLabel } from "../platform/labels.js";
import { formatTime } from "../platform/time.js";
import { announce, Field, Icon, Loading, Problem } from "../platform/ui.js";
import { listDeliveries, replayDelivery } from "./webhooks_api.js";

/** The tone and the words of each result, and what it means. */
export const STATUS_LABELS = {
  applied: ["is-success", "Applied", "The referral is updated."],
  recorded: ["", "Saved in history", "A later status was already recorded, or this repeats the current one."],
  parked: ["is-warning", "Waiting for an earlier update", ""],
  refused: ["is-error", "Rejected", ""],
  failed: ["is-error", "Expired", ""],
  tested: ["is-success", "Test accepted", "The signature is right. No referral changed."],
};
const RETRYABLE_STATUSES = new Set(["parked", "failed"]);

/** Why the server rejected an update, by code. */
const REJECTION_REASONS = {
  continued: "A newer referral replaces this one. Report the event there.",
  before_referral: "The reported date is before the patient was referred.",
  planned_before_referral: "The planned date is before the patient was referred.",
  no_such_hour: "The planned hour does not exist at the center, because the clocks change.",
  ends_before_infusion: "The monitoring end date must be after the infusion date.",
  local_date_wrong: "The infusion date does not match the time of the event at the center.",
  move_not_legal: "This status cannot follow the current status.",
  not_correctable: "Events of this type cannot be corrected.",
  not_your_move: "Only the referring practice can report this.",
  reason_needed: "The update has no reason code or note.",
  referral_closed: "The referral is closed.",
  replacement_not_legal: "The corrected entry conflicts with the rest of the history.",
  webhook_id_reused: "The webhook-id belongs to an earlier update. The earlier update counts.",
  window_over: "Monitoring has ended.",
  withdraw_directly: "The practice can withdraw the referral itself; no request is needed.",
};
const UNKNOWN_REASON = "The update conflicts with the referral. Check the API reference.";

/** What an update waits for, or waited for until it expired. */
function describeMissing({ status, waiting_for_labels: labels, expires_at: until }) {
  const steps = labels.map((label) => `“${label}”`).join(" and ");
  if (status === "failed")
    return steps
      ? `${steps} did not arrive within 24 hours. Send it, then retry this update.`
      : "What must come first did not arrive within 24 hours. Check the referral ID. Send the missing update, then retry this one.";
  const first = steps
    ? `Send ${steps} first. Then this update applies by itself.`
    : "An earlier update is missing, or your center has no referral with this ID. Check the ID.";
  return until ? `${first} It waits until ${formatTime(until, getTimeZone())}.` : first;
}

/** What happened to an update, and what to do. */
function describeResult(item) {
  if (RETRYABLE_STATUSES.has(item.status)) return describeMissing(item);
  return STATUS_LABELS[item.status]?.[2] || REJECTION_REASONS[item.code] || UNKNOWN_REASON;
}

function DeliveryRow({ item, replay, busy }) {
  const [tone, label] = STATUS_LABELS[item.status] || ["", getLabel(item.status)];
  return html`<tr role="row">
    <th scope="row" role="rowheader"><time datetime=${item.received_at} class="tabular-numbers">${formatTime(item.received_at, getTimeZone())}</time>
      <span class="subtext code">${item.delivery_id}</span></th>
    <td role="cell">${item.event_label || item.stage_label || "Not stored"}<span class="subtext code">${item.referral_id}</span></td>
    <td role="cell"><span class="chip ${tone}">${label}</span><span class="subtext">${describeResult(item)}</span>
      ${
        item.ignored.length > 0 &&
        html`<span class="subtext">Ignored, because this dashboard does not know it: <span class="code">${item.ignored.join(", ")}</span></span>`
      }</td>
    <td role="cell" class="row-actions">${
      RETRYABLE_STATUSES.has(item.status) &&
      html`<button type="button" onClick=${() => replay(item)} aria-disabled=${busy}
        aria-label="Retry update ${item.delivery_id}"><${Icon} name="refresh-cw" />Retry</button>`
    }</td>
  </tr>`;
}

function DeliveryTable({ items, replay, busy }) {
  return html`<div class="card no-padding"><table role="table" class="data-table one-column">
    <caption class="visually-hidden">Deliveries, most recent first</caption>
    <thead role="rowgroup"><tr role="row">
      ${["Received", "Reported", "Result and what to do"].map((name) => html`<th scope="col" role="columnheader">${name}</th>`)}
      <th scope="col" role="columnheader"><span class="visually-hidden">Action</span></th>
    </tr></thead>
    <tbody role="rowgroup">
      ${items.map((item) => html`<${DeliveryRow} key=${item.delivery_id} item=${item} replay=${replay} busy=${busy} />`)}
    </tbody>
  </table></div>`;
}

/** Whether a log leaves deliveries out. @param {import("./webhooks_api.js").DeliveryFilter} filter */
export const hasFilter = (filter) => Object.values(filter).some(Boolean);

const STATUS_OPTIONS = [
  ["", "All results"],
  ...Object.entries(STATUS_LABELS).map(([code, [, label]]) => [code, label]),
];

/** The message of a field that the server refused. */
const findFieldError = (problem, name) => problem?.errors?.find((error) => error.pointer.endsWith(`/${name}`))?.message;

/** What the log can be limited to. The fields show what is in use, and one button removes it. */
function Filters({ filter, setFilter, problem }) {
  const apply = (event) => {
    event.preventDefault();
    const given = new FormData(event.currentTarget);
    setFilter({ status: String(given.get("status")), referral_id: String(given.get("referral-id")).trim() });
  };
  const clear = (event) => {
    const { form } = event.currentTarget;
    form.reset();
    // The button disappears, so the focus needs another place.
    form.elements.status.focus();
    setFilter({});
  };
  return html`<form class="log-filters" onSubmit=${apply} aria-label="Filter the delivery log">
    <${Field} pointer="status" label="Result" options=${STATUS_OPTIONS} />
    <${Field} pointer="referral-id" label="Referral ID" placeholder="ref_…" spellcheck=${false} error=${findFieldError(problem, "referral_id")} />
    <button>Filter</button>
    ${hasFilter(filter) && html`<button type="button" onClick=${clear}>Show all deliveries</button>`}
  </form>`;
}

/** Why the log has no rows. Older deliveries are read part by part, and a part can have none that match. */
function describeNothing(filter, isLast) {
  if (!hasFilter(filter)) return "No deliveries yet. Connect your system with the address and a secret from this page.";
  return isLast
    ? "No delivery matches. Change the filter, or show all deliveries."
    : "No delivery matches in the newest part of the log. Older deliveries were not searched yet.";
}

/** The log. The page loads its first part, and loads it again after a test event. */
export function WebhookDeliveries({ center, filter, setFilter, data, problem, busy, reload, replace }) {
  const [state, setState] = useState(/** @type {any} */ ({}));
  const replaceDelivery = (delivery) =>
    data &&
    replace({
      ...data,
      items: data.items.map((item) => (item.delivery_id === delivery.delivery_id ? delivery : item)),
    });
  const runOnce = async (work) => {
    if (state.busy) return;
    setState({ busy: true });
    setState(
      await work().then(
        () => ({}),
        (failed) => ({ failed }),
      ),
    );
  };
  const replay = (item) =>
    runOnce(async () => {
      const delivery = await replayDelivery(center, item.delivery_id, createIdempotencyKey());
      replaceDelivery(delivery);
      announce(`Retried: ${STATUS_LABELS[delivery.status]?.[1] || getLabel(delivery.status)}`);
    });
  const more = () =>
    runOnce(async () => {
      if (!data) return;
      const next = await listDeliveries(center, data.filter, data.next_cursor);
      replace({ ...next, filter: data.filter, items: data.items.concat(next.items) });
    });
  return html`<section class="stack" aria-labelledby="log">
    <h2 id="log">Delivery log</h2>
    <p class="small-text">A delivery with a wrong signature, timestamp, or address gets 401 and is not listed, because anyone can send one.</p>
    <${Filters} filter=${filter} setFilter=${setFilter} problem=${problem} />
    <p class="visually-hidden" role="status">${!busy && hasFilter(filter) && data?.filter === filter && `${formatCount(data.items.length, "result")} shown`}</p>
    ${((problem && !problem.errors?.length) || state.failed) && html`<${Problem} problem=${problem || state.failed} retry=${problem && reload} />`}
    ${!data && !problem && html`<${Loading} what="the deliveries" />`}
    ${data?.items.length === 0 && html`<div class="empty-state card"><${Icon} name="inbox" /><p>${describeNothing(data.filter, !data.next_cursor)}</p></div>`}
    ${data?.items.length ? html`<${DeliveryTable} items=${data.items} replay=${replay} busy=${state.busy} />` : null}
    ${data?.next_cursor && html`<p class="show-more"><button type="button" onClick=${more}>${data.items.length ? "Show" : "Search"} earlier deliveries</button></p>`}
  </section>`;
}
