// What the practice wrote, section by section. The referral page and the last step of the
// form show the same.
import { Facts } from "./answers.js";
import { html } from "./dom.js";
import { screenFacts } from "./screen_words.js";
import { stepOf } from "./steps.js";
import { toForm } from "./route.js";
import { dateText } from "./time.js";
import { FLAGS, phone, word, yesNo } from "./words.js";

const Section = ({ title, children }) => html`<section class="card"><h2>${title}</h2>${children}</section>`;

export function Patient({ value = {} }) {
  const caregiver = value.caregiver;
  return html`<${Section} title="Patient">
    <${Facts} rows=${[
      ["Date of birth", dateText(value.birth_date)],
      ["Sex", word(value.sex)],
      ["MRN", value.mrn],
      ["ZIP code", value.zip],
      ["Phone", phone(value.phone)],
      ["Email", value.email],
      ["Language", language(value.language)],
      ["Alias in mail", value.alias],
      ["Caregiver", caregiver && [caregiver.name, caregiver.relation, phone(caregiver.phone)].filter(Boolean).join(", ")],
    ]} />
  <//>`;
}

function language(code) {
  try {
    return code && new Intl.DisplayNames("en", { type: "language" }).of(code);
  } catch {
    return code;
  }
}

function Line({ line, index }) {
  const dates = [dateText(line.started_on), dateText(line.ended_on)].filter(Boolean).join(" to ");
  return html`<li>
    <span class="num">${line.line ?? index + 1}</span>
    <div>
      <p><strong>${line.regimen || "Regimen not given"}</strong> <span class="fine num">${dates}</span></p>
      <p>${(line.classes || []).map((each) => html`<span class="chip">${word(each)}</span> `)}</p>
      ${line.response && html`<p class="fine num">${word(line.response)}${line.event_on && `, ${dateText(line.event_on)}`}</p>`}
    </div>
  </li>`;
}

export function Clinical({ value = {}, product, note }) {
  const flags = value.flags || {};
  const lines = value.prior_lines || [];
  return html`<${Section} title="Clinical">
    <${Facts} rows=${[
      ["Disease", word(value.disease)],
      ["Histology", word(value.histology)],
      ["ICD-10-CM", value.icd10],
      ["ECOG", value.ecog],
      ["Transplant candidate", yesNo(value.hsct_eligible)],
      ["Product in mind", word(product)],
      ...Object.entries(FLAGS).map(([flag, label]) => [label, yesNo(flags[flag])]),
      ...screenFacts(value),
    ]} />
    <h3>Lines of therapy</h3>
    ${lines.length
      ? html`<ol class="lines">${lines.map((line, index) => html`<${Line} line=${line} index=${index} />`)}</ol>`
      : html`<p class="fine">None given</p>`}
    ${note && html`<h3>Note</h3><p class="note">${note}</p>`}
  <//>`;
}

export const Coverage = ({ value }) => html`<${Section} title="Insurance">
  <${Facts} rows=${[
    ["Payer", value?.payer],
    ["Plan type", word(value?.plan_type)],
    ["Member id", value?.member_id],
    ["Group", value?.group],
  ]} />
<//>`;

export const Provider = ({ value = {}, practice }) => html`<${Section} title="Referring provider">
  <${Facts} rows=${[
    ["Name", value.name],
    ["Practice", practice],
    ["NPI", value.npi],
    ["Phone", phone(value.phone)],
    ["Email", value.email],
  ]} />
<//>`;

export const Consent = ({ value }) => html`<${Section} title="Consent to share">
  <p>${value?.given ? `Given ${dateText(value.on)}` : html`<span class="fine">Not recorded</span>`}</p>
<//>`;

/** How much of what a center needs on day 1 is there, as the server counted it. */
export function Packet({ packet, id, onPick }) {
  const { present, needed, missing } = packet;
  return html`<section class="card" aria-label="Packet">
    <div class="card-head"><h2>Packet</h2><span class="num">${present} of ${needed}</span></div>
    <meter min="0" max=${needed} value=${present} aria-label="Items the center needs">${present} of ${needed}</meter>
    ${missing.length > 0
      ? html`<p class="fine">Still missing:</p>
          <ul class="missing">
            ${missing.map(({ pointer, label }) => html`<li>${missingItem({ pointer, label, id, onPick })}</li>`)}
          </ul>`
      : html`<p class="fine">All that a center needs on day 1 is there.</p>`}
  </section>`;
}

function missingItem({ pointer, label, id, onPick }) {
  if (onPick) return html`<button type="button" class="link" onClick=${() => onPick(pointer)}>${label}</button>`;
  return id ? html`<a href="${toForm(id, stepOf(pointer))}">${label}</a>` : label;
}
