// System updates, for the administrators of a center: the webhook deliveries of its system with
// their results, and a new signing secret.
import { getTimeZone, me } from "../identity/member.js";
import { html, useEffect, useRef, useState } from "../platform/dom.js";
import { createIdempotencyKey, useIdempotentRequest } from "../platform/idempotent_request.js";
import { getLabel } from "../platform/labels.js";
import { formatTime } from "../platform/time.js";
import { announce, Dialog, Icon, Loading, PageTitle, Problem, useLoad } from "../platform/ui.js";
import { createSecret, listDeliveries, replayDelivery } from "./webhooks_api.js";

const STATUS_LABELS = {
  applied: ["is-accent", "Applied", "Referral updated."],
  recorded: ["", "Saved in history", "A later status was already recorded."],
  parked: ["is-warning", "Waiting for an earlier update", "An earlier step has not arrived yet."],
  refused: ["is-error", "Rejected", ""],
  failed: ["is-error", "Expired", "The earlier step did not arrive within 24 hours."],
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

function DeliveryRow({ item, replay, busy }) {
  const [tone, label, reason] = STATUS_LABELS[item.status] || ["", getLabel(item.status), ""];
  return html`<tr role="row">
    <th scope="row" role="rowheader"><time datetime=${item.received_at} class="tabular-numbers">${formatTime(item.received_at, getTimeZone())}</time>
      <span class="subtext code">${item.delivery_id}</span></th>
    <td role="cell"><span class="chip ${tone}">${label}</span><span class="subtext">${reason || REJECTION_REASONS[item.code] || UNKNOWN_REASON}</span>
      ${
        item.waiting_for_labels.length > 0 &&
        html`<span class="subtext">When it arrived, these steps were missing: ${item.waiting_for_labels.join("; ")}.</span>`
      }
      ${
        item.ignored.length > 0 &&
        html`<span class="subtext">Ignored, because this dashboard does not know it: <span class="code">${item.ignored.join(", ")}</span></span>`
      }</td>
    <td role="cell">${item.stage_label}<span class="subtext code">${item.referral_id}</span></td>
    <td role="cell" class="row-actions">${
      RETRYABLE_STATUSES.has(item.status) &&
      html`<button type="button" onClick=${() => replay(item)} aria-disabled=${busy}
        aria-label="Retry update ${item.delivery_id}"><${Icon} name="refresh-cw" />Retry</button>`
    }</td>
  </tr>`;
}

function DeliveryLog({ items, replay, busy }) {
  return html`<div class="card no-padding"><table role="table" class="data-table">
    <caption class="visually-hidden">System updates, most recent first</caption>
    <thead role="rowgroup"><tr role="row">
      ${["Received", "Result", "Status reported"].map((name) => html`<th scope="col" role="columnheader">${name}</th>`)}
      <th scope="col" role="columnheader"><span class="visually-hidden">Action</span></th>
    </tr></thead>
    <tbody role="rowgroup">
      ${items.map((item) => html`<${DeliveryRow} key=${item.delivery_id} item=${item} replay=${replay} busy=${busy} />`)}
    </tbody>
  </table></div>`;
}

/** Shows the new secret once. The page keeps it only in this dialog. */
function NewSecretDialog({ secret, onClose }) {
  const box = useRef(/** @type {HTMLInputElement | null} */ (null));
  const [copied, setCopied] = useState("");
  useEffect(() => box.current?.select(), []);
  const copy = async () => {
    box.current?.select();
    try {
      await navigator.clipboard.writeText(secret);
      setCopied("Copied.");
    } catch {
      setCopied("Your browser blocked copying. The secret is selected; press Ctrl+C or Command+C.");
    }
  };
  return html`<${Dialog} title="New webhook secret" onClose=${onClose}>
    <div class="stack">
      <p>Copy this secret now; you will not see it again. Earlier secrets stop working in 24 hours.</p>
      <div class="field"><label for="secret">Secret</label>
        <input id="secret" class="code" readonly autocomplete="off" spellcheck="false" ref=${box} value=${secret} /></div>
      <div class="buttons">
        <button type="button" class="primary" onClick=${copy}>Copy</button>
        <button type="button" onClick=${onClose}>Done</button>
        <span class="small-text" role="status">${copied}</span>
      </div>
    </div>
  <//>`;
}

function ConfirmNewSecret({ create, problem, busy, onClose }) {
  return html`<${Dialog} title="Create a new webhook secret?" onClose=${onClose}>
    <div class="stack">
      <p>Your system must sign its updates with the new secret. Older secrets keep working for 24 hours.</p>
      ${problem && html`<${Problem} problem=${problem} />`}
      <div class="buttons">
        <button type="button" class="primary" onClick=${create} aria-disabled=${busy}>${busy ? "Creating…" : "Create secret"}</button>
        <button type="button" onClick=${onClose}>Cancel</button>
      </div>
    </div>
  <//>`;
}

function NewSecretButton({ center }) {
  const [step, setStep] = useState(/** @type {any} */ ({}));
  const request = useIdempotentRequest((_, key) => createSecret(center, key));
  const close = () => setStep({});
  const create = async () => {
    setStep({ open: true, busy: true });
    try {
      setStep({ secret: (await request.run({})).secret });
    } catch (problem) {
      setStep({ open: true, problem });
    }
  };
  return html`<button type="button" onClick=${() => setStep({ open: true })}>New webhook secret</button>
    ${step.open && html`<${ConfirmNewSecret} ...${step} create=${create} onClose=${close} />`}
    ${step.secret && html`<${NewSecretDialog} secret=${step.secret} onClose=${close} />`}`;
}

export function WebhookDeliveries() {
  const center = me.value.tenant.tenant_id;
  const { data, problem, reload, replace } = useLoad(() => listDeliveries(center), []);
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
      announce(`Retried: ${(STATUS_LABELS[delivery.status] || [])[1] || getLabel(delivery.status)}`);
    });
  const more = () =>
    runOnce(async () => {
      if (!data) return;
      const next = await listDeliveries(center, data.next_cursor);
      replace({ ...next, items: data.items.concat(next.items) });
    });
  return html`<div class="title-row"><${PageTitle} page="System updates">System updates<//><span class="spacer" />
      <button type="button" onClick=${reload} aria-label="Refresh system updates"><${Icon} name="refresh-cw" /></button>
      <${NewSecretButton} center=${center} /></div>
    <p class="lead">Status updates from ${me.value.tenant.name}'s system, and the result of each.</p>
    ${(problem || state.failed) && html`<${Problem} problem=${problem || state.failed} retry=${problem && reload} />`}
    ${!data && !problem && html`<${Loading} what="system updates" />`}
    ${data?.items.length === 0 && html`<div class="empty-state card"><${Icon} name="inbox" /><p>No updates received yet. Create a webhook secret, then connect your system.</p></div>`}
    ${data?.items.length ? html`<${DeliveryLog} items=${data.items} replay=${replay} busy=${state.busy} />` : null}
    ${data?.next_cursor && html`<p class="show-more"><button type="button" onClick=${more}>Show earlier updates</button></p>`}`;
}
