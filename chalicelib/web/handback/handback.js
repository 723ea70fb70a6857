// The hand-back package on a referral's page: how complete it is, and what it says.
import { listProducts } from "../centers/centers_api.js";
import { getTimeZone } from "../identity/member.js";
import { html } from "../platform/dom.js";
import { FactList } from "../platform/form_fields.js";
import { formatPhone, getLabel } from "../platform/labels.js";
import { buildPageHref } from "../platform/route.js";
import { formatDate, formatTime } from "../platform/time.js";
import { Icon, Problem, useLoad } from "../platform/ui.js";
import { getHandback } from "./handback_api.js";

const STATES = { not_written: "Not here yet", in_preparation: "In preparation", handed_over: "Handed over" };

const joinParts = (...parts) => parts.filter(Boolean).join(", ");
const formatGrade = (value) => value?.worst_grade != null && `Grade ${value.worst_grade}`;
const formatGiven = (list, say) => list && (list.map(say).join("; ") || "None");
const formatCounts = (value) =>
  value &&
  joinParts(
    value.neutrophils_per_ul != null && `neutrophils ${value.neutrophils_per_ul}/µL`,
    value.hemoglobin_g_dl != null && `hemoglobin ${value.hemoglobin_g_dl} g/dL`,
    value.platelets_per_ul != null && `platelets ${value.platelets_per_ul}/µL`,
    formatDate(value.on),
  );
const formatIgg = (value) =>
  value?.igg_mg_dl != null && joinParts(`${value.igg_mg_dl} mg/dL`, formatDate(value.measured_on));

/** Everything that a package says, in the order in which it is asked for. */
function PackageContents({ package: pack, product }) {
  return html`<${FactList} rows=${[
    ["Product", product],
    ["Lot", pack.lot],
    ["Infusions", formatGiven(pack.infusions, ({ on, dose }) => joinParts(formatDate(on), dose))],
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
      formatGiven(pack.prophylaxis, (each) =>
        joinParts(
          each.drug,
          getLabel(each.against).toLowerCase(),
          each.stop_on && `until ${formatDate(each.stop_on)}`,
          each.stop_when,
        ),
      ),
    ],
    ["IgG", formatIgg(pack.immunoglobulin)],
    ["IgG and IVIG plan", pack.immunoglobulin?.plan],
    ["Vaccination plan", pack.vaccination_plan],
    ["Corticosteroids", pack.steroids?.status && joinParts(getLabel(pack.steroids.status), pack.steroids.words)],
    ["Driving cleared on", formatDate(pack.driving_cleared_on)],
    ["Irradiated blood until", formatDate(pack.irradiated_until)],
    ["Next center visit", formatDate(pack.next_center_visit_on)],
    ["Center, 24/7", formatPhone(pack.center_phone)],
    ["Open problems", pack.open_problems],
    ["Warning signs", pack.warning_signs],
    [
      "Who does what",
      pack.responsibilities?.length > 0 &&
        formatGiven(pack.responsibilities, ({ who, does }) => `${getLabel(who)}: ${does}`),
    ],
    ["Wallet card", pack.wallet_card_given == null ? "" : pack.wallet_card_given ? "Given" : "Not given"],
  ]} />`;
}

/** Where a point was read. Of one that was worded anew, the source speaks no more. */
function FactOrigin({ point }) {
  if (!point.source) return html`<span class="small-text">Added by the center</span>`;
  const { title, url, as_of: day } = point.source;
  const text = `${title} (${day})`;
  return html`<span class="small-text source">${point.edited && "Worded anew by the center, after "}${url ? html`<a href=${url} rel="noreferrer">${text}</a>` : text}</span>`;
}

function Checklist({ points }) {
  return html`<details>
    <summary>Care points (${points.length})</summary>
    <ul class="care-points">
      ${points.map(
        (point) => html`<li>
        <p><strong>${point.topic}</strong> ${point.due_on && html`<span class="chip">from ${formatDate(point.due_on)}</span>`}</p>
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
  return html`<details><summary>Still missing (${open.length})</summary>
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
      html`<section class="card"><h2>Hand-back</h2><${Problem} problem=${problem} retry=${reload} /></section>`
    );
  const read = data.data;
  const { present, needed, items } = read.completeness;
  const product = products.data?.find((each) => each.product_id === read.package?.product_id)?.name;
  return html`<section class="card handback" aria-labelledby="handback">
    <div class="card-head"><h2 id="handback">Hand-back package</h2><span class=${read.state === "handed_over" ? "chip is-accent" : "chip"}>${STATES[read.state]}</span></div>
    ${
      read.package
        ? html`<p class="small-text tabular-numbers">Written by ${read.written_by}, ${formatTime(/** @type {string} */ (read.written_at), getTimeZone())}, version ${read.version}. ${present} of ${needed} items are there.</p>
          <meter min="0" max=${needed} value=${present} aria-label="Items of a complete package">${present} of ${needed}</meter>
          <${MissingItems} items=${items} />
          <details open=${read.state === "handed_over" && !read.may_write}><summary>What it says</summary><${PackageContents} package=${read.package} product=${product} />
            <p class="small-text source">Grades: ${read.grades.title}.</p></details>
          ${read.checklist.length > 0 && html`<${Checklist} points=${read.checklist} />`}`
        : html`<p>${read.may_write ? "Nothing is written yet." : "The center has not written it yet. You are told when it does."}</p>`
    }
    ${read.first_visit_on && html`<p class="tabular-numbers">First visit with the practice: <strong>${formatDate(read.first_visit_on)}</strong></p>`}
    <div class="buttons">
      ${read.may_write && html`<a class="button" href=${buildPageHref(id, "handback")}><${Icon} name="pencil" />${read.package ? "Change the package" : "Write the package"}</a>`}
      <a class="button" href=${buildPageHref(id, "card")}><${Icon} name="shield-alert" />Emergency card</a>
    </div>
  </section>`;
}
