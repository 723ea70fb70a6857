// The entries of the practice, section by section. The referral page and the last step of the
// form both show them.
import { html } from "../platform/dom.js";
import { FactList } from "../platform/form_fields.js";
import { FLAGS, formatYesNo, getLabel } from "../platform/labels.js";
import { buildFormHref } from "../platform/route.js";
import { formatBirthDate, formatDate } from "../platform/time.js";
import { PhoneLink } from "../platform/ui.js";
import { formatHistology, listEligibilityFacts } from "./clinical_labels.js";
import { listConsentFacts } from "./consent_labels.js";
import { findStep } from "./form_step_list.js";
import { formatLanguage } from "./languages.js";

/** A section of facts. With `edit`, its heading has a button that opens the dialog of the section. */
const Section = ({ title, edit = null, children }) => html`<section class="card">
  <div class="card-head"><h2>${title}</h2>${
    edit &&
    html`<button type="button" class="ghost-button" aria-label="Edit ${title.toLowerCase()}" onClick=${edit}>Edit</button>`
  }</div>
  ${children}
</section>`;

/** @param {any} properties */
export function Patient({ value = {}, edit = null }) {
  const caregiver = value.caregiver;
  return html`<${Section} title="Patient" edit=${edit}>
    <${FactList} rows=${[
      ["Date of birth", formatBirthDate(value.birth_date)],
      ["Sex", getLabel(value.sex)],
      ["MRN", value.mrn],
      ["ZIP code", value.zip],
      ["Phone", value.phone && html`<${PhoneLink} number=${value.phone} />`],
      ["Email", value.email],
      ["Preferred language", formatLanguage(value.language)],
      ["Interpreter needed", formatYesNo(value.interpreter_needed)],
      ["Alias used in email", value.alias],
      ["Caregiver", caregiver && html`<${Caregiver} value=${caregiver} />`],
    ]} />
  <//>`;
}

function Caregiver({ value: { name, relation, phone } }) {
  return html`${[name, relation].filter(Boolean).join(", ")} <${PhoneLink} number=${phone} />`;
}

function TherapyLineRow({ line, index }) {
  const dates = [formatDate(line.started_on), formatDate(line.ended_on)].filter(Boolean).join(" to ");
  return html`<li>
    <span class="tabular-numbers">${line.line ?? index + 1}</span>
    <div>
      <p><strong>${line.regimen || "Regimen not entered"}</strong> <span class="small-text tabular-numbers">${dates}</span></p>
      <p>${(line.classes || []).map((each) => html`<span class="chip">${getLabel(each)}</span> `)}</p>
      ${line.response && html`<p class="small-text tabular-numbers">${getLabel(line.response)}${line.event_on && `, ${formatDate(line.event_on)}`}</p>`}
    </div>
  </li>`;
}

/** The product that the practice requested, and what the center planned and gave. */
const listProducts = (requested, named) =>
  named
    ? [
        ["Requested product", requested ? getLabel(requested) : "Not named"],
        ["Planned product", named.planned && getLabel(named.planned)],
        ["Given product", named.given && getLabel(named.given)],
        [
          "Directory entry",
          named.is_listed === false && `Does not list ${named.name ?? "this product"} for the center`,
        ],
      ].filter(([, value]) => value)
    : [["Planned product", getLabel(requested)]];

/** @param {any} properties */
export function Clinical({ value = {}, product, named = null, note, edit = null }) {
  const flags = value.flags || {};
  const lines = value.prior_lines || [];
  return html`<${Section} title="Clinical" edit=${edit}>
    <${FactList} rows=${[
      ["Disease", getLabel(value.disease)],
      ["Histology", formatHistology(value.histology)],
      ["ICD-10-CM", value.icd10],
      ["ECOG", value.ecog],
      ["Stem cell transplant candidate", formatYesNo(value.hsct_eligible)],
      ...listProducts(product, named),
      ...Object.entries(FLAGS).map(([flag, label]) => [label, formatYesNo(flags[flag])]),
      ...listEligibilityFacts(value),
    ]} />
    <h3>Lines of therapy</h3>
    ${
      lines.length
        ? html`<ol class="therapy-lines">${lines.map((line, index) => html`<${TherapyLineRow} line=${line} index=${index} />`)}</ol>`
        : html`<p class="small-text">None entered</p>`
    }
    ${note && html`<h3>Note</h3><p class="note">${note}</p>`}
  <//>`;
}

/** @param {any} properties */
export const Coverage = ({ value, edit = null }) => html`<${Section} title="Insurance" edit=${edit}>
  <${FactList} rows=${[
    ["Payer", value?.payer],
    ["Plan type", getLabel(value?.plan_type)],
    ["Member ID", value?.member_id],
    ["Group number", value?.group],
    ...(value?.funding ? [["Funding", getLabel(value.funding)]] : []),
    ...(value?.subscriber?.family_name
      ? [["Policy holder", [value.subscriber.given_name, value.subscriber.family_name].filter(Boolean).join(" ")]]
      : []),
  ]} />
<//>`;

/** @param {any} properties */
export const Provider = ({
  value = {},
  practice,
  edit = null,
}) => html`<${Section} title="Referring provider" edit=${edit}>
  <${FactList} rows=${[
    ["Name", value.name],
    ["Practice", practice],
    ["NPI", value.npi],
    ["Phone", value.phone && html`<${PhoneLink} number=${value.phone} />`],
    ["Email", value.email],
  ]} />
<//>`;

/** @param {any} properties */
export const Consent = ({
  value,
  state = "",
  edit = null,
}) => html`<${Section} title="Consent to share records" edit=${edit}>
  <${FactList} rows=${listConsentFacts(value, state)} />
<//>`;

/** The center's coordinator for this patient. @param {any} properties */
export const CenterContact = ({ value, center, edit = null }) => html`<${Section} title="Center contact" edit=${edit}>
  <${FactList} rows=${[
    ["Center", center?.name],
    ["Coordinator", value?.coordinator],
    ["Phone", value?.phone && html`<${PhoneLink} number=${value.phone} />`],
    ["Email", value?.email],
  ]} />
<//>`;

/** Items that the practice answered with "none, because". */
export const NoneAnswers = ({ answers }) =>
  answers.length > 0 &&
  html`<${Section} title="Items without a value">
    <${FactList} rows=${answers.map(({ label, reason }) => [label, `None, because: ${reason}`])} />
  <//>`;

/** How many of the items that a center needs on day 1 are complete. The server counts them. */
export function Packet({ packet, id, onPick }) {
  const { present, needed, missing } = packet;
  return html`<section class="card" aria-label="Referral packet">
    <div class="card-head"><h2>Referral packet</h2><span class="tabular-numbers">${present} of ${needed}</span></div>
    <meter min="0" max=${needed} value=${present} aria-label="Items the center needs on day 1">${present} of ${needed}</meter>
    ${
      missing.length > 0
        ? html`<p class="small-text">Missing items</p>
          <ul class="missing-items">
            ${missing.map(({ pointer, label }) => html`<li>${renderMissingItem({ pointer, label, id, onPick })}</li>`)}
          </ul>`
        : html`<p class="small-text">Everything the center needs on day 1 is complete.</p>`
    }
  </section>`;
}

function renderMissingItem({ pointer, label, id, onPick }) {
  if (onPick) return html`<button type="button" class="link-button" onClick=${() => onPick(pointer)}>${label}</button>`;
  return id ? html`<a href="${buildFormHref(id, findStep(pointer))}">${label}</a>` : label;
}
