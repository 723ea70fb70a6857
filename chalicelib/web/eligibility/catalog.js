// The product catalog: what each US label says, as of which date, and what is not verified.
import { listProducts } from "../centers/centers_api.js";
import { html } from "../platform/dom.js";
import { FactList } from "../platform/form_fields.js";
import { LabelWarnings } from "../platform/label_warnings.js";
import { formatCount } from "../platform/labels.js";
import { formatDate } from "../platform/time.js";
import { Loading, PageTitle, PhoneLink, Problem, useLoad } from "../platform/ui.js";
import { formatHistology } from "../referrals/clinical_labels.js";
import { Source, SupportDetails } from "./eligibility_result.js";

const Unverified = () => html` <span class="chip is-warning">Check the current label</span>`;
const APPROVALS = { regular: "Approved", accelerated: "Accelerated approval" };
const ANCHOR_LABELS = { first: "The first infusion", last: "The last infusion" };

/** The date of an approval; "2022-06" means that only the month is known. */
const formatApproval = (text) => (text.length === 7 ? formatDate(`${text}-01`).replace(/ \d+,/, "") : formatDate(text));

function IndicationRow({ row, unverified }) {
  return html`<li>
    <p>${row.text}.</p>
    <p class="small-text tabular-numbers">${APPROVALS[row.approval]}, ${formatApproval(row.approved_on)}${unverified && html`<${Unverified} />`}</p>
  </li>`;
}

function Indication({ indication, at, unverified }) {
  const notes = [...indication.limitations, ...indication.notes];
  return html`<section>
    <h3>${indication.name} <span class="chip">${indication.age_group === "adult" ? "Adults" : "Children and young adults"}</span></h3>
    <ul class="label-text">
      ${indication.rows.map((row, index) => html`<${IndicationRow} row=${row} unverified=${unverified.has(`${at}/rows/${index}/approval`)} />`)}
    </ul>
    ${
      indication.histologies.length > 0 &&
      html`<p class="small-text">Histologies named in the label: ${indication.histologies.map(formatHistology).join("; ")}.</p>`
    }
    ${notes.map(({ text }) => html`<p class="small-text">${text}</p>`)}
  </section>`;
}

function formatMonitoring(product, unverified) {
  const figure = (name) =>
    html`${formatCount(product.monitoring[name], "day")}${unverified.has(`/monitoring/${name}`) && html`<${Unverified} />`}`;
  const line = product.safety_line;
  return [
    ["Daily monitoring", figure("daily_days")],
    ["Stay near the center", figure("monitor_min_days")],
    ["No driving", figure("driving_days")],
    ["Target date to return to referring provider", `Day ${product.monitoring.handback_target_day}`],
    ["Day 0", ANCHOR_LABELS[product.monitoring.anchor]],
    ["Number of infusions", product.infusion_parts],
    ["Adverse event reporting", html`${line.medwatch.name}, <${PhoneLink} number=${line.medwatch.phone} />`],
    [
      "Manufacturer's line",
      line.maker
        ? html`<${PhoneLink} number=${line.maker.phone} />${unverified.has("/safety_line/maker") && html`<${Unverified} />`}`
        : "Not listed",
    ],
  ];
}

function ProductCard({ product }) {
  const unverified = new Set(product.unverified);
  return html`<article class="card product" id=${`product-${product.product_id}`}>
    <div class="card-head">
      <h2>${product.name} <span class="small-text">${product.generic}</span></h2>
      <span class="chip">${product.target}</span>
    </div>
    <p class="small-text tabular-numbers">${product.maker} · Label information as of ${formatDate(product.label_as_of)} · Reviewed ${formatDate(product.reviewed_on)}</p>
    <${LabelWarnings} label=${product.label} />
    ${product.notes.map(({ text }) => html`<p class="small-text">${text}</p>`)}
    <div class="product-grid">
      <div class="stack">
        ${product.indications.map((indication, index) => html`<${Indication} indication=${indication} at=${`/indications/${index}`} unverified=${unverified} />`)}
      </div>
      <div class="stack">
        <section><h3>After infusion <span class="small-text tabular-numbers">label minimums as of ${formatDate(product.monitoring.label_as_of)}</span></h3><${FactList} rows=${formatMonitoring(product, unverified)} /></section>
        ${
          product.intervals.length > 0 &&
          html`<section><h3>Typical turnaround</h3><ul class="label-text">
          ${product.intervals.map((interval, index) => html`<li><p>${interval.text}${unverified.has(`/intervals/${index}/days`) && html`<${Unverified} />`}</p></li>`)}
        </ul></section>`
        }
        ${product.late_effects.map(({ text }) => html`<p class="banner is-warning">${text}</p>`)}
      </div>
    </div>
    <details>
      <summary>Sources (${product.sources.length})</summary>
      <ul class="source-list small-text">${product.sources.map((source) => html`<li><${Source} source=${source} /></li>`)}</ul>
    </details>
    <${SupportDetails} version=${product.version} />
  </article>`;
}

export function Catalog() {
  const { data, problem, reload } = useLoad(listProducts, []);
  return html`<div class="title-row"><${PageTitle} page="Products">Products<//></div>
    <p class="lead">What each US label says, from public sources, as of the date shown. Labels change. Always check the current prescribing information.</p>
    ${problem && html`<${Problem} problem=${problem} retry=${reload} />`}
    ${!data && !problem && html`<${Loading} what="the products" />`}
    <div class="stack">${data?.map((product) => html`<${ProductCard} key=${product.product_id} product=${product} />`)}</div>`;
}
