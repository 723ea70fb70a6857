// The steps of the form that are plain fields.
import { Choice } from "./answers.js";
import { html } from "./dom.js";
import { useDiagnosisCodes } from "./form_codes.js";
import { Field } from "./ui.js";
import { DISEASES, FLAGS, word } from "./words.js";

const errorAt = (draft, pointer) => draft.errors.value.find((error) => error.pointer === pointer)?.message;

/** One field of the draft, by its pointer. */
export function Input({ draft, pointer, ...rest }) {
  return html`<${Field} pointer=${pointer} value=${draft.get(pointer)} error=${errorAt(draft, pointer)}
    onInput=${(event) => draft.set(pointer, event.target.value)} ...${rest} />`;
}

/** One question of the draft with a few answers. */
export function Pick({ draft, pointer, ...rest }) {
  return html`<${Choice} pointer=${pointer} value=${draft.get(pointer)} error=${errorAt(draft, pointer)}
    onPick=${(value) => draft.set(pointer, value)} ...${rest} />`;
}

export const YES_NO = [[true, "Yes"], [false, "No"], ["", "Not known"]];

export const Group = ({ title, lead, children }) => html`<section class="card">
  <h2>${title}</h2>
  ${lead && html`<p class="fine">${lead}</p>`}
  <div class="fields">${children}</div>
</section>`;

const options = (codes, first) => [["", first], ...codes.map((code) => [code, word(code)])];
const SEXES = ["female", "male", "intersex", "unknown"];
const LANGUAGES = [
  ["", "Choose"], ["en", "English"], ["es", "Spanish"], ["zh", "Chinese"], ["vi", "Vietnamese"], ["ko", "Korean"],
  ["tl", "Tagalog"], ["ru", "Russian"], ["ar", "Arabic"], ["fr", "French"], ["pt", "Portuguese"],
];
const PLANS = ["commercial", "medicare_ffs", "medicare_advantage", "medicaid", "marketplace", "va", "tricare", "uninsured", "other"];

function languages(current) {
  return LANGUAGES.some(([code]) => code === current) ? LANGUAGES : [...LANGUAGES, [current, current]];
}

export function PatientStep({ draft }) {
  return html`<${Group} title="Patient">
      <${Input} draft=${draft} pointer="/patient/given_name" label="Given name" />
      <${Input} draft=${draft} pointer="/patient/family_name" label="Family name" />
      <${Input} draft=${draft} pointer="/patient/birth_date" label="Date of birth" type="date" />
      <${Input} draft=${draft} pointer="/patient/mrn" label="Medical record number" optional />
      <${Input} draft=${draft} pointer="/patient/sex" label="Sex" options=${options(SEXES, "Choose")} />
    <//>
    <${Group} title="Contact">
      <${Input} draft=${draft} pointer="/patient/phone" label="Phone" type="tel" hint="Outside the US with country code: +44 …" />
      <${Input} draft=${draft} pointer="/patient/zip" label="ZIP code" inputmode="numeric" />
      <${Input} draft=${draft} pointer="/patient/email" label="Email" type="email" optional />
      <${Input} draft=${draft} pointer="/patient/language" label="Preferred language" options=${languages(draft.get("/patient/language"))} />
      <${Input} draft=${draft} pointer="/patient/caregiver/name" label="Caregiver's name" optional />
      <${Input} draft=${draft} pointer="/patient/caregiver/phone" label="Caregiver's phone" type="tel" optional />
      <${Input} draft=${draft} pointer="/patient/caregiver/relation" label="Caregiver's relation" optional />
      <${Input} draft=${draft} pointer="/patient/alias" label="Alias" optional maxlength="40"
        hint="The only name that mail may carry. One is proposed if you leave it empty." />
    <//>`;
}

export function DiagnosisStep({ draft }) {
  const set = (event) => draft.set("/clinical/ecog", event.target.value === "" ? "" : Number(event.target.value));
  const codes = useDiagnosisCodes(draft.get("/clinical/disease"), draft.get("/clinical/icd10"));
  return html`<${Group} title="Diagnosis">
      <${Input} draft=${draft} pointer="/clinical/disease" label="Disease" options=${options(Object.keys(DISEASES), "Choose the disease")} />
      <${Input} draft=${draft} pointer="/clinical/histology" label="Histology" hint="As in the pathology report, for example DLBCL NOS" />
      <${Input} draft=${draft} pointer="/clinical/icd10" label="ICD-10-CM code" optional list="codes" hint=${codes.hint} />${codes.offered}
      <${Input} draft=${draft} pointer="/clinical/ecog" label="ECOG performance status" onInput=${set}
        options=${[["", "Not assessed"], ["0", "0, fully active"], ["1", "1, restricted in strenuous activity"],
          ["2", "2, up more than half of the day"], ["3", "3, in bed or chair more than half of the day"], ["4", "4, fully disabled"]]} />
    <//>
    <${Group} title="To discuss with the center" lead="None of these answers decides anything. The center looks at each.">
      <${Pick} draft=${draft} pointer="/clinical/hsct_eligible" label="Candidate for a stem cell transplant?" options=${YES_NO} />
      ${Object.entries(FLAGS).map(
        ([flag, label]) => html`<${Pick} draft=${draft} pointer="/clinical/flags/${flag}" label="${label}?" options=${YES_NO} />`,
      )}
    <//>`;
}

export function CoverageStep({ draft }) {
  return html`<${Group} title="Insurance" lead="Informational only; nothing here is a guarantee of coverage.">
      <${Input} draft=${draft} pointer="/insurance/payer" label="Payer" />
      <${Input} draft=${draft} pointer="/insurance/plan_type" label="Plan type" options=${options(PLANS, "Choose the plan type")} />
      <${Input} draft=${draft} pointer="/insurance/member_id" label="Member id" />
      <${Input} draft=${draft} pointer="/insurance/group" label="Group" optional />
    <//>
    <${Group} title="Consent to share">
      <${Pick} draft=${draft} pointer="/consent_to_share/given" label="Has the patient agreed to share this with the center?"
        options=${[[true, "Yes"], [false, "Not yet"]]} />
      <${Input} draft=${draft} pointer="/consent_to_share/on" label="Agreed on" type="date" />
    <//>
    <${Group} title="Note to the center">
      <${Input} draft=${draft} pointer="/note" label="Note" rows="4" wide optional maxlength="4000"
        hint="What the fields above cannot say. Keep it short." />
    <//>`;
}

export function ProviderStep({ draft }) {
  return html`<${Group} title="Referring provider">
    <${Input} draft=${draft} pointer="/referring_provider/name" label="Name" />
    <${Input} draft=${draft} pointer="/referring_provider/npi" label="NPI" inputmode="numeric" hint="Ten digits" />
    <${Input} draft=${draft} pointer="/referring_provider/phone" label="Phone" type="tel" />
    <${Input} draft=${draft} pointer="/referring_provider/email" label="Email" type="email" optional />
  <//>`;
}
