// The transition-of-care summary on the referral page: how complete it is, and its contents.
import { listProducts } from "../centers/centers_api.js";
import { getTimeZone } from "../identity/member.js";
import { html } from "../platform/dom.js";
import { FactList } from "../platform/form_fields.js";
import { getLabel } from "../platform/labels.js";
import { buildPageHref } from "../platform/route.js";
import { formatDate, formatTime } from "../platform/time.js";
import { Icon, PhoneLink, Problem, useLoad } from "../platform/ui.js";
import { getHandback } from "./handback_api.js";

const STATE_LABELS = { not_written: "Not started", in_preparation: "In progress", handed_over: "Sent to practice" };

const joinParts = (...parts) => parts.filter(Boolean).join(", ");
const formatGrade = (value) => value?.worst_grade != null && `Grade ${value.worst_grade}`;
const formatList = (list, formatItem) => list && (list.map(formatItem).join("; ") || "None");
const formatCells = (count) => `${count.toLocaleString("en-US")} cells/µL`;
const formatCounts = (value) =>
  value &&
  joinParts(
    value.neutrophils_per_ul != null && `neutrophils ${formatCells(value.neutrophils_per_ul)}`,
    value.hemoglobin_g_dl != null && `hemoglobin ${value.hemoglobin_g_dl} g/dL`,
    value.platelets_per_ul != null && `platelets ${formatCells(value.platelets_per_ul)}`,
    formatDate(value.on),
  );
const formatIgg = (value) =>
  value?.igg_mg_dl != null && joinParts(`${value.igg_mg_dl} mg/dL`, formatDate(value.measured_on));

/** All fields of a summary, in the order of the form. */
function SummaryContents({ package: pack, product }) {
  return html`<${FactList} rows=${[
    ["Product", product],
    ["Lot number", pack.lot],
    ["Infusions", formatList(pack.infusions, ({ on, dose }) => joinParts(formatDate(on), dose))],
    [
      "Response",
      pack.response?.assessment &&
        joinParts(getLabel(pack.response.assessment), formatDate(pack.response.on), pack.response.words),
    ],
    ["Worst CRS", formatGrade(pack.crs)],
    ["Worst ICANS", formatGrade(pack.icans)],
    ["CRS treatment", pack.crs?.treatment],
    ["ICANS treatment", pack.icans?.treatment],
    ["Cytopenias", pack.cytopenias],
    ["Last blood count", formatCounts(pack.counts)],
    ["Transfusion needs", pack.transfusion_needs],
    [
      "Prophylaxis",
      formatList(pack.prophylaxis, ({ drug, against, stop_on: stopOn, stop_when: stopWhen }) =>
        joinParts(drug, getLabel(against).toLowerCase(), stopOn && `through ${formatDate(stopOn)}`, stopWhen),
      ),
    ],
    ["IgG", formatIgg(pack.immunoglobulin)],
    ["IgG and IVIG plan", pack.immunoglobulin?.plan],
    ["Vaccination plan", pack.vaccination_plan],
    ["Corticosteroids", pack.steroids?.status && joinParts(getLabel(pack.steroids.status), pack.steroids.words)],
    ["Cleared to drive on", formatDate(pack.driving_cleared_on)],
    ["Irradiated blood products until", formatDate(pack.irradiated_until)],
    ["Next center visit", formatDate(pack.next_center_visit_on)],
    ["Center's 24/7 line", pack.center_phone && html`<${PhoneLink} number=${pack.center_phone} />`],
    ["Open problems", pack.open_problems],
    ["Warning signs", pack.warning_signs],
    [
      "Responsibilities",
      pack.responsibilities?.length > 0 &&
        formatList(pack.responsibilities, ({ who, does }) => `${getLabel(who)}: ${does}`),
    ],
    ["Wallet card", pack.wallet_card_given == null ? "" : pack.wallet_card_given ? "Given" : "Not given"],
  ]} />`;
}

/** The source of a care point. The source does not support the new text of a point that the center edited. */
function FactOrigin({ point }) {
  if (!point.source) return html`<span class="small-text">Added by the center</span>`;
  const { title, url, as_of: day } = point.source;
  const text = `${title} (${day})`;
  return html`<span class="small-text source">${point.edited && "Edited by the center; based on "}${url ? html`<a href=${url} rel="noreferrer">${text}</a>` : text}</span>`;
}

function Checklist({ points }) {
  return html`<details>
    <summary>Care points (${points.length})</summary>
    <ul class="care-points">
      ${points.map(
        (point) => html`<li>
        <p><strong>${point.topic}</strong> ${point.due_on && html`<span class="chip">starting ${formatDate(point.due_on)}</span>`}</p>
        <p>${point.text}</p>
        <${FactOrigin} point=${point} />
      </li>`,
      )}
    </ul>
  </details>`;
}

function MissingItems({ items }) {
  const open = items.filter((item) => !item.done);
  if (!open.length) return null;
  return html`<details><summary>Missing items (${open.length})</summary>
    <ul class="missing-items">${open.map(({ label }) => html`<li>${label}</li>`)}</ul>
  </details>`;
}

export function Handback({ referral }) {
  const id = referral.referral_id;
  const { data, problem, reload } = useLoad(() => getHandback(id), [referral.version]);
  const products = useLoad(listProducts, []);
  if (!data)
    return (
      problem &&
      html`<section class="card"><h2>Transition-of-care summary</h2><${Problem} problem=${problem} retry=${reload} /></section>`
    );
  const read = data.data;
  const closed = referral.clock.owner === "none";
  if (closed && !read.package) return null;
  const { present, needed, items } = read.completeness;
  const product = products.data?.find(({ product_id: known }) => known === read.package?.product_id)?.name;
  return html`<section class="card handback" aria-labelledby="handback">
    <div class="card-head"><h2 id="handback">Transition-of-care summary</h2><span class=${read.state === "handed_over" ? "chip is-accent" : "chip"}>${STATE_LABELS[read.state]}</span></div>
    ${
      read.package
        ? html`<p class="small-text tabular-numbers">Written by ${read.written_by}, ${formatTime(/** @type {string} */ (read.written_at), getTimeZone())}, version ${read.version}. ${present} of ${needed} items complete.</p>
          <meter min="0" max=${needed} value=${present} aria-label="Completed items in the summary">${present} of ${needed}</meter>
          <${MissingItems} items=${items} />
          <details open=${read.state === "handed_over" && !read.may_write}><summary>View summary</summary><${SummaryContents} package=${read.package} product=${product} />
            <p class="small-text source">Grading: ${read.grades.title}.</p></details>
          ${read.checklist.length > 0 && html`<${Checklist} points=${read.checklist} />`}`
        : html`<p>${read.may_write ? "Not started. Write the summary before you return the patient." : `Waiting for ${referral.center.name} to write the summary. We will notify you when it is ready.`}</p>`
    }
    ${read.first_visit_on && html`<p class="tabular-numbers">First visit with the practice: <strong>${formatDate(read.first_visit_on)}</strong></p>`}
    <div class="buttons">
      ${read.may_write && html`<a class="button" href=${buildPageHref(id, "handback")}><${Icon} name="pencil" />${read.package ? "Edit summary" : "Write summary"}</a>`}
      ${referral.stage !== "deceased" && html`<a class="button" href=${buildPageHref(id, "card")}><${Icon} name="shield-alert" />Emergency card</a>`}
    </div>
  </section>`;
}
