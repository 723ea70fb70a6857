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

const EVIDENCE = {
  recommendation: "Published recommendation",
  cohort: "Observational study",
  trial_criterion: "Trial criterion",
  expert_review: "Expert review",
  practice_only: "Practice only",
};
const DISCUSS = ["is-warning", "Discuss with center"];
const ISO_DATE = /\d{4}-\d{2}-\d{2}/g;

const Chip = ({ of: [kind, text] }) => html`<span class="chip ${kind}">${text}</span>`;

export const Source = ({ source }) =>
  html`<span class="source"><a href=${source.url} rel="noreferrer" target="_blank">${source.title}</a>, as of ${formatDate(source.as_of)}${source.kind === "secondary" && ", secondary source"}</span>`;

const SourceList = ({ anchors }) => html`<ul class="source-list small-text">
  ${anchors.map(({ says: text, source }) => html`<li>${text}: <${Source} source=${source} /></li>`)}
</ul>`;

const Missing = ({ items, onPick }) => html`<ul class="missing-values">
  ${items.map(({ pointer, label }) => html`<li><button type="button" class="link-button" onClick=${() => onPick(pointer)}>${label}</button></li>`)}
</ul>`;

/** "Relapse of line 1: Oct 2, 2026". @param {{label: string, value: string}} entry */
const formatEntry = ({ label, value }) => `${label}: ${value.replace(ISO_DATE, (day) => formatDate(day) ?? day)}`;

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
      ${reason.entered.length > 0 && html`<p class="small-text tabular-numbers">Entered: ${reason.entered.map(formatEntry).join("; ")}</p>`}
      ${reason.missing.length > 0 && html`<p class="small-text">Needed: ${reason.missing.map(({ label }) => label).join("; ")}</p>`}
      <p class="small-text"><${Source} source=${reason.source} /></p>
    </div>
  </li>`;
}

function RowResult({ row, reasons }) {
  return html`<details>
    <summary><span>${row.text} <${Chip} of=${RESULT_LABELS[row.result]} />${row.approval === "accelerated" && html` <${Chip} of=${["", "Accelerated approval"]} />`}</span></summary>
    <ul class="reasons">${reasons.map((reason) => html`<${ReasonRow} reason=${reason} />`)}</ul>
  </details>`;
}

/** The catalog version, which support needs. It is a hash, so it is out of the way. */
export const SupportDetails = ({ version }) =>
  html`<details class="small-text"><summary>Details for support</summary><p>Catalog version ${version}</p></details>`;

/** Earlier therapy has its sources below, with the flag. */
const DiscussionPoint = ({ point }) =>
  point.kind === "histology_not_named"
    ? html`<p class="small-text"><strong>${point.entered.map(formatEntry).join("; ")}.</strong> ${point.text} <${Source} source=${point.source} /></p>`
    : html`<p class="small-text">${point.text}</p>`;

function ProductResult({ result, onPick }) {
  return html`<section class="card eligibility-result">
    <div class="card-head"><h3>${result.product_name}</h3><span class="chips"><${Chip} of=${RESULT_LABELS[result.result]} />${result.discuss.length > 0 && html` <${Chip} of=${DISCUSS} />`}</span></div>
    ${result.discuss.map((point) => html`<${DiscussionPoint} point=${point} />`)}
    ${result.missing.length > 0 && html`<p class="small-text">Needed for an answer:</p><${Missing} items=${result.missing} onPick=${onPick} />`}
    ${result.rows.map((row) => html`<${RowResult} row=${row} reasons=${result.reasons.filter(({ row_id }) => row_id === row.row_id)} />`)}
    ${result.limitations.map((limitation) => html`<p class="small-text">${limitation}</p>`)}
    ${result.notes.map((note) => html`<p class="small-text">${note.text} <${Source} source=${note.source} /></p>`)}
    <p class="small-text tabular-numbers">Label information as of ${formatDate(result.label_as_of)}</p>
    <${LabelWarnings} label=${result.label} />
    <${SupportDetails} version=${result.version} />
  </section>`;
}

const Flags = ({ flags, onPick }) => html`<section class="card">
  <h3>Discuss with the center</h3>
  <ul class="flags">
    ${flags.map(
      (flag) => html`<li><p><strong>${flag.label}: ${flag.value}.</strong> ${flag.text}</p>
      ${flag.missing.length > 0 && html`<${Missing} items=${flag.missing} onPick=${onPick} />`}<${SourceList} anchors=${flag.anchors} /></li>`,
    )}
  </ul>
</section>`;

/** A dose that was not entered has no place in the request, so its field is found by the name of the check. */
const toDosePointer = (check, pointer) =>
  pointer === "/clinical/last_doses" ? `/doses/${check.check}/last_on` : pointer;

const CheckRow = ({ check, onPick }) => html`<li>
  <p><strong>${check.label}</strong> <${Chip} of=${CHECK_STATE_LABELS[check.state]} /> <span class="chip">${EVIDENCE[check.evidence]}</span></p>
  ${check.state === "due" && html`<p class="small-text tabular-numbers">Starting ${formatDate(check.clear_from)}</p>`}
  ${
    check.last_on &&
    html`<p class="small-text tabular-numbers">Last dose ${formatDate(check.last_on)}${check.from_line && `, from line ${check.from_line}`}${
      check.clear_from ? `; interval ends ${formatDate(check.clear_from)}` : ""
    }</p>`
  }
  ${check.note && html`<p class="small-text">${check.note}</p>`}
  ${check.missing.length > 0 && html`<${Missing} items=${check.missing} onPick=${(pointer) => onPick(toDosePointer(check, pointer))} />`}
  <${SourceList} anchors=${check.anchors} />
</li>`;

/** What to discuss first; what was not entered last, and closed. */
function Checks({ checks, planned, onPick }) {
  const list = (/** @type {any[]} */ some) => html`<ul class="flags">
    ${some.map((check) => html`<${CheckRow} key=${check.check} check=${check} onPick=${onPick} />`)}
  </ul>`;
  const [known, unknown] = [false, true].map((isUnknown) =>
    checks.filter(({ state, last_on }) => (state === "information_missing" && !last_on) === isUnknown),
  );
  const order = ["discuss", "information_missing", "due", "clear"];
  known.sort((a, b) => order.indexOf(a.state) - order.indexOf(b.state));
  return html`<section class="card">
    <h3>Before leukapheresis${planned && html` on <span class="tabular-numbers">${formatDate(planned)}</span>`}</h3>
    ${list(known)}
    ${unknown.length > 0 && html`<details><summary>Last dose not entered (${unknown.length})</summary>${list(unknown)}</details>`}
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
    <div class="banner"><${Icon} name="stethoscope" /><p>${result.disclaimer}</p></div>
    <h2>Label comparison <span class="small-text tabular-numbers">Checked ${formatDate(result.screened_on)}</span></h2>
    ${result.results.map((each) => html`<${ProductResult} key=${each.product_id} result=${each} onPick=${onPick} />`)}
    ${result.discuss_with_center.length > 0 && html`<${Flags} flags=${result.discuss_with_center} onPick=${onPick} />`}
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
