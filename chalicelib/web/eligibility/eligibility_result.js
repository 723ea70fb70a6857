// The answer of a screen: never a verdict; each line with its rule, what was entered, and a source.
import { html } from "../platform/dom.js";
import { formatDate } from "../platform/time.js";
import { Icon } from "../platform/ui.js";

const RESULTS = {
  label_criteria_appear_met: ["is-accent", "Label criteria appear met"],
  label_criteria_not_met_as_entered: ["", "Label criteria not met as entered"],
  information_missing: ["is-warning", "Information missing"],
};
const CHECK_STATE_LABELS = {
  clear: ["", "Clear"],
  discuss: ["is-warning", "Discuss"],
  information_missing: ["is-warning", "Information missing"],
  due: ["is-accent", "To do"],
};

const Chip = ({ of: [kind, text] }) => html`<span class="chip ${kind}">${text}</span>`;

export const Source = ({ source }) =>
  html`<span class="source"><a href=${source.url} rel="noreferrer" target="_blank">${source.title}</a>, as of ${formatDate(source.as_of)}</span>`;

const Anchors = ({ anchors }) => html`<ul class="source-list small-text">
  ${anchors.map(({ says, source }) => html`<li>${says}: <${Source} source=${source} /></li>`)}
</ul>`;

const Missing = ({ items, onPick }) => html`<ul class="missing-values">
  ${items.map(({ pointer, label }) => html`<li><button type="button" class="link-button" onClick=${() => onPick(pointer)}>${label}</button></li>`)}
</ul>`;

const RESULT_SYMBOLS = new Map([
  [true, ["check", "Met"]],
  [false, ["x", "Not met"]],
  [null, ["circle-alert", "Missing"]],
]);

function ReasonRow({ reason }) {
  const [icon, word] = /** @type {string[]} */ (RESULT_SYMBOLS.get(reason.met));
  return html`<li>
    <span class="result-symbol ${reason.met === null ? "is-missing" : ""}"><${Icon} name=${icon} /><span class="visually-hidden">${word}: </span></span>
    <div>
      <p>${reason.text}${reason.either > 0 && html` <span class="chip">one of these is enough</span>`}
        ${reason.unverified && html` <span class="chip is-warning">Confirm with the current label</span>`}</p>
      ${reason.entered.length > 0 && html`<p class="small-text tabular-numbers">Entered: ${reason.entered.map(({ label, value }) => `${label}: ${value}`).join("; ")}</p>`}
      ${reason.missing.length > 0 && html`<p class="small-text">Missing: ${reason.missing.map(({ label }) => label).join("; ")}</p>`}
      <p class="small-text"><${Source} source=${reason.source} /></p>
    </div>
  </li>`;
}

function RowResult({ row, reasons }) {
  return html`<details>
    <summary><span>${row.text} <${Chip} of=${RESULTS[row.result]} /></span></summary>
    <ul class="reasons">${reasons.map((reason) => html`<${ReasonRow} reason=${reason} />`)}</ul>
  </details>`;
}

function Result({ result, onPick }) {
  return html`<section class="card eligibility-result">
    <div class="card-head"><h3>${result.product_name}</h3><${Chip} of=${RESULTS[result.result]} /></div>
    ${result.missing.length > 0 && html`<p class="small-text">Still needed to tell:</p><${Missing} items=${result.missing} onPick=${onPick} />`}
    ${result.rows.map((row) => html`<${RowResult} row=${row} reasons=${result.reasons.filter(({ row_id }) => row_id === row.row_id)} />`)}
    ${result.limitations.map((limitation) => html`<p class="small-text">${limitation}</p>`)}
    <p class="small-text tabular-numbers">Label as of ${formatDate(result.label_as_of)} · version ${result.version}</p>
  </section>`;
}

const Flags = ({ flags }) => html`<section class="card">
  <h3>Discuss with the center</h3>
  <ul class="flags">
    ${flags.map((flag) => html`<li><p><strong>${flag.label}: ${flag.value}.</strong> ${flag.text}</p><${Anchors} anchors=${flag.anchors} /></li>`)}
  </ul>
</section>`;

function Checks({ checks, planned, onPick }) {
  return html`<section class="card">
    <h3>Before cells are collected${planned && html` on <span class="tabular-numbers">${formatDate(planned)}</span>`}</h3>
    <ul class="flags">
      ${checks.map(
        (check) => html`<li>
        <p><strong>${check.label}</strong> <${Chip} of=${CHECK_STATE_LABELS[check.state]} /></p>
        ${check.last_on && html`<p class="small-text tabular-numbers">Last on ${formatDate(check.last_on)}; clear from ${formatDate(check.clear_from)}</p>`}
        ${check.state === "due" && html`<p class="small-text tabular-numbers">From ${formatDate(check.clear_from)}</p>`}
        ${check.missing.length > 0 && html`<${Missing} items=${check.missing} onPick=${onPick} />`}
        <${Anchors} anchors=${check.anchors} />
      </li>`,
      )}
    </ul>
  </section>`;
}

/** On paper nothing can be unfolded. */
function printResult() {
  for (const details of document.querySelectorAll(".eligibility-result details")) details.setAttribute("open", "");
  print();
}

export function EligibilityResult({ answer, stale, onPick, onRefer }) {
  return html`
    ${stale && html`<p class="banner is-warning" role="status"><${Icon} name="history" />Something was changed since. Compare again.</p>`}
    <div class="banner"><${Icon} name="stethoscope" /><p>${answer.disclaimer}</p></div>
    <h2>What the labels say <span class="small-text tabular-numbers">Screened ${formatDate(answer.screened_on)} · catalogue ${answer.catalogue_version}</span></h2>
    ${answer.results.map((result) => html`<${Result} key=${result.product_id} result=${result} onPick=${onPick} />`)}
    ${answer.discuss_with_center.length > 0 && html`<${Flags} flags=${answer.discuss_with_center} />`}
    ${
      answer.collection_checks.length > 0 &&
      html`<${Checks} checks=${answer.collection_checks} planned=${answer.planned_collection_on} onPick=${onPick} />`
    }
    ${
      answer.not_asked.length > 0 &&
      html`<details class="card"><summary>Not entered, so nobody looked (${answer.not_asked.length})</summary><${Missing} items=${answer.not_asked} onPick=${onPick} /></details>`
    }
    <p class="buttons">
      <button type="button" class="primary" onClick=${onRefer} disabled=${stale}><${Icon} name="pencil" />Start a referral with these entries</button>
      <button type="button" onClick=${printResult}><${Icon} name="printer" />Print</button>
    </p>`;
}
