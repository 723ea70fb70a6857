// A center's feed, for its administrators: what its system sent, what became of it, and the
// secret that it is signed with.
import { getTimeZone, me } from "../identity/member.js";
import { html, useEffect, useRef, useState } from "../platform/dom.js";
import { createIdempotencyKey, useIdempotentRequest } from "../platform/idempotent_request.js";
import { getLabel } from "../platform/labels.js";
import { formatTime } from "../platform/time.js";
import { announce, Dialog, Icon, Loading, PageTitle, Problem, useLoad } from "../platform/ui.js";
import { createSecret, listDeliveries, replayDelivery } from "./webhooks_api.js";

const STATUS_LABELS = {
  applied: ["is-accent", "Applied", "It moved the referral."],
  recorded: ["", "History only", "Something later was known already."],
  parked: ["is-warning", "Waiting", "Something that comes before has not arrived."],
  refused: ["is-error", "Refused", ""],
  failed: ["is-error", "Waited in vain", "What comes before did not arrive within a day."],
};
const PARKED_NOTE = new Set(["parked", "failed"]);

function DeliveryRow({ item, replay, busy }) {
  const [tone, label, why] = STATUS_LABELS[item.status] || ["", getLabel(item.status), ""];
  return html`<tr role="row">
    <th scope="row" role="rowheader"><time datetime=${item.received_at} class="tabular-numbers">${formatTime(item.received_at, getTimeZone())}</time>
      <span class="subtext code">${item.delivery_id}</span></th>
    <td role="cell"><span class="chip ${tone}">${label}</span><span class="subtext">${why || getLabel(item.code)}</span></td>
    <td role="cell">${getLabel(item.stage)}<span class="subtext code">${item.referral_id}</span></td>
    <td role="cell" class="row-actions">${
      PARKED_NOTE.has(item.status) &&
      html`<button type="button" onClick=${() => replay(item)} aria-disabled=${busy}
        aria-label="Try delivery ${item.delivery_id} again"><${Icon} name="refresh-cw" />Try again</button>`
    }</td>
  </tr>`;
}

function DeliveryLog({ items, replay, busy }) {
  return html`<div class="card no-padding"><table role="table" class="data-table">
    <caption class="visually-hidden">Deliveries, newest first</caption>
    <thead role="rowgroup"><tr role="row">
      ${["Received", "What became of it", "Stage reached"].map((name) => html`<th scope="col" role="columnheader">${name}</th>`)}
      <th scope="col" role="columnheader"><span class="visually-hidden">Action</span></th>
    </tr></thead>
    <tbody role="rowgroup">
      ${items.map((item) => html`<${DeliveryRow} key=${item.delivery_id} item=${item} replay=${replay} busy=${busy} />`)}
    </tbody>
  </table></div>`;
}

/** The secret, once. It is kept nowhere but in this dialog. */
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
      setCopied("This browser does not allow it: the secret is selected, copy it by hand.");
    }
  };
  return html`<${Dialog} title="The new webhook secret" onClose=${onClose}>
    <div class="stack">
      <p>It is shown this once. Give it to your system now; the earlier secrets end in 24 hours.</p>
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

function ConfirmNewSecret({ make, problem, busy, onClose }) {
  return html`<${Dialog} title="Make a new webhook secret?" onClose=${onClose}>
    <div class="stack">
      <p>Your system signs what it sends with the newest secret. Those before it live on for 24 hours.</p>
      ${problem && html`<${Problem} problem=${problem} />`}
      <div class="buttons">
        <button type="button" class="primary" onClick=${make} aria-disabled=${busy}>${busy ? "Making …" : "Make the secret"}</button>
        <button type="button" onClick=${onClose}>Cancel</button>
      </div>
    </div>
  <//>`;
}

function NewSecretButton({ center }) {
  const [step, setStep] = useState(/** @type {any} */ ({}));
  const request = useIdempotentRequest((_, key) => createSecret(center, key));
  const close = () => setStep({});
  const make = async () => {
    setStep({ open: true, busy: true });
    try {
      setStep({ secret: (await request.run({})).secret });
    } catch (problem) {
      setStep({ open: true, problem });
    }
  };
  return html`<button type="button" onClick=${() => setStep({ open: true })}>New webhook secret</button>
    ${step.open && html`<${ConfirmNewSecret} ...${step} make=${make} onClose=${close} />`}
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
      announce(`Tried again: ${(STATUS_LABELS[delivery.status] || [])[1] || getLabel(delivery.status)}`);
    });
  const more = () =>
    runOnce(async () => {
      if (!data) return;
      const next = await listDeliveries(center, data.next_cursor);
      replace({ ...next, items: data.items.concat(next.items) });
    });
  return html`<div class="title-row"><${PageTitle} page="Feed">Feed<//><span class="spacer" />
      <button type="button" onClick=${reload} aria-label="Refresh the log"><${Icon} name="refresh-cw" /></button>
      <${NewSecretButton} center=${center} /></div>
    <p class="lead">What the system of ${me.value.tenant.name} sent, and what became of it.</p>
    ${(problem || state.failed) && html`<${Problem} problem=${problem || state.failed} retry=${problem && reload} />`}
    ${!data && !problem && html`<${Loading} what="the log" />`}
    ${data?.items.length === 0 && html`<div class="empty-state card"><${Icon} name="inbox" /><p>Nothing has arrived yet.</p></div>`}
    ${data?.items.length ? html`<${DeliveryLog} items=${data.items} replay=${replay} busy=${state.busy} />` : null}
    ${data?.next_cursor && html`<p class="show-more"><button type="button" onClick=${more}>Show earlier deliveries</button></p>`}`;
}
