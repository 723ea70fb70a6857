// The result of an eligibility check: never a verdict. Each line has its rule, the entries, and a source.
import { html } from "../platform/dom.js";
import { LabelWarnings } from "../platform/label_warnings.js";
import { formatCount } from "../platform/labels.js";
import { formatDate } from "../platform/time.js";
import { Icon } from "../platform/ui.js";

const RESULT_LABELS = {
  label_criteria_appear_met: ["is-accent", "Label criteria appear met"],
  label_criteria_not_met_as_entered: ["", "Label criteria not met as entered"],
  information_missing: ["is-warning", "Information missing"],
};
const CHECK_STATE_LABELS = {
  clear: ["", "Interval met"],
  discuss: ["is-warning", "Discuss with center"],
  information_missing: ["is-warning", "Information missing"],
  due: ["is-accent", "To do"],
};

const Chip = ({ of: [kind, text] }) => html`<span class="chip ${kind}">${text}</span>`;

export const Source = ({ source }) =>
  html`<span class="source"><a href=${source.url} rel="noreferrer" target="_blank">${source.title}</a>, as of ${formatDate(source.as_of)}${source.kind === "secondary" && ", secondary source"}</span>`;

const SourceList = ({ anchors }) => html`<ul class="source-list small-text">
  ${anchors.map(({ says: text, source }) => html`<li>${text}: <${Source} source=${source} /></li>`)}
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
  const [icon, label] = /** @type {string[]} */ (RESULT_SYMBOLS.get(reason.met));
  return html`<li>
    <span class="result-symbol ${reason.met === null ? "is-missing" : ""}"><${Icon} name=${icon} /><span class="visually-hidden">${label}: </span></span>
    <div>
      <p>${reason.text}${reason.either > 0 && html` <span class="chip">Any one of these is enough</span>`}
        ${reason.unverified && html` <span class="chip is-warning">Check the current label</span>`}</p>
      ${reason.entered.length > 0 && html`<p class="small-text tabular-numbers">Entered: ${reason.entered.map(({ label, value }) => `${label}: ${value}`).join("; ")}</p>`}
      ${reason.missing.length > 0 && html`<p class="small-text">Needed: ${reason.missing.map(({ label }) => label).join("; ")}</p>`}
      <p class="small-text"><${Source} source=${reason.source} /></p>
    </div>
  </li>`;
}

function RowResult({ row, reasons }) {
  return html`<details>
    <summary><span>${row.text} <${Chip} of=${RESULT_LABELS[row.result]} /></span></summary>
    <ul class="reasons">${reasons.map((reason) => html`<${ReasonRow} reason=${reason} />`)}</ul>
  </details>`;
}

/** The catalog version, which support needs. It is a hash, so it is out of the way. */
export const SupportDetails = ({ version }) =>
  html`<details class="small-text"><summary>Details for support</summary><p>Catalog version ${version}</p></details>`;

function ProductResult({ result, onPick }) {
  return html`<section class="card eligibility-result">
    <div class="card-head"><h3>${result.product_name}</h3><${Chip} of=${RESULT_LABELS[result.result]} /></div>
    ${result.missing.length > 0 && html`<p class="small-text">Needed for an answer:</p><${Missing} items=${result.missing} onPick=${onPick} />`}
    ${result.rows.map((row) => html`<${RowResult} row=${row} reasons=${result.reasons.filter(({ row_id }) => row_id === row.row_id)} />`)}
    ${result.limitations.map((limitation) => html`<p class="small-text">${limitation}</p>`)}
    <p class="small-text tabular-numbers">Label information as of ${formatDate(result.label_as_of)}</p>
    <${LabelWarnings} label=${result.label} />
    <${SupportDetails} version=${result.version} />
  </section>`;
}

const Flags = ({ flags }) => html`<section class="card">
  <h3>Discuss with the center</h3>
  <ul class="flags">
    ${flags.map((flag) => html`<li><p><strong>${flag.label}: ${flag.value}.</strong> ${flag.text}</p><${SourceList} anchors=${flag.anchors} /></li>`)}
  </ul>
</section>`;

function Checks({ checks, planned, onPick }) {
  return html`<section class="card">
    <h3>Before leukapheresis${planned && html` on <span class="tabular-numbers">${formatDate(planned)}</span>`}</h3>
    <ul class="flags">
      ${checks.map(
        (check) => html`<li>
        <p><strong>${check.label}</strong> <${Chip} of=${CHECK_STATE_LABELS[check.state]} /></p>
        ${check.last_on && html`<p class="small-text tabular-numbers">Last dose ${formatDate(check.last_on)}; interval ends ${formatDate(check.clear_from)}</p>`}
        ${check.state === "due" && html`<p class="small-text tabular-numbers">Starting ${formatDate(check.clear_from)}</p>`}
        ${check.missing.length > 0 && html`<${Missing} items=${check.missing} onPick=${onPick} />`}
        <${SourceList} anchors=${check.anchors} />
      </li>`,
      )}
    </ul>
  </section>`;
}

/** Open all details before printing, because a reader cannot open them on paper. */
function printResult() {
  for (const details of document.querySelectorAll(".eligibility-result details")) details.setAttribute("open", "");
  print();
}

export function EligibilityResult({ result, stale, onPick, onRefer }) {
  const notAsked = result.not_asked.length;
  return html`
    ${stale && html`<p class="banner is-warning" role="status"><${Icon} name="history" />Your entries changed. Compare again to update the results.</p>`}
    <div class="banner"><${Icon} name="stethoscope" /><p>${result.disclaimer}</p></div>
    <h2>Label comparison <span class="small-text tabular-numbers">Checked ${formatDate(result.screened_on)}</span></h2>
    ${result.results.map((each) => html`<${ProductResult} key=${each.product_id} result=${each} onPick=${onPick} />`)}
    ${result.discuss_with_center.length > 0 && html`<${Flags} flags=${result.discuss_with_center} />`}
    ${
      result.collection_checks.length > 0 &&
      html`<${Checks} checks=${result.collection_checks} planned=${result.planned_collection_on} onPick=${onPick} />`
    }
    ${
      notAsked > 0 &&
      html`<details class="card"><summary>Not checked: ${formatCount(notAsked, "item")} ${notAsked === 1 ? "was" : "were"} not entered</summary><${Missing} items=${result.not_asked} onPick=${onPick} /></details>`
    }
    <${SupportDetails} version=${result.catalogue_version} />
    <p class="buttons">
      <button type="button" class="primary" onClick=${onRefer} disabled=${stale}><${Icon} name="pencil" />Start a referral with these answers</button>
      <button type="button" onClick=${printResult}><${Icon} name="printer" />Print</button>
    </p>`;
}
