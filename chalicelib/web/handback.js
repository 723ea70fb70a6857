// The hand-back package on a referral's page: how complete it is, and what it says.
import { Facts } from "./answers.js";
import * as api from "./api.js";
import { html } from "./dom.js";
import { toPage } from "./route.js";
import { zone } from "./state.js";
import { dateText, timeIn } from "./time.js";
import { Icon, Problem, useLoad } from "./ui.js";
import { phone, word } from "./words.js";

const STATES = { not_written: "Not here yet", in_preparation: "In preparation", handed_over: "Handed over" };

const joined = (...parts) => parts.filter(Boolean).join(", ");
const grade = (value) => value?.worst_grade != null && `Grade ${value.worst_grade}`;
const given = (list, say) => list && (list.map(say).join("; ") || "None");
const counts = (value) =>
  value && joined(
    value.neutrophils_per_ul != null && `neutrophils ${value.neutrophils_per_ul}/µL`,
    value.hemoglobin_g_dl != null && `hemoglobin ${value.hemoglobin_g_dl} g/dL`,
    value.platelets_per_ul != null && `platelets ${value.platelets_per_ul}/µL`,
    dateText(value.on),
  );
const igg = (value) => value?.igg_mg_dl != null && joined(`${value.igg_mg_dl} mg/dL`, dateText(value.measured_on));

/** Everything that a package says, in the order in which it is asked for. */
function Told({ package: told, product }) {
  return html`<${Facts} rows=${[
      ["Product", product],
      ["Lot", told.lot],
      ["Infusions", given(told.infusions, ({ on, dose }) => joined(dateText(on), dose))],
      ["Response", told.response?.assessment && joined(word(told.response.assessment), dateText(told.response.on), told.response.words)],
      ["Worst CRS", grade(told.crs)],
      ["Worst ICANS", grade(told.icans)],
      ["CRS treatment", told.crs?.treatment],
      ["ICANS treatment", told.icans?.treatment],
      ["Cytopenias", told.cytopenias],
      ["Last blood count", counts(told.counts)],
      ["Transfusion needs", told.transfusion_needs],
      ["Prophylaxis", given(told.prophylaxis, (each) =>
        joined(each.drug, word(each.against).toLowerCase(), each.stop_on && `until ${dateText(each.stop_on)}`, each.stop_when))],
      ["IgG", igg(told.immunoglobulin)],
      ["IgG and IVIG plan", told.immunoglobulin?.plan],
      ["Vaccination plan", told.vaccination_plan],
      ["Corticosteroids", told.steroids?.status && joined(word(told.steroids.status), told.steroids.words)],
      ["Driving cleared on", dateText(told.driving_cleared_on)],
      ["Irradiated blood until", dateText(told.irradiated_until)],
      ["Next center visit", dateText(told.next_center_visit_on)],
      ["Center, 24/7", phone(told.center_phone)],
      ["Open problems", told.open_problems],
      ["Warning signs", told.warning_signs],
      ["Who does what", told.responsibilities?.length > 0 &&
        given(told.responsibilities, ({ who, does }) => `${word(who)}: ${does}`)],
      ["Wallet card", told.wallet_card_given == null ? "" : told.wallet_card_given ? "Given" : "Not given"],
    ]} />`;
}

/** Where a point was read. Of one that was worded anew, the source speaks no more. */
function From({ point }) {
  if (!point.source) return html`<span class="fine">Added by the center</span>`;
  const { title, url, as_of: day } = point.source;
  const text = `${title} (${day})`;
  return html`<span class="fine source">${point.edited && "Worded anew by the center, after "}${url ? html`<a href=${url} rel="noreferrer">${text}</a>` : text}</span>`;
}

function Checklist({ points }) {
  return html`<details>
    <summary>Care points (${points.length})</summary>
    <ul class="care">
      ${points.map((point) => html`<li>
        <p><strong>${point.topic}</strong> ${point.due_on && html`<span class="chip">from ${dateText(point.due_on)}</span>`}</p>
        <p>${point.text}</p>
        <${From} point=${point} />
      </li>`)}
    </ul>
  </details>`;
}

function Lacking({ items }) {
  const open = items.filter((item) => !item.done);
  if (!open.length) return null;
  return html`<details><summary>Still missing (${open.length})</summary>
    <ul class="missing">${open.map(({ label }) => html`<li>${label}</li>`)}</ul>
  </details>`;
}

export function Handback({ referral }) {
  const id = referral.referral_id;
  const { data, problem, reload } = useLoad(() => api.handback(id), [referral.version]);
  const catalogue = useLoad(api.products, []);
  if (!data) return problem && html`<section class="card"><h2>Hand-back</h2><${Problem} problem=${problem} retry=${reload} /></section>`;
  const read = data.data;
  const { present, needed, items } = read.completeness;
  const product = catalogue.data?.find((each) => each.product_id === read.package?.product_id)?.name;
  return html`<section class="card handback" aria-labelledby="handback">
    <div class="card-head"><h2 id="handback">Hand-back package</h2><span class=${read.state === "handed_over" ? "chip you" : "chip"}>${STATES[read.state]}</span></div>
    ${read.package
      ? html`<p class="fine num">Written by ${read.written_by}, ${timeIn(read.written_at, zone())}, version ${read.version}. ${present} of ${needed} items are there.</p>
          <meter min="0" max=${needed} value=${present} aria-label="Items of a complete package">${present} of ${needed}</meter>
          <${Lacking} items=${items} />
          <details open=${read.state === "handed_over" && !read.may_write}><summary>What it says</summary><${Told} package=${read.package} product=${product} />
            <p class="fine source">Grades: ${read.grades.title}.</p></details>
          ${read.checklist.length > 0 && html`<${Checklist} points=${read.checklist} />`}`
      : html`<p>${read.may_write ? "Nothing is written yet." : "The center has not written it yet. You are told when it does."}</p>`}
    ${read.first_visit_on && html`<p class="num">First visit with the practice: <strong>${dateText(read.first_visit_on)}</strong></p>`}
    <div class="buttons">
      ${read.may_write && html`<a class="button" href=${toPage(id, "handback")}><${Icon} name="pencil" />${read.package ? "Change the package" : "Write the package"}</a>`}
      <a class="button" href=${toPage(id, "card")}><${Icon} name="shield-alert" />Emergency card</a>
    </div>
  </section>`;
}
