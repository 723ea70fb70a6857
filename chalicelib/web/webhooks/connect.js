// Connect your system, for the administrators of a center: the address, the secrets, code that signs, a test
// event, and the log of what arrived.
import { getTimeZone, me } from "../identity/member.js";
import { html, useRef, useState } from "../platform/dom.js";
import { formatElapsed, formatTime } from "../platform/time.js";
import { Icon, Loading, PageTitle, Problem, useLoad } from "../platform/ui.js";
import { NewSecretButton } from "./new_secret.js";
import { TestEvent } from "./test_event.js";
import { hasFilter, STATUS_LABELS, WebhookDeliveries } from "./webhook_deliveries.js";
import { getConnection, listDeliveries } from "./webhooks_api.js";

/** An update for a real referral, which the tested code sends in place of the test event. */
const UPDATE = `{"type": "stage.changed", "referral_id": "ref_…",
 "occurred_at": "2026-12-01T09:00:00-06:00", "data": {"stage": "received"}}`;

/** A button that copies a text, and what happened. */
function Copy({ text, label }) {
  const [result, setResult] = useState("");
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      setResult("Copied.");
    } catch {
      setResult("Your browser blocked copying. Select the text and copy it.");
    }
  };
  return html`<button type="button" onClick=${copy}>${label}</button><span class="small-text" role="status">${result}</span>`;
}

const Address = ({ url }) => html`<section class="card stack" aria-labelledby="address">
  <h2 id="address">1. Post to this address</h2>
  <p class="code copied-text">${url}</p>
  <div class="buttons"><${Copy} text=${url} label="Copy address" /></div>
  <p class="small-text">The last part, <span class="code">${me.value.tenant.tenant_id}</span>, is the ID of your center.</p>
</section>`;

function SecretRow({ secret, isNewest }) {
  const end = secret.ends_at && formatTime(secret.ends_at, getTimeZone());
  const [tone, state] = !secret.works
    ? ["", `Ended ${end}`]
    : secret.ends_at
      ? ["is-warning", `Ends ${end}`]
      : ["is-success", "In use"];
  return html`<li><span class="chip ${tone}">${state}</span>
    <span>Created <time datetime=${secret.created_at}>${formatTime(secret.created_at, getTimeZone())}</time></span>
    <span>${secret.last_used_at ? html`Last used <time datetime=${secret.last_used_at}>${formatTime(secret.last_used_at, getTimeZone())}</time>` : "No use recorded"}</span>
    ${isNewest && secret.works && html`<span class="small-text">Sign with this one.</span>`}</li>`;
}

const Secrets = ({ center, secrets, reload }) => html`<section class="card stack" aria-labelledby="secrets">
  <h2 id="secrets">2. Sign with a secret</h2>
  ${
    secrets.length
      ? html`<ul class="slots">${secrets.map((secret, index) => html`<${SecretRow} key=${secret.secret_id} secret=${secret} isNewest=${index === 0} />`)}</ul>`
      : html`<p>Your center has no secret yet. Create one, and give it to your system.</p>`
  }
  <div class="buttons"><${NewSecretButton} center=${center} onDone=${reload} /></div>
  <p class="small-text">A new secret is shown once. The earlier one works for 24 more hours, so that your system loses no update. The time of the last use is exact to an hour. If a secret leaked, ask the operator to end it at once.</p>
</section>`;

function Samples({ samples }) {
  const [language, setLanguage] = useState(samples[0].language);
  const { code, label } = samples.find((sample) => sample.language === language);
  return html`<section class="card stack" aria-labelledby="samples">
    <h2 id="samples">3. Send a first event</h2>
    <p class="small-text">This code signs a test event as Standard Webhooks 1.0 describes, with HMAC-SHA256, and sends it. It changes no referral.</p>
    <fieldset><legend class="visually-hidden">Language</legend><div class="options">${samples.map(
      (
        sample,
      ) => html`<label key=${sample.language}><input type="radio" name="language" checked=${sample.language === language}
        onChange=${() => setLanguage(sample.language)} />${sample.label}</label>`,
    )}</div></fieldset>
    <pre class="code sample" tabindex="0" role="region" aria-label="Code: ${label}">${code}</pre>
    <div class="buttons"><${Copy} key=${language} text=${code} label="Copy code" /></div>
    <p>When the answer is 200 with <span class="code">tested</span>, send real updates with the same code and a body such as:</p>
    <pre class="code sample" tabindex="0" role="region" aria-label="Body of an update">${UPDATE}</pre>
    <p class="small-text">The ID of a referral is the last part of the address of its page. <a href="docs#receive_delivery" target="_blank" rel="noopener">See all events, statuses, and reason codes</a></p>
  </section>`;
}

/** When the last update arrived, and what happened to it. */
const describeLast = ({ received_at: at, status }) =>
  `Last delivery ${formatElapsed(at)} ago: ${(STATUS_LABELS[status]?.[1] ?? status).toLowerCase()}.`;

export function Connect() {
  const center = me.value.tenant.tenant_id;
  const connection = useLoad(() => getConnection(center), []);
  const [filter, setFilter] = useState(/** @type {import("./webhooks_api.js").DeliveryFilter} */ ({}));
  const latest = useRef(/** @type {any} */ (null));
  const deliveries = useLoad(async () => {
    const page = await listDeliveries(center, filter);
    // A filtered log does not show what came last.
    if (!hasFilter(filter)) latest.current = page.items[0];
    return { ...page, filter };
  }, [filter]);
  const last = latest.current;
  const { data, problem, reload } = connection;
  return html`<div class="stack large-targets">
    <div class="title-row"><${PageTitle} page="Connect your system">Connect your system<//><span class="spacer" />
      <button type="button" onClick=${deliveries.reload} aria-label="Refresh the delivery log"><${Icon} name="refresh-cw" /></button></div>
    <p class="lead">${me.value.tenant.name}'s system sends each change of a status here, signed. ${last && describeLast(last)}</p>
    ${problem && html`<${Problem} problem=${problem} retry=${reload} />`}
    ${!data && !problem && html`<${Loading} what="how to connect" />`}
    ${
      data &&
      html`<div class="columns">
        <div><${Address} url=${data.url} /><${Secrets} center=${center} secrets=${data.secrets} reload=${reload} /><${Samples} samples=${data.samples} /></div>
        <div><${TestEvent} center=${center} hasSecret=${data.secrets.some((secret) => secret.works)} onSent=${deliveries.reload} /></div>
      </div>`
    }
    <${WebhookDeliveries} center=${center} filter=${filter} setFilter=${setFilter} ...${deliveries} />
  </div>`;
}
